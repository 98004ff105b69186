"""Limits of the node's readings as raw values, so that the firmware compares whole numbers instead of doubles.

A reading is its raw value, times the scale of its register, plus an offset; the scale is positive. So a reading is
above a limit if, and only if, its raw value is above the highest one whose reading is not: bit by bit what the node in
Python decides with doubles, on the very edge too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from emulator.config import ConfigError
from emulator.node import Node, scan

__all__ = ["below_and_above", "limits"]

NO_SHEET: Final = ("sheet_entry_thickness_um", "exit_thickness_um", "recovered_thickness_um")
"""Gauges, which show 0 where no sheet is."""


def limits(node: Node, groups: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, int]]:
    """Limits by name: `ABOVE_...`, above which a raw value means a reading above it, and `BELOW_...`.

    Args:
        node: whose registers, sensors and settings they are of.
        groups: channels that are looked at together.

    Raises:
        ConfigError: channels that are compared with the same limit have different scales, or two registers.
    """
    for name, limit, channels, is_about_zero in _readings(node, groups):
        below, above = _raw(node, name, limit, channels)
        yield f"BELOW_{name}", below
        yield f"ABOVE_{name}", above
        if is_about_zero:
            yield f"BELOW_MINUS_{name}", _raw(node, name, -limit, channels)[0]


def below_and_above(limit: float, scale: float, offset: float, smallest: int, largest: int) -> tuple[int, int]:
    """The lowest raw value whose reading is not below a limit, and the highest one whose reading is not above it.

    Args:
        limit: in the reading's unit.
        scale: of the register, positive.
        offset: of the register, in the reading's unit.
        smallest: raw value that its type can show.
        largest: the same.

    Returns:
        A number beyond the raw values where no reading is on that side.
    """
    raws = range(smallest, largest + 1)
    below = bisect_left(raws, limit, key=lambda raw: raw * scale + offset)
    above = bisect_right(raws, limit, key=lambda raw: raw * scale + offset)
    return smallest + below, smallest + above - 1


def _raw(node: Node, name: str, limit: float, channels: Sequence[int]) -> tuple[int, int]:
    numbers = {node.bank.layout.number(node.sensors.names[channel])[1:] for channel in channels}
    if len(numbers) > 1:
        raise ConfigError(f"the channels that are compared with {name} have different scales")
    ((count, scale, offset, smallest, largest),) = numbers
    if count != 1:
        raise ConfigError(f"what is compared with {name} has two registers, and the firmware compares one")
    return below_and_above(limit, scale, offset, int(smallest), int(largest))


def _readings(node: Node, groups: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, float, Sequence[int], bool]]:
    """Name, limit, the channels that are compared with it, and whether they are on both sides of 0."""
    trip, warn = node.config.interlocks, node.config.warnings
    channel = node.sensors.names.index
    yield "LIMIT_ZONE_TEMPERATURE_C", trip.zone_temperature_c, groups["HEATED"], False
    yield "LIMIT_LINE_FORCE_KN", trip.line_force_kn, groups["FORCE"], False
    yield "LIMIT_EDGE_POSITION_MM", trip.edge_position_mm, groups["EDGE"], True
    yield "LIMIT_COOLANT_FLOW_L_MIN", trip.coolant_flow_l_min, [channel("coolant_flow_l_min")], False
    yield "WARN_LINE_FORCE_KN", warn.line_force_kn, groups["FORCE"], False
    yield "WARN_EDGE_POSITION_MM", warn.edge_position_mm, groups["EDGE"], True
    yield "WARN_DRIVE_TORQUE_NM", warn.drive_torque_nm, groups["TORQUE"], True
    yield "SENSOR_LOWEST_C", scan.SENSOR_RANGE_C[0], groups["PLATE"], False
    yield "SENSOR_HIGHEST_C", scan.SENSOR_RANGE_C[1], groups["PLATE"], False
    yield "OPEN_UM", scan.OPEN_UM, groups["CLEARANCE"], False
    yield "MOVING_M_MIN", scan.MOVING_M_MIN, groups["SPEED"], False
    yield "DRIVEN_M_MIN", scan.DRIVEN_M_MIN, groups["SPEED"], False
    yield "HOT_C", scan.HOT_C, groups["HEATED"], False
    yield "HYDRAULICS_READY_BAR", scan.HYDRAULICS_READY_BAR, [channel("hydraulic_pressure_bar")], False
    yield "PRESSING_KN", scan.PRESSING_KN, groups["FORCE"], False
    yield "NO_SHEET_UM", 0.0, [channel(name) for name in NO_SHEET], False
