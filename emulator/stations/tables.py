"""What each station of a line shows on its node, and what it is told there, by the names that the line has.

Readings are the line's signals (`Line.signals`), through sensors (data/wirings). Commands are parts of the stations'
`Inputs`. What a status word says is asked of the station itself, as by contacts that are wired to the node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.inputs import Inputs
from emulator.line.definition import COMPONENTS
from emulator.line.line import Line

__all__ = ["STATIONS", "Command", "Station"]

ZONES: Final = ("zone_1", "zone_2", "zone_3", "draw")


@dataclass(frozen=True, slots=True)
class Command:
    """A part of a station's inputs that a tag commands.

    Attributes:
        part: its name in the station's `Inputs`, SI unit as suffix; switches have none.
        index: which number of it.
    """

    part: str
    index: int = 0


@dataclass(frozen=True, slots=True)
class Station:
    """What a node has to do with the line.

    Attributes:
        sources: by the first part of a signal's name, whom to ask.
        inputs: what is told.
        commands: by tag.
        status: names of status bits that are set; `comms_lost` is the node's own.
    """

    sources: Callable[[Line], Mapping[str, Any]]
    inputs: Callable[[Line], Inputs]
    commands: Mapping[str, Command]
    status: Callable[[Line], Mapping[str, bool]]


class _Drive:
    """The part of the tail's signals that no station has."""

    def __init__(self, line: Line) -> None:
        self._tail = line.tail

    def signals(self) -> dict[str, float]:
        """Speeds, SI units."""
        return {"speed_m_s": self._tail.state.speed_m_s, "film_speed_m_s": self._tail.film_speed_m_s}


def _kneader(line: Line) -> Mapping[str, bool]:
    state = line.state.kneader
    return {"running": state.screw_rad_s > 0.0, "overloaded": state.overloaded, "burst": state.burst}


def _caster(line: Line) -> Mapping[str, bool]:
    return {"running": line.state.caster.speed_m_s > 0.0, "web_break": line.state.store.broken != ""}


def _tail(line: Line) -> Mapping[str, bool]:
    state = line.state.tail
    return {
        "running": state.speed_m_s > 0.0,
        "web_break": state.loop.broken != "",
        "torn": state.broken == "torn",
        "sagged": state.broken == "sagged",
        "vapour_stop": state.desolvator.tripped,
    }


def _desolvator(line: Line) -> Mapping[str, bool]:
    station = line.tail.desolvator
    return {
        "heating": station.commands.heat and not station.state.tripped,
        "vapour_warning": station.lel_fraction >= station.definition.interlock.warning_fraction,
        "vapour_trip": station.state.tripped,
    }


def _winder(line: Line) -> Mapping[str, bool]:
    winder = line.tail.winder
    return {
        "winding": winder.winding is not None,
        "curing": any(roll.stage == "curing" for roll in winder.state.rolls),
        "heating": winder.commands.heat,
    }


STATIONS: Final[Mapping[str, Station]] = {
    "kneader": Station(
        lambda line: {"kneader": line.kneader},
        lambda line: line.kneader.commands,
        {
            **{f"kneader_{name}_setpoint_kg_h": Command("delivery_kg_s", i) for i, name in enumerate(COMPONENTS)},
            "kneader_barrel_setpoint_c": Command("barrel_k"),
            "kneader_screw_setpoint_rpm": Command("screw_rad_s"),
            "kneader_run": Command("run"),
        },
        _kneader,
    ),
    "caster": Station(
        lambda line: {"caster": line.caster, "store": line.store},
        lambda line: line.caster.commands,
        {
            "caster_speed_setpoint_m_min": Command("speed_m_s"),
            "caster_coolant_setpoint_c": Command("coolant_k"),
            **{f"caster_{name}": Command(name) for name in ("run", "follow", "thread")},
        },
        _caster,
    ),
    "tail": Station(
        lambda line: {"drive": _Drive(line), "loop": line.tail.loop},
        lambda line: line.tail.commands,
        {
            "tail_speed_setpoint_m_min": Command("speed_m_s"),
            **{f"tail_{name}": Command(name) for name in ("run", "follow", "thread", "cut")},
        },
        _tail,
    ),
    "stretcher": Station(
        lambda line: {"stretcher": line.tail.stretcher},
        lambda line: line.tail.stretcher.commands,
        {
            **{f"stretcher_{name}_air_setpoint_c": Command("air_k", i) for i, name in enumerate(ZONES)},
            **{f"stretcher_{name}_setpoint": Command(name) for name in ("ratio_md", "ratio_td")},
            "stretcher_heat": Command("heat"),
        },
        lambda line: {"heating": line.tail.stretcher.commands.heat},
    ),
    "desolvator": Station(
        lambda line: {"desolvator": line.tail.desolvator},
        lambda line: line.tail.desolvator.commands,
        {
            "desolvator_flow_setpoint_l_min": Command("flow_m3_s"),
            "desolvator_bath_setpoint_c": Command("bath_k"),
            "desolvator_dryer_air_setpoint_c": Command("air_k"),
            "desolvator_heat": Command("heat"),
            "desolvator_acknowledge": Command("acknowledge"),
        },
        _desolvator,
    ),
    "heat_setter": Station(
        lambda line: {"heat_setter": line.tail.heat_setter},
        lambda line: line.tail.heat_setter.commands,
        {"heat_setter_air_setpoint_c": Command("air_k"), "heat_setter_heat": Command("heat")},
        lambda line: {"heating": line.tail.heat_setter.commands.heat},
    ),
    "winder": Station(
        lambda line: {"winder": line.tail.winder},
        lambda line: line.tail.winder.commands,
        {
            "winder_roll_length_setpoint_m": Command("roll_length_m"),
            "winder_cure_setpoint_c": Command("cure_k"),
            "winder_cure_time_s": Command("cure_s"),
            "winder_heat": Command("heat"),
            "winder_doff": Command("doff"),
        },
        _winder,
    ),
}
"""By the name of the node in the register map."""
