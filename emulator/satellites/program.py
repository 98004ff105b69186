"""What the compiled scan of a satellite needs to know; made once, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emulator.image import Layout
from emulator.material.record import as_table
from emulator.node.config import NodeConfig
from emulator.node.loops import LOOP_COUNT, LoopPlan, loop_plan
from emulator.node.program import NOWHERE
from emulator.press import signals
from emulator.satellites.config import SatelliteConfig
from rig.protocol.registers import Tag

__all__ = ["GAUGE_TAGS", "LOOP_PLACES", "SatelliteProgram", "satellite_program"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOOP_PLACES: Final = (*signals.PLATES, *signals.DRUMS[:2])
"""What the loops hold: zone plates, then entry drums."""
GAUGE_TAGS: Final = ("sheet_entry_thickness_um", "exit_thickness_um", "recovered_thickness_um")
"""In the order of the I/O node's wires."""
CONTROLLER_BITS: Final = ("running", "over_temperature", "hot", "sensor_range", "deviation", "setpoints_lost")


class SatelliteProgram(NamedTuple):
    """One program for both kinds; numbers have the columns of `emulator.image`."""

    controls: int  # 1: a temperature controller; 0: a gauge
    has_relays: int  # 1: its alarm relays are wired to the I/O node
    place: Ints  # of the readings: per loop, -1 for those of others; or per gauge, the rest -1
    setpoints: Floats  # numbers, per loop
    outputs: Floats  # numbers, per loop
    has_safe: Ints  # per loop: 1 where the setpoint has a safe value
    safe_raw: Floats  # which, raw
    loops: LoopPlan
    limit_c: float
    deviation_k: float
    comms_timeout_ns: int
    status_word: int  # place
    heartbeat: Floats  # number
    sample_time_ms: Floats  # number
    bits: Any  # mask in the status word, by name


def satellite_program(
    name: str, config: SatelliteConfig, machine: NodeConfig, layout: Layout, sensor: Mapping[str, int]
) -> Sequence[SatelliteProgram]:
    """The program of a satellite as one record.

    Args:
        name: of the node.
        config: its settings.
        machine: settings of the I/O node, which has what loops and alarms of the machine are set to.
        layout: where its tags stand.
        sensor: places of its readings, by tag.
    """
    tags = layout.tags
    temperatures = [f"{part}_temperature_c" for part in LOOP_PLACES]
    setpoints = [tags.get(f"{part}_setpoint_c") for part in LOOP_PLACES]
    controls = any(tag in sensor for tag in temperatures)
    measured = temperatures if controls else GAUGE_TAGS
    place = np.full(LOOP_COUNT, -1)
    place[: len(measured)] = [sensor.get(tag, -1) for tag in measured]
    status = tags[f"{name}_status_word"]
    return as_table(
        SatelliteProgram(
            controls=int(controls),
            # the danger is in what is heated
            has_relays=int(controls and any(tag is not None and tag.safe_value is not None for tag in setpoints)),
            place=place,
            setpoints=_numbers(layout, [f"{part}_setpoint_c" for part in LOOP_PLACES]),
            outputs=_numbers(layout, [f"{part}_output_percent" for part in LOOP_PLACES]),
            has_safe=np.array([int(tag is not None and tag.safe_value is not None) for tag in setpoints]),
            safe_raw=np.array([_safe_raw(tag) for tag in setpoints]),
            loops=loop_plan(machine, config.scan_period_ms),
            limit_c=machine.interlocks.zone_temperature_c,
            deviation_k=machine.warnings.zone_deviation_k,
            comms_timeout_ns=round(config.comms_timeout_s * 1e9),
            status_word=layout.place(status.name),
            heartbeat=np.array(layout.number(f"{name}_heartbeat")),
            sample_time_ms=np.array(layout.number(f"{name}_sample_time_ms")),
            bits={bit: 1 << status.bits.index(bit) if bit in status.bits else 0 for bit in CONTROLLER_BITS},
        )
    )


def _numbers(layout: Layout, names: Sequence[str]) -> Floats:
    return np.array([layout.number(name) if name in layout.tags else NOWHERE for name in names])


def _safe_raw(tag: Tag | None) -> float:
    return 0.0 if tag is None or tag.safe_value is None else float(tag.encode(tag.safe_value)[0])
