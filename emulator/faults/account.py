"""The account of what was injected: whether it showed where it did not come from, and left nothing behind.

The rule is that every fault shows up somewhere that did not inject it: a reading that came out otherwise, an input that
arrived otherwise, a frame that was struck, something that a receiver met on the line. A run in which one did not is
void, and so is one in which a fault that ended still acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emulator.faults.state import PressFaultRecord
from emulator.wire.faults import TIMED, ActiveFault
from emulator.wire.frames import BusState

__all__ = ["FaultAccount", "account_of"]

SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FaultAccount:
    """What has become of one fault.

    Attributes:
        number: of the injection.
        kind: name in the catalogue, or of a fault of the wire.
        target: place that it strikes; `unit 11` on the wire; empty where it has none.
        begun_s: press time from which it acted, s; None if it has not begun yet.
        ended_s: when it was over; None as long as it stands.
        evidence: how often it showed: readings and inputs that came out otherwise, frames struck, things met on a line.
        cleared: it left nothing behind; None as long as it stands or nobody can tell.
    """

    number: int
    kind: str
    target: str
    begun_s: float | None
    ended_s: float | None
    evidence: int
    cleared: bool | None

    @property
    def confirmed(self) -> bool:
        """It showed somewhere that did not inject it."""
        return self.evidence > 0

    @property
    def voids(self) -> bool:
        """A run with this fault in it counts for nothing."""
        return (self.begun_s is not None and not self.confirmed) or self.cleared is False

    @property
    def as_text(self) -> str:
        """One line for people."""
        where = f" of {self.target}" if self.target else ""
        if self.begun_s is None:
            return f"fault {self.number}, {self.kind}{where}: has not begun"
        shown = f"showed {self.evidence} times" if self.confirmed else "never showed"
        left = "; it is over and still acts" if self.cleared is False else ""
        return f"fault {self.number}, {self.kind}{where}, from {self.begun_s:.1f} s: {shown}{left}"


def account_of(records: Sequence[PressFaultRecord], bus: BusState) -> list[FaultAccount]:
    """Of the press's faults and those of the line, by number."""
    standing = {(record.fault.kind, record.fault.target) for record in records if record.ended_ns is None}
    accounts = [_of_press(record, (record.fault.kind, record.fault.target) in standing) for record in records]
    accounts += [_of_line(active, bus) for active in (*bus.over, *bus.faults)]
    return sorted(accounts, key=lambda account: account.number)


def _of_press(record: PressFaultRecord, again: bool) -> FaultAccount:
    cleared = None
    if record.ended_ns is not None and record.struck_after is not None and not again:
        cleared = record.struck_after == record.struck
    return FaultAccount(
        record.number,
        record.fault.kind,
        record.fault.target or "",
        record.from_ns / SECOND_NS if record.begun else None,
        None if record.ended_ns is None else record.ended_ns / SECOND_NS,
        record.struck,
        cleared,
    )


def _of_line(active: ActiveFault, bus: BusState) -> FaultAccount:
    fault, over = active.fault, active.ended_ns is not None
    evidence, begun = active.struck, active.struck > 0 or active.acting
    if fault.kind in TIMED and active.acting:
        evidence = active.met if over else bus.counters.trouble - active.met
    return FaultAccount(
        active.number,
        fault.kind,
        "" if fault.unit is None else f"unit {fault.unit}",
        active.from_ns / SECOND_NS if begun or (over and fault.kind not in TIMED) else None,
        None if active.ended_ns is None else active.ended_ns / SECOND_NS,
        evidence,
        _is_gone(fault.kind, bus) if over and begun else None,
    )


def _is_gone(kind: str, bus: BusState) -> bool | None:
    """Whether the line shows nothing of a kind of fault any more; None if another one of the kind acts."""
    if any(active.fault.kind == kind and active.acting for active in bus.faults):
        return None
    if kind == "unplugged":
        return bus.plugged
    if kind == "other_baud":
        return bus.nodes_baud == 0
    if kind == "other_parity":
        return not bus.nodes_parity
    if kind == "break":
        return bus.break_ns is None or bus.master_breaks
    return True
