"""The safety envelope: what may be written to a press, and how to leave it.

A virtual press takes any write that its register map allows. Everything else counts as real: writes
are refused until the bench is armed, and stay inside the safe ranges of the register map even then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rig.errors import NotArmed, OutsideSafeRange, UsageError
from rig.protocol.registers import RegisterMap, Tag, TagValueError, Value

__all__ = ["Envelope"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Judges writes before they reach the wire.

    Attributes:
        registers: the register map with limits and safe ranges.
        identity: what the press says it is (`virtual`, `real`, `unknown(…)`).
        armed: writes to a press that is not virtual were allowed on purpose.
    """

    registers: RegisterMap
    identity: str
    armed: bool

    @property
    def virtual(self) -> bool:
        """True only for a press that says on the wire that it is virtual."""
        return self.identity == "virtual"

    def check(self, values: Mapping[str, Value]) -> dict[Tag, Value]:
        """The tags to write, if all of `values` may be written.

        Raises:
            UnknownTag: a name that the map does not have.
            UsageError: a tag that cannot be written, or a value that it cannot hold.
            NotArmed: not a virtual press, and not armed.
            OutsideSafeRange: armed, but outside the tag's safe range.
        """
        checked: dict[Tag, Value] = {}
        tags, real = self.registers.tags, not self.virtual
        for name, value in values.items():
            tag = tags.get(name)
            if tag is None:
                raise UsageError(self.registers.explain_unknown(name))
            if not tag.writable:
                raise UsageError(f"{name} is sensed by the press and cannot be written")
            try:
                tag.check(value)
            except TagValueError as error:
                raise UsageError(str(error)) from error
            if real:
                self._check_real(tag, value)
            checked[tag] = value
        return checked

    def _check_real(self, tag: Tag, value: Value) -> None:
        if not self.armed:
            raise NotArmed(
                f"write of {tag.name} refused: the press says it is {self.identity!r}, not virtual, and the bench is "
                "not armed. Clear the machine, then arm the bench (--arm, or open_press(…, armed=True))"
            )
        if tag.safe_range is None or isinstance(value, (str, frozenset)):
            return
        low, high = tag.safe_range
        if not low <= value <= high:
            raise OutsideSafeRange(
                f"write of {tag.name} = {value:g} {tag.unit} refused: outside its safe range "
                f"{low:g} … {high:g} {tag.unit} (registers.toml)"
            )

    def safe_state(self) -> Mapping[str, Value]:
        """The writes that bring the press to its safe state; always allowed."""
        return self.registers.safe_state
