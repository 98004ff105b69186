"""An embedded controller as the rig sees it: a board with buttons and a serial console.

What it is and thinks is known from nothing but the lines of text that it says: its state, its alarms, and why it did
not start. It keeps no records of quality: `quality` are those of the observer on its line (`rig.embedded.observer`),
with what the board has let pass as product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rig.controller.api import Inputs, QualityRecord, Value
from rig.controller.machine_facts import load_machine_facts
from rig.embedded.observer import Observer
from rig.errors import UsageError
from rig.recipe import Recipe

if TYPE_CHECKING:
    from rig.bench import Bench
    from rig.controller.runner import Runner
    from rig.virtual import Board, BoardProgram

__all__ = ["EmbeddedController"]

GAVE_UP = ("fault", "emergency_stop")


class EmbeddedController:
    """A board with a program, and what it has said.

    Args:
        program: what is in its flash.
        block: the recipe beside it.
        recipe: the same, for judging what becomes of the sheet.

    Attributes:
        board: the board.
        observer: follows the sheet by what is heard on the line.
        alarms: that it has raised since they were last reset, oldest first.
        lines: all that it has said.
        commanded: what it has written and the press has confirmed, by tag name.
    """

    def __init__(self, program: BoardProgram, block: bytes, recipe: Recipe) -> None:
        from rig.virtual import make_board  # noqa: PLC0415

        self.board: Board = make_board(program, block)
        self.observer = Observer(recipe, load_machine_facts())
        self.alarms: list[str] = []
        self.lines: list[str] = []
        self.commanded: dict[str, Value] = {}
        self.refused = ""
        self._state = ""
        self._heard = ""

    def __deepcopy__(self, memo: dict[int, Any]) -> EmbeddedController:
        """Another board that goes on like this one."""
        other = object.__new__(EmbeddedController)
        other.board = self.board.copy()
        other.observer = self.observer.copy()
        other.alarms, other.lines = self.alarms.copy(), self.lines.copy()
        other.commanded = self.commanded.copy()
        other.refused, other._state, other._heard = self.refused, self._state, self._heard
        return other

    @property
    def state(self) -> str:
        """The state that it has said last."""
        return self._state

    @property
    def message(self) -> str:
        """Why it gave up or did not start, as far as it has said so."""
        if self.refused:
            return f"recipe rejected, CLM-{self.refused}"
        return ", ".join(self.alarms) or ("interlock of the press" if self._state in GAVE_UP else "")

    def quality(self) -> Sequence[QualityRecord]:
        """What became of the sheet, oldest first."""
        return self.observer.records

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        """It cannot be asked what to do: it does it.

        Raises:
            UsageError: always.
        """
        raise UsageError("an embedded controller is the master on the line itself; run it with `runner_for`")

    def make_runner(self, bench: Bench, on_scan: Callable[[Runner], None] | None = None) -> Runner:
        """What runs it on a bench.

        Raises:
            UsageError: the press is not in this process.
        """
        from rig.embedded.runner import EmbeddedRunner  # noqa: PLC0415 - it needs this class

        return EmbeddedRunner(bench, self, on_scan=on_scan)

    def hear(self, text: str) -> list[str]:
        """Take in what it said; returns the lines that are complete with it."""
        *lines, self._heard = (self._heard + text).split("\r\n")
        for line in lines:
            self.lines.append(line)
            match line.split():
                case ["state", name]:
                    self._state = name
                    if name not in ("idle", "cool"):
                        self.refused = ""
                case ["alarm", name]:
                    self.alarms.append(name)
                case ["clear"]:
                    self.alarms.clear()
                case ["refused", claim]:
                    self.refused = claim
        return lines
