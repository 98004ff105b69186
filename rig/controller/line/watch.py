"""Watching the stations: what they say has gone wrong, nodes that are silent, air that has left its set point.

A cause is named and said in words; the controller latches it as an alarm (`rig.controller.supervision.Alarms`), and the
first one since the last reset is the first cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from rig.controller.api import Inputs, Value
from rig.controller.line.names import STATIONS, STATUS, shows

__all__ = ["SILENT_S", "StationWatch"]

SILENT_S: Final = 5.0
"""Nothing new from a station for so long: its node goes to its safe values at ten seconds."""
DEVIATION_NS: Final = 120 * 1_000_000_000
"""So long may air be away from its set point while film is made."""
HELD: Final = {
    "stretcher_zone_1_air": 5.0,
    "stretcher_zone_2_air": 5.0,
    "stretcher_zone_3_air": 5.0,
    "stretcher_draw_air": 5.0,
    "heat_setter_air": 5.0,
    "desolvator_dryer_air": 15.0,
    "kneader_barrel": 15.0,
}
"""Temperatures that are held, by the first part of their tags, and how far off is a fault, K."""
SAYS: Final = {
    "kneader": {
        "overloaded": "the extruder's coupling has let go: too much torque",
        "burst": "the burst disc of the die has gone: too much pressure",
    },
    "desolvator": {"vapour_trip": "too much vapour in the dryer: its interlock has stopped dryer and web"},
}
"""Status bits that are faults whatever the line is doing."""
STORE_WEB: Final = {"caster": {"web_break": "the web before the press is broken"}}
TAIL_WEB: Final = {"tail": {"web_break": "the web behind the press is broken"}}
STRETCHED: Final = {
    "tail": {"torn": "the sheet has torn in the stretcher", "sagged": "the sheet has sagged in the stretcher"}
}


@dataclass(slots=True)
class StationWatch:
    """What supervision of the stations remembers.

    Attributes:
        off_ns: since when a temperature is away from its set point, by the first part of its tags.
        clocks_ms: the last clock of each station.
        seen_ns: when it has looked last.
        since_ns: since when somebody looks again and again; what is older is nobody's silence.
    """

    off_ns: dict[str, int] = field(default_factory=dict)
    clocks_ms: dict[str, float] = field(default_factory=dict)
    seen_ns: int = -1
    since_ns: int = -1

    def causes(
        self,
        inputs: Inputs,
        now_ns: int,
        commanded: Mapping[str, Value],
        *,
        store_web: bool,
        tail_web: bool,
        tail_runs: bool,
        makes_film: bool,
    ) -> Iterator[tuple[str, str]]:
        """What is wrong now: name and words.

        Args:
            inputs: of this scan.
            now_ns: bench time.
            commanded: set points.
            store_web: there has to be a web before the press.
            tail_web: there has to be one in the loop behind it.
            tail_runs: sheet goes through the stations behind it.
            makes_film: temperatures have to be held.
        """
        values = inputs.values
        yield from self._silent(inputs, now_ns)
        wanted = ((True, SAYS), (tail_runs, STRETCHED), (store_web, STORE_WEB), (tail_web, TAIL_WEB))
        for station, bits in (pair for matters, table in wanted if matters for pair in table.items()):
            word = values.get(STATUS[station])
            for bit, words in bits.items():
                if shows(word, bit):
                    yield bit if bit != "web_break" else f"{station}_web_break", words
        yield from self._restarted(values)
        yield from self._away(values, now_ns, commanded, makes_film=makes_film)

    def _silent(self, inputs: Inputs, now_ns: int) -> Iterator[tuple[str, str]]:
        if self.seen_ns < 0 or (now_ns - self.seen_ns) * 1e-9 > SILENT_S:
            self.since_ns = now_ns
        self.seen_ns = now_ns
        for station in STATIONS:
            age_s = min(inputs.age_s(STATUS[station], now_ns), (now_ns - self.since_ns) * 1e-9)
            if age_s > SILENT_S:
                yield f"{station}_silent", f"nothing from the {station} for {age_s:.0f} s"
            elif shows(inputs.values.get(STATUS[station]), "comms_lost"):
                yield (
                    f"{station}_comms_lost",
                    f"the {station} has heard nobody for too long, and went to its safe values",
                )

    def _restarted(self, values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
        for station in STATIONS:
            clock_ms = values.get(f"{station}_sample_time_ms")
            if not isinstance(clock_ms, (int, float)):
                continue
            if clock_ms < self.clocks_ms.get(station, 0.0):
                yield f"{station}_restarted", f"the {station} has started anew and forgotten what it was told"
            self.clocks_ms[station] = clock_ms

    def _away(
        self, values: Mapping[str, Value], now_ns: int, commanded: Mapping[str, Value], *, makes_film: bool
    ) -> Iterator[tuple[str, str]]:
        for name, most_k in HELD.items():
            shown, wanted = values.get(f"{name}_temperature_c"), commanded.get(f"{name}_setpoint_c")
            if not makes_film or not isinstance(shown, (int, float)) or not isinstance(wanted, (int, float)):
                self.off_ns.pop(name, None)
                continue
            away_k = shown - wanted
            if abs(away_k) <= most_k:
                self.off_ns.pop(name, None)
            elif now_ns - self.off_ns.setdefault(name, now_ns) > DEVIATION_NS:
                yield f"{name}_deviation", f"{name}_temperature_c is {shown:.0f} °C, {away_k:+.0f} K off its set point"
