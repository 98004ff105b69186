"""What the node's compiled scan needs to know: limits, loops, and where every sensor and register stands.

Made once from the node's settings, the register map and the sensors; never changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emulator.image import Layout
from emulator.material.record import as_table
from emulator.node.config import NodeConfig, WarningLimits
from emulator.node.interlocks import INTERLOCKS, Limits
from emulator.node.loops import LoopPlan, loop_plan
from emulator.node.state import SETPOINT_COUNT
from emulator.press import signals

__all__ = ["Program", "node_program"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SETPOINTS: Final = (
    *(f"{plate}_setpoint_c" for plate in signals.PLATES),
    *(f"{drum}_setpoint_c" for drum in signals.DRUMS[:2]),
    *(f"{actuator}_clearance_setpoint_um" for actuator in signals.ACTUATORS),
    *(f"belt_{side}_speed_setpoint_m_min" for side in signals.SIDES),
    *(f"belt_{side}_tension_setpoint_kn_m" for side in signals.SIDES),
    *(f"belt_{side}_steering_setpoint_deg" for side in signals.SIDES),
    "coolant_flow_setpoint_l_min",
    "watchdog_timeout_s",
)
NOWHERE: Final = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
"""A number of no registers: it decodes to 0."""
# where each stands in the decoded vector
CLEARANCES: Final = 14
SPEEDS: Final = 20
TENSIONS: Final = 22
STEERING: Final = 24
COOLANT: Final = 26
WATCHDOG: Final = 27


class SensorPlaces(NamedTuple):
    """Places of readings; -1 for those of another node."""

    loops: Ints  # what the temperature loops hold: zone plates, then entry drums
    clearances: Ints
    forces: Ints
    speeds: Ints
    tensions: Ints
    edges: Ints
    torques: Ints
    hydraulic_pressure: int
    coolant_flow: int
    gauges: Ints  # sheet thickness at entry, exit, and recovered


class Program(NamedTuple):
    """The node's program; places are those of `emulator.image`, numbers have `NUMBER_COLUMNS`."""

    scan_period_s: float
    full_flow_l_min: float
    loops_elsewhere: int  # 1: temperature controllers are nodes of their own
    gauges_elsewhere: int  # 1: the same for the gauges
    loops: LoopPlan
    limits: Limits
    warnings: WarningLimits
    sensor: SensorPlaces
    setpoints: Floats  # numbers
    controller_heartbeat: Floats  # number
    coil: Any  # place of the bit, by tag
    contact: Any  # place of the bit of a discrete input, by tag
    zone_outputs: Floats  # numbers
    node_heartbeat: Floats  # number
    uptime_s: Floats  # number
    sample_time_ms: Floats  # number
    watchdog_remaining_s: Floats  # number
    sheet_length_m: int  # place
    mode_word: int  # place
    status_word: int  # place
    alarm_word: int  # place
    warning_word: int  # place
    first_out_alarm: int  # place
    contacts_word: int  # place
    force_words: Ints  # places of the line forces
    mirrored: Ints  # places of the bits that contacts_word shows, lowest first
    mode: Any  # code, by name
    status: Any  # mask, by name
    warning: Any  # mask, by name
    alarms: Ints  # mask, in the order of INTERLOCKS
    first_out: Ints  # code of nothing, then of every row of INTERLOCKS


def node_program(config: NodeConfig, layout: Layout, sensor: Mapping[str, int]) -> Sequence[Program]:
    """The program of a node as one record.

    Args:
        config: its settings.
        layout: where its tags stand.
        sensor: places of the readings, by tag.
    """
    tags, groups = layout.tags, layout.registers.groups

    def numbers(names: Sequence[str]) -> Floats:
        return np.array([layout.number(name) if name in tags else NOWHERE for name in names])

    def readings(names: Sequence[str]) -> Ints:
        return np.array([sensor.get(name, -1) for name in names])

    def masks(word: str) -> dict[str, int]:
        return {name: 1 << place for place, name in enumerate(tags[word].bits)}

    def places(table: str) -> dict[str, int]:
        return {tag.name: layout.place(tag.name) for tag in tags.values() if tag.table == table}

    assert len(SETPOINTS) == SETPOINT_COUNT
    codes = tags["first_out_alarm"].values
    loops = readings([f"{place}_temperature_c" for place in (*signals.PLATES, *signals.DRUMS[:2])])
    gauges = readings(["sheet_entry_thickness_um", "exit_thickness_um", "recovered_thickness_um"])
    return as_table(
        Program(
            scan_period_s=config.scan_period_ms * 1e-3,
            full_flow_l_min=config.coolant.full_flow_l_min,
            loops_elsewhere=int(loops.max() < 0),
            gauges_elsewhere=int(gauges.max() < 0),
            loops=loop_plan(config, config.scan_period_ms),
            limits=config.interlocks.model_dump(),  # type: ignore[arg-type] # becomes a nested record
            warnings=config.warnings.model_dump(),  # type: ignore[arg-type] # the same
            sensor=SensorPlaces(
                loops=loops,
                clearances=readings(groups["clearances"]),
                forces=readings(groups["line_forces"]),
                speeds=readings(groups["belt_speeds"]),
                tensions=readings(groups["belt_tensions"]),
                edges=readings(groups["belt_edges"]),
                torques=readings([f"drive_{side}_torque_nm" for side in signals.SIDES]),
                hydraulic_pressure=sensor["hydraulic_pressure_bar"],
                coolant_flow=sensor["coolant_flow_l_min"],
                gauges=gauges,
            ),
            setpoints=numbers(SETPOINTS),
            controller_heartbeat=np.array(layout.number("controller_heartbeat")),
            coil=places("coil"),
            contact=places("discrete"),
            zone_outputs=numbers([f"{plate}_output_percent" for plate in signals.PLATES]),
            node_heartbeat=np.array(layout.number("node_heartbeat")),
            uptime_s=np.array(layout.number("uptime_s")),
            sample_time_ms=np.array(layout.number("sample_time_ms")),
            watchdog_remaining_s=np.array(layout.number("watchdog_remaining_s")),
            sheet_length_m=layout.place("sheet_length_m"),
            mode_word=layout.place("mode"),
            status_word=layout.place("status_word"),
            alarm_word=layout.place("alarm_word"),
            warning_word=layout.place("warning_word"),
            first_out_alarm=layout.place("first_out_alarm"),
            contacts_word=layout.place("contacts_word"),
            force_words=np.array([layout.place(name) for name in groups["line_forces"]]),
            mirrored=np.array([layout.place(contact) for contact in tags["contacts_word"].bits]),
            mode=tags["mode"].values,
            status=masks("status_word"),
            warning=masks("warning_word"),
            alarms=np.array([masks("alarm_word")[row.name] for row in INTERLOCKS]),
            first_out=np.array([codes["none"], *(codes[row.name] for row in INTERLOCKS)]),
        )
    )
