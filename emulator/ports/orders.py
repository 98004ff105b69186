"""What can be asked of a press while it is served: faults, disturbances, hands on the machine, time.

An order is a name and options by name, as they come from a line of JSON; the answer is what JSON can say. The method's
name is the order's, its docstring what `help` tells; docs/control.md is the reference for people.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from emulator.config import ConfigError
from emulator.faults import FaultAccount, PressFaultRecord, described_kinds, fault_from
from emulator.inputs import InputError
from emulator.node import Node
from emulator.ports.paced import Served
from emulator.satellites import Satellite
from emulator.stations import StationNode
from emulator.wire.faults import ActiveFault, FaultError
from emulator.wire.faults import Fault as WireFault

__all__ = ["PROTOCOL", "Later", "OrderError", "Orders"]

PROTOCOL: Final = 1
"""Version of what is said on the control socket; orders and fields may be added without a new one."""
Answer = dict[str, Any]
Later = Callable[[], Answer | None]
"""An answer that is not known yet: None until it is."""

SECOND_NS: Final = 1_000_000_000
FASTEST: Final = 1e6
FARTHEST_S: Final = 1e6

KEY_SIGNALS: Final = (
    "upper_belt_speed_m_min",
    "lower_belt_speed_m_min",
    "heat_4_upper_plate_temperature_c",
    "cold_2_upper_plate_temperature_c",
    "hydraulic_pressure_mpa",
    "entry_left_clearance_um",
    "cold_left_clearance_um",
    "parcels_in_press",
    "exit_sheet_thickness_um",
    "exit_sheet_surface_temperature_c",
)
"""Of the truth: what tells at a glance how the press stands."""


class OrderError(ValueError):
    """An order that cannot be followed; the message says why and what is known."""


class Orders:
    """What can be asked."""

    def obey(self, request: Mapping[str, Any], served: Served) -> Answer | Later:
        """Do what is asked.

        Args:
            request: `command`, and its options by name.
            served: the press.

        Returns:
            The answer, or what will give it when it is known.

        Raises:
            OrderError: no such order, or not with these options; then nothing is changed.
        """
        options = dict(request)
        name = options.pop("command", None)
        if not isinstance(name, str) or name not in COMMANDS:
            near = get_close_matches(str(name), COMMANDS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}"
            raise OrderError(f"there is no command {name!r}; {hint}" if name else f"a request needs a command; {hint}")
        method = getattr(self, name)
        try:
            inspect.signature(method).bind(served, **options)
        except TypeError:
            raise OrderError(f"{name} takes {_usage(method)}, not {', '.join(options) or 'nothing'}") from None
        try:
            answer: Answer | Later = method(served, **options)
        except (FaultError, InputError) as error:
            raise OrderError(str(error)) from None
        except OverflowError as error:
            raise OrderError(f"{name}: a number is too large ({error})") from None
        return answer

    # -- looking -------------------------------------------------------------------------------------

    def help(self, served: Served) -> Answer:
        """What can be asked, and with which options."""
        return {"commands": {name: _about(getattr(self, name)) for name in COMMANDS}}

    def about(self, served: Served) -> Answer:
        """Who is here: versions, process, where masters come in."""
        return {
            "program": f"press-rig {metadata.version('press-rig')}",
            "protocol": PROTOCOL,
            "pid": os.getpid(),
            "endpoints": _urls(served),
            "unit": served.world.node.unit,
            "wiring": served.world.config.wiring,
            "nodes": {name: node.unit for name, node in _nodes(served).items()},
        }

    def state(self, served: Served) -> Answer:
        """Time, mode, alarms, key signals, and what has happened on the line."""
        world, bank = served.world, served.world.node.bank
        truth = world.truth.signals()
        alarms = bank["alarm_word"]
        return {
            **_time(served),
            "node_on": world.node.is_on,
            "nodes_on": {name: node.is_on for name, node in _nodes(served).items()},
            "mode": bank["mode"],
            "alarms": sorted(alarms) if isinstance(alarms, frozenset) else [],
            "first_out_alarm": bank["first_out_alarm"],
            "emergency_stop_pressed": world.contacts.emergency_stop_pressed,
            "guard_open": world.contacts.guard_open,
            "alarm_wire_cut": world.contacts.alarm_wire_cut,
            "plugged": world.bus.state.plugged,
            "faults": sum(account.ended_s is None for account in world.fault_account()),
            "disturbed": {
                name: part["value"] for name, part in _disturbances(served).items() if part["value"] != part["usual"]
            },
            "signals": {name: _number(truth[name]) for name in KEY_SIGNALS},
            "line": dataclasses.asdict(world.bus.state.counters),
            "endpoints": {"urls": _urls(served), **_bytes(served)},
        }

    def signals(self, served: Served, names: Any = None) -> Answer:
        """The truth about the press, all of it or by names, units in the names."""
        truth = served.world.truth.signals()
        if names is None:
            names = list(truth)
        for name in [names] if isinstance(names, str) else _list(names, "names"):
            if name not in truth:
                near = get_close_matches(str(name), truth, 3)
                hint = f"did you mean {' or '.join(near)}?" if near else "without names you get all"
                raise OrderError(f"there is no signal {name!r}; {hint}")
        wanted = [names] if isinstance(names, str) else names
        return {"time_s": _seconds(served), "signals": {name: _number(truth[name]) for name in wanted}}

    # -- what goes wrong -----------------------------------------------------------------------------

    def kinds(self, served: Served) -> Answer:
        """What can go wrong: with sensors, actuators, machine, material and supply, and on the wire."""
        return {"kinds": described_kinds()}

    def inject(self, served: Served, kind: Any, **options: Any) -> Answer:
        """Let something go wrong: a kind of `kinds`, with options as docs/faults.md lists them."""
        world = served.world
        fault = fault_from(str(kind), options)
        units = [node.unit for node in world.nodes]
        if isinstance(fault, WireFault) and fault.kind == "brown_out" and fault.unit not in (None, *units):
            raise OrderError(f"no node here has address {fault.unit}; there are {', '.join(map(str, units))}")
        return {"number": world.inject(fault), "time_s": _seconds(served)}

    def withdraw(self, served: Served, number: Any = None) -> Answer:
        """End one fault by its number, or all of them."""
        world = served.world
        known = {account.number: account.ended_s is None for account in world.fault_account()}
        standing = [one for one, stands in known.items() if stands]
        if number is None:
            world.withdraw()
            return {"withdrawn": standing}
        wanted = int(_real("number", number, 0, 1e15))
        if wanted not in standing:
            over = "is over" if wanted in known else "was never injected"
            raise OrderError(f"fault {wanted} {over}; standing are {', '.join(map(str, standing)) or 'none'}")
        world.withdraw(wanted)
        return {"withdrawn": [wanted]}

    def faults(self, served: Served) -> Answer:
        """What was injected, what stands, how often each of them has shown, and whether it left something behind."""
        world, bus = served.world, served.world.bus.state
        asked: dict[int, Answer] = {active.number: _on_wire(active) for active in (*bus.over, *bus.faults)}
        asked |= {record.number: _on_press(record) for record in world.faults.records()}
        return {"faults": [asked[account.number] | _told(account) for account in world.fault_account()]}

    # -- the press -----------------------------------------------------------------------------------

    def disturbances(self, served: Served) -> Answer:
        """Which physical quantities can be disturbed: value, usual value, range, unit."""
        return {"disturbances": _disturbances(served)}

    def disturb(self, served: Served, **changes: Any) -> Answer:
        """Change physical quantities, all or none: numbers, or lists with one for each place."""
        if not changes:
            raise OrderError(f"disturb needs at least one of {', '.join(served.world.disturbances.names())}")
        served.world.disturbances.change(changes)
        return {"time_s": _seconds(served)}

    def calm(self, served: Served) -> Answer:
        """End all disturbances of the press; faults of the line stay."""
        served.world.disturbances.reset()
        return {"time_s": _seconds(served)}

    def push_emergency_stop(self, served: Served) -> Answer:
        """Push the button; it stays in."""
        served.world.contacts.emergency_stop_pressed = True
        return {"time_s": _seconds(served)}

    def release_emergency_stop(self, served: Served) -> Answer:
        """Pull the button out again."""
        served.world.contacts.emergency_stop_pressed = False
        return {"time_s": _seconds(served)}

    def open_guard(self, served: Served) -> Answer:
        """Open a guard."""
        served.world.contacts.guard_open = True
        return {"time_s": _seconds(served)}

    def close_guard(self, served: Served) -> Answer:
        """Close all guards."""
        served.world.contacts.guard_open = False
        return {"time_s": _seconds(served)}

    def cut_alarm_wire(self, served: Served) -> Answer:
        """Break the hard wire from the heat controller's alarm relays to the I/O node."""
        return _alarm_wire(served, cut=True)

    def mend_alarm_wire(self, served: Served) -> Answer:
        """And mend it."""
        return _alarm_wire(served, cut=False)

    # -- time ----------------------------------------------------------------------------------------

    def time(self, served: Served, speed: Any = None, paused: Any = None, ahead_s: Any = None) -> Answer | Later:
        """Press time; set the speed, pause and go on, or run ahead by some seconds as fast as it goes."""
        pace, world = served.pace, served.world
        new_speed = pace.speed if speed is None else _real("speed", speed, 0.0, FASTEST, above=True)
        ahead_ns = None if ahead_s is None else round(_real("ahead_s", ahead_s, 0.0, FARTHEST_S) * SECOND_NS)
        if paused is not None and not isinstance(paused, bool):
            raise OrderError(f"paused is {paused!r}; it must be true or false")
        if ahead_ns is not None and pace.ahead_ns is not None and paused is None:
            raise OrderError(f"the press runs ahead already, to {pace.ahead_ns / SECOND_NS:g} s; pause ends that")
        if speed is not None:
            pace.speed = new_speed
        if paused is True:
            pace.pause(world.now_ns)
        elif paused is False:
            pace.go_on(world.now_ns)
        if ahead_ns is None:
            return _time(served)
        pace.run_ahead(world.now_ns + ahead_ns)
        return lambda: _time(served) if pace.ahead_ns is None else None

    def snapshot(self, served: Served, path: Any) -> Answer:
        """Write the press as it stands to a file, which `press-rig resume` opens."""
        place = Path(str(path)).expanduser()
        if not place.is_absolute():
            raise OrderError(f"path is {str(path)!r}; it must be absolute, this process has another folder than yours")
        data = served.world.snapshot()
        try:
            _write_whole(place, data)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OrderError(f"snapshot {place} cannot be written: {reason}") from None
        return {"path": str(place), "bytes": len(data), "time_s": _seconds(served)}


COMMANDS: Final = tuple(
    name for name, part in vars(Orders).items() if inspect.isfunction(part) and name[0] != "_" and name != "obey"
)


def _options(method: Callable[..., Any]) -> list[inspect.Parameter]:
    return [part for part in inspect.signature(method).parameters.values() if part.name != "served"]


def _usage(method: Callable[..., Any]) -> str:
    """The options of an order, for people."""
    words = []
    for part in _options(method):
        if part.kind is part.VAR_KEYWORD:
            words.append(f"{part.name} by name")
        else:
            words.append(part.name if part.default is part.empty else f"{part.name} (or not)")
    return ", ".join(words) or "no options"


def _about(method: Callable[..., Any]) -> Answer:
    return {"options": _usage(method), "meaning": inspect.getdoc(method)}


def _nodes(served: Served) -> dict[str, Node | Satellite | StationNode]:
    """Everybody on the line but the master, by name."""
    world = served.world
    return dict(zip(world.registers.nodes, world.nodes, strict=True))


def _alarm_wire(served: Served, *, cut: bool) -> Answer:
    try:
        served.world.set_alarm_wire(cut=cut)
    except ConfigError as error:
        raise OrderError(str(error)) from None
    return {"time_s": _seconds(served)}


def _seconds(served: Served) -> float:
    return served.world.now_ns / SECOND_NS


def _time(served: Served) -> Answer:
    pace, now_ns = served.pace, served.world.now_ns
    return {
        "time_s": now_ns / SECOND_NS,
        "speed": pace.speed,
        "paused": pace.paused,
        "ahead_s": None if pace.ahead_ns is None else (pace.ahead_ns - now_ns) / SECOND_NS,
        "slipped_s": served.counters.slipped_ns / SECOND_NS,
    }


def _urls(served: Served) -> list[str]:
    return [endpoint.url for endpoint in served.endpoints]


def _bytes(served: Served) -> Answer:
    counters = served.counters
    return {
        "received_bytes": counters.received_bytes,
        "sent_bytes": counters.sent_bytes,
        "lost_bytes": counters.lost_bytes,
    }


def _on_wire(active: ActiveFault) -> Answer:
    return dataclasses.asdict(active.fault) | _when(active) | {"seen": active.seen, "struck": active.struck}


def _on_press(record: PressFaultRecord) -> Answer:
    return dataclasses.asdict(record.fault) | _when(record) | {"level": record.level, "struck": record.struck}


def _when(fault: ActiveFault | PressFaultRecord) -> Answer:
    until_ns = fault.until_ns
    return {
        "from_s": fault.from_ns / SECOND_NS,
        "until_s": None if until_ns is None else until_ns / SECOND_NS,
        "acting": fault.ended_ns is None and (fault.acting if isinstance(fault, ActiveFault) else fault.level > 0.0),
    }


def _told(account: FaultAccount) -> Answer:
    return {
        "number": account.number,
        "standing": account.ended_s is None,
        "evidence": account.evidence,
        "cleared": account.cleared,
    }


def _disturbances(served: Served) -> dict[str, Answer]:
    record = served.world.disturbances
    found = {}
    for name in record.names():
        part = vars(type(record))[name]
        values = record.vector[part.span(record.FIRST)].tolist()
        usual = [part.neutral] * part.size
        found[name] = {
            "value": values if part.size > 1 else values[0],
            "usual": usual if part.size > 1 else usual[0],
            "low": part.low,
            "high": part.high,
            "unit": part.unit,
        }
    return found


def _number(value: float) -> float | None:
    """JSON has no word for what is not a number."""
    return float(value) if math.isfinite(value) else None


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise OrderError(f"{name} is {value!r}; it must be a list")
    return value


def _real(name: str, value: Any, low: float, high: float, *, above: bool = False) -> float:
    """A number within a range, also where people wrote it as text."""
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high or (above and number == low):
        first = f"above {low:g}, up to" if above else f"{low:g} …"
        raise OrderError(f"{name} is {value!r}; it must be a number {first} {high:g}")
    return number


def _write_whole(place: Path, data: bytes) -> None:
    """A file appears whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:32]}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
