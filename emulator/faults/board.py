"""The faults of one press at work: when they begin, how much of them acts, what they alter, and whether it showed.

Whenever something changes, all that stands is laid out anew: every place is neutral but for what the faults that act
now make of it together. A fault that ends therefore leaves nothing behind, and the order of injections does not matter.
Evidence is counted where the press and the instruments receive (`emulator.faults.taps`, `emulator.sensors`), not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from emulator.agenda import Agenda, Priority, WakeUp
from emulator.faults.catalogue import CATALOGUE
from emulator.faults.fault import PressFault
from emulator.faults.kinds import NEUTRAL, Act, At, Instrument
from emulator.faults.places import ALL, PLACES, is_in_set, partner_of
from emulator.faults.state import FaultState, PressFaultRecord
from emulator.faults.taps import ANEW
from emulator.inputs import Part
from emulator.press.commands import Commands, Disturbances
from emulator.random import stream_key, uniform
from emulator.sensors import (
    ALTERED,
    FILTERED,
    GAIN,
    HELD,
    NOISE,
    OFFSET,
    SHOWN_FILTERED,
    SOURCE,
    SPIKE,
    SPIKE_PROBABILITY,
    STRUCK,
    SWIFTNESS,
    Sensors,
)
from emulator.wire.faults import FaultError

__all__ = ["FaultBoard"]

SECOND_NS: Final = 1_000_000_000
RAMP_STEPS: Final = 100
REMEMBERED: Final = 1000
"""Faults whose fate is still told when they are over."""
AMBIENT_C: Final = 25.0
"""Of the terminals of thermocouples."""
ROWS: Final[Mapping[str, int]] = {
    "gain": GAIN,
    "offset": OFFSET,
    "noise": NOISE,
    "spike_probability": SPIKE_PROBABILITY,
    "spike": SPIKE,
    "held": HELD,
    "source": SOURCE,
    "swiftness": SWIFTNESS,
}
"""Rows of the sensors' memory by the fields of a kind's acts."""
TOGETHER: Final[Mapping[str, Callable[[float, float], float]]] = {
    "gain": lambda a, b: a * b,
    "offset": lambda a, b: a + b,
    "noise": math.hypot,
    "swiftness": min,
    "low": max,
    "high": min,
    "rate": min,
}
"""What two faults make of one field together; the larger one where it is not said."""


class NodeWithSensors(Protocol):
    """What a fault has to know of a node."""

    sensors: Sensors


class FaultBoard:
    """The faults of one press.

    Args:
        agenda: the queue of the simulation.
        seed: of the random streams.
        nodes: everybody with sensors, by name.
        state: where it stands.
        number: gives the number of the next injection.
        scan_period_ns: of the press's node.
    """

    def __init__(
        self,
        agenda: Agenda,
        seed: int,
        nodes: Mapping[str, NodeWithSensors],
        state: FaultState,
        number: Callable[[], int],
        scan_period_ns: int,
    ) -> None:
        self.state = state
        self._agenda = agenda
        self._seed = seed
        self._nodes = nodes
        self._number = number
        self._period_ns = scan_period_ns
        self._wake_up = WakeUp(agenda.env, self._due)

    # -- what people do ------------------------------------------------------------------------------

    def inject(self, fault: PressFault) -> int:
        """Let a fault happen; returns its number.

        Raises:
            FaultError: this press has no such target.
        """
        self.check(fault)
        now_ns = self._agenda.now_ns
        from_ns = now_ns + round(fault.after_s * SECOND_NS)
        until_ns = None if fault.for_s is None else from_ns + round(fault.for_s * SECOND_NS)
        record = PressFaultRecord(self._number(), fault, from_ns, until_ns, from_ns)
        self.state.standing.append(record)
        if from_ns > now_ns:
            self._agenda.put(from_ns, Priority.FAULT, self._wake_up)
        else:
            self._due()
        return record.number

    def check(self, fault: PressFault) -> None:
        """Whether this press has the target of a fault.

        Raises:
            FaultError: it has not.
        """
        kind = CATALOGUE[fault.kind]
        if kind.targets and kind.targets not in PLACES:
            next(self._sensors(kind.targets, fault.target), None)

    def withdraw(self, number: int | None = None) -> None:
        """End a fault, or all of them."""
        for record in list(self.state.standing):
            if number is None or record.number == number:
                self._end(record)
        self._lay_out()

    def reschedule(self) -> None:
        """Put the wake-ups that the state asks for on the agenda."""
        now_ns = self._agenda.now_ns
        for record in (*self.state.standing, *self.state.over):
            if record.next_ns is not None:
                self._agenda.put(max(record.next_ns, now_ns), Priority.FAULT, self._wake_up)

    def verify(self) -> None:
        """Whether a state that came from elsewhere can be one of this press.

        Raises:
            ValueError: it cannot; says why.
        """
        for record in self.state.standing:
            self.check(record.fault)
            if not 0.0 <= record.level <= 1.0:
                raise ValueError(f"fault {record.number} acts with {record.level:g} of its amount")
        for node in self._nodes.values():
            sources = node.sensors.state.memory[SOURCE]
            if ((sources < 0.0) | (sources >= max(len(sources), 1))).any():
                raise ValueError("a sensor sees another one that is not there")

    def records(self) -> list[PressFaultRecord]:
        """All that was injected, as far as it is kept, by number; counts are those of now."""
        for record in self.state.standing:
            if record.begun:
                record.struck = self._met(record.fault) - record.struck_before
        return sorted((*self.state.over, *self.state.standing), key=lambda record: record.number)

    # -- as time goes by -----------------------------------------------------------------------------

    def _due(self) -> None:
        now_ns = self._agenda.now_ns
        for record in list(self.state.standing):
            if record.next_ns is not None and record.next_ns <= now_ns:
                self._go_on(record, now_ns)
        for record in self.state.over:
            if record.next_ns is not None and record.next_ns <= now_ns:
                record.struck_after, record.next_ns = self._met(record.fault) - record.struck_before, None
        self._lay_out()

    def _go_on(self, record: PressFaultRecord, now_ns: int) -> None:
        if record.until_ns is not None and now_ns >= record.until_ns:
            self._end(record)
            return
        if not record.begun:
            record.begun, record.struck_before = True, self._met(record.fault)
        fault = record.fault
        takes_ns = round(fault.takes_s * SECOND_NS)
        record.next_ns = None
        if fault.begins == "step":
            record.level = 1.0
        elif fault.begins == "ramp":
            record.level = min((now_ns - record.from_ns) / takes_ns, 1.0)
            if record.level < 1.0:
                step_ns = max(takes_ns // RAMP_STEPS, self._period_ns)
                record.next_ns = min(now_ns + step_ns, record.from_ns + takes_ns)
        else:
            record.level = 1.0 - record.level
            record.spells += 1
            chance = float(uniform(stream_key(self._seed, f"fault.{record.number}"), record.spells))
            record.next_ns = now_ns + max(round((0.5 + chance) * takes_ns), self._period_ns)
        if record.until_ns is not None:
            record.next_ns = record.until_ns if record.next_ns is None else min(record.next_ns, record.until_ns)
        if record.next_ns is not None:
            self._agenda.put(record.next_ns, Priority.FAULT, self._wake_up)

    def _end(self, record: PressFaultRecord) -> None:
        now_ns = self._agenda.now_ns
        if record.begun:
            record.struck = self._met(record.fault) - record.struck_before
        record.level, record.ended_ns, record.next_ns = 0.0, now_ns, None
        self.state.standing.remove(record)
        self.state.over.append(record)
        del self.state.over[:-REMEMBERED]
        if record.begun:  # whether it has left something behind is seen when the press has been there once more
            record.next_ns = now_ns + 2 * self._period_ns
            self._agenda.put(record.next_ns, Priority.FAULT, self._wake_up)

    # -- what acts -----------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        """Make taps and sensors what the faults that act now make of them together."""
        inputs: dict[tuple[str, int], float] = {}
        shown: dict[tuple[str, str, int], float] = {}
        for record in self.state.standing:
            if record.level == 0.0:
                continue
            for act in CATALOGUE[record.fault.kind].acts:
                if act.at is At.INPUT:
                    for place in _inputs(act, record.fault):
                        _join(inputs, (act.field, place), _strength(act, record, None))
                else:
                    for node, place, instrument in self._struck_sensors(record.fault):
                        _join(shown, (act.field, node, place), _strength(act, record, instrument))
        self._set_taps(inputs)
        for name, owner in self._nodes.items():
            _set_sensors(
                owner.sensors, {(field, place): value for (field, of, place), value in shown.items() if of == name}
            )

    def _set_taps(self, wanted: Mapping[tuple[str, int], float]) -> None:
        taps = self.state.taps
        places = {place for _, place in wanted}
        for field, value in NEUTRAL[At.INPUT].items():
            taps[field] = value
        for (field, place), value in wanted.items():
            taps[field][0, place] = value
        altered = taps["altered"][0]
        held_anew = {place for field, place in wanted if field == "held"} - set(np.flatnonzero(altered).tolist())
        for place in range(len(altered)):
            if place not in places:
                altered[place] = 0
            elif altered[place] == 0 or place in held_anew:
                altered[place] = ANEW
        taps["acting"] = bool(places)

    def _met(self, fault: PressFault) -> int:
        """What the places of a fault have met so far."""
        taps = self.state.taps["struck"][0]
        total = 0
        for act in CATALOGUE[fault.kind].acts:
            if act.at is At.INPUT:
                total += int(sum(taps[place] for place in _inputs(act, fault)))
        if any(act.at is At.SENSOR for act in CATALOGUE[fault.kind].acts):
            for node, place, _ in self._struck_sensors(fault):
                total += int(self._nodes[node].sensors.state.memory[STRUCK, place])
        return total

    def targets(self, kind: str) -> tuple[str, ...]:
        """Places that a kind of fault can strike on this press; empty where it has none to choose."""
        which = CATALOGUE[kind].targets if kind in CATALOGUE else ""
        if not which:
            return ()
        places = PLACES.get(which)
        return tuple(self._names(which)) if places is None else places.names

    # -- sensors -------------------------------------------------------------------------------------

    def _struck_sensors(self, fault: PressFault) -> Iterator[tuple[str, int, Instrument]]:
        return self._sensors(CATALOGUE[fault.kind].targets, fault.target)

    def _sensors(self, which: str, target: str | None) -> Iterator[tuple[str, int, Instrument]]:
        """Node, place and data of the sensors of a target.

        Raises:
            FaultError: there is none.
        """
        found = list(self._matching(which, target))
        if not found:
            names = self._names(which)
            near = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
            raise FaultError(f"this press has no {which} {target!r}; there are {near}, or {ALL}")
        return iter(found)

    def _names(self, which: str) -> list[str]:
        if which == "node":
            return list(self._nodes)
        return [
            name for node in self._nodes.values() for name in node.sensors.names
            if is_in_set(which, name, node.sensors.names)
        ]  # fmt: skip

    def _matching(self, which: str, target: str | None) -> Iterator[tuple[str, int, Instrument]]:
        for node, owner in self._nodes.items():
            names = owner.sensors.names
            for place, name in enumerate(names):
                wanted = {node} if which == "node" else {name}
                if which == "pair of sensors":
                    wanted |= {partner_of(name, names) or ""}
                if (target == ALL or target in wanted) and is_in_set(which, name, names):
                    yield node, place, _instrument(owner.sensors, place)


def _instrument(sensors: Sensors, place: int) -> Instrument:
    row, name = sensors.rows[place], sensors.names[place]
    partner = partner_of(name, sensors.names)
    return Instrument(
        float(row["low"]),
        float(row["high"]),
        AMBIENT_C if name.endswith("_temperature_c") else 0.0,
        place if partner is None else sensors.place[partner],
    )


def _inputs(act: Act, fault: PressFault) -> Sequence[int]:
    """Places of the press's inputs where an act acts."""
    owner = Commands if act.part in Commands.names() else Disturbances
    part: Any = vars(owner)[act.part]
    assert isinstance(part, Part)
    if act.every is not None:
        return range(part.place, part.place + part.size, act.every)
    places = PLACES.get(CATALOGUE[fault.kind].targets)
    if places is None:
        return range(part.place, part.place + part.size)
    if fault.target == ALL:
        return range(part.place + places.first, part.place + places.first + len(places.names))
    return (part.place + places.first + places.names.index(str(fault.target)),)


def _strength(act: Act, record: PressFaultRecord, instrument: Instrument | None) -> float:
    """What an act makes of its field now."""
    value, neutral = act.value(record.fault.size, instrument), NEUTRAL[act.at][act.field]
    return value if record.level == 1.0 else neutral + record.level * (value - neutral)


def _join(found: dict[Any, float], key: Any, value: float) -> None:
    found[key] = TOGETHER.get(key[0], max)(found[key], value) if key in found else value


def _set_sensors(sensors: Sensors, wanted: Mapping[tuple[str, int], float]) -> None:
    memory = sensors.state.memory
    for place in {*(place for _, place in wanted), *np.flatnonzero(memory[ALTERED]).tolist()}:
        mine = {field: value for (field, at), value in wanted.items() if at == place}
        if mine and memory[ALTERED, place] == 0.0:
            memory[SHOWN_FILTERED, place] = memory[FILTERED, place]
        memory[ALTERED, place] = float(bool(mine))
        for field, row in ROWS.items():
            memory[row, place] = mine.get(field, place if field == "source" else NEUTRAL[At.SENSOR][field])
