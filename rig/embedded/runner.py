"""Runs an embedded controller on the virtual line, and listens.

The board is the only master: the rig neither polls nor writes. Everything that is recorded and judged was overheard on
the line, with the time at which its last byte was there; what the press was commanded is what the press has confirmed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rig.controller.api import Inputs
from rig.controller.runner import SCAN_PERIOD_NS, Runner
from rig.embedded.overheard import Overheard
from rig.errors import ControllerError, UsageError
from rig.protocol.blocks import Block, Decoded

if TYPE_CHECKING:
    from rig.bench import Bench
    from rig.embedded.controller import EmbeddedController

__all__ = ["EmbeddedRunner"]

SWITCH: Final = {"hold": True, "resume": False}
"""Requests that turn the switch instead of pressing a button."""


class EmbeddedRunner(Runner):
    """Lets a board and the press of a bench run together.

    Args:
        bench: an opened virtual press.
        controller: the board.
        on_scan: called after every cycle with the runner.

    Raises:
        UsageError: the press is not in this process: there its time would not be the board's.
    """

    controller: EmbeddedController

    def __init__(
        self, bench: Bench, controller: EmbeddedController, *, on_scan: Callable[[Runner], None] | None = None
    ) -> None:
        if not bench.can.jump_in_time:
            raise UsageError(
                f"an embedded controller runs in lockstep with a virtual press in this process, emu://, and not on "
                f"{bench.url}: there its program has to run on a board of its own (firmware_stubs/README.md)"
            )
        super().__init__(bench, controller, on_scan=on_scan)
        self._pressed: set[str] = set()
        self._is_held = False
        self._has_polled = False
        self._polled = frozenset(tag.name for tag in bench.registers.polled)
        self._overheard = Overheard(bench.registers, self._read, self._written)
        record = bench.recorder.frame if bench.recorder is not None else None

        def tap(start_ns: int, end_ns: int, direction: str, data: bytes, comment: str) -> None:
            if record is not None:
                record(start_ns, end_ns, direction, data, comment)  # type: ignore[arg-type]  # one of three words
            self._overheard.frame(end_ns, direction, data)

        bench.virtual.world.bus.on_frame = tap
        self.commanded = controller.commanded

    def step(self) -> None:
        """One cycle of the board.

        Raises:
            ControllerError: its program failed or hangs; says where.
        """
        bench = self.bench
        # whoever else has let time pass meanwhile, the board stood still
        end_ns = max(self._next_ns, bench.clock.now_ns) + SCAN_PERIOD_NS
        self._next_ns = end_ns
        self._press_buttons()
        self._has_polled, requests = False, self._overheard.requests
        try:
            said = self.controller.board.run_until(bench.virtual.world, end_ns)
        except RuntimeError as error:
            raise ControllerError(f"embedded controller: {error}") from error
        for line in self.controller.hear(said):
            self._note(line)
        self.scans += 1
        if not self._has_polled and self.scans > 1:  # the first cycle is power-on
            self.failed_polls += 1
            self._complain(silent=self._overheard.requests == requests)
        if self._on_scan is not None:
            self._on_scan(self)

    def _complain(self, *, silent: bool) -> None:
        if silent:
            self.missed_deadlines += 1
            self.bench.record_event("deadline", "the board has asked nothing for a cycle")
        else:
            self.bench.record_event("bus", "the board has had no answer in this cycle")

    def _press_buttons(self) -> None:
        """A button is held for one cycle, and then let go for one; those that are still held come later."""
        requests, self._requests = self._requests, set()
        for request, is_held in SWITCH.items():
            if request in requests:
                requests.remove(request)
                self._is_held = is_held
        self._requests = requests & self._pressed
        self._pressed = requests - self._pressed
        self.controller.board.press(self._pressed | ({"hold"} if self._is_held else set()))

    def _note(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "state":
            if rest == "preheat":
                self.controller.observer.begin()
            self.bench.record_event("state", rest)
        else:
            self.bench.record_event("controller", line)

    # -- what is heard --------------------------------------------------------------------------------

    def _read(self, time_ns: int, block: Block, decoded: Decoded) -> None:
        bench = self.bench
        values = {**self.inputs.values, **decoded.values}
        self.inputs = Inputs(values, time_ns)
        if self._polled.isdisjoint(decoded.values):
            return  # who the node is, or what it was told
        self._has_polled = True
        if bench.recorder is not None:  # whether one request asks for everything or several do is the board's business
            bench.recorder.hold(bench.recorder.places(block.numeric), decoded.numbers)
            bench.recorder.sensed(time_ns, (), ())
            bench.virtual.vector(bench.recorder.truth_row(time_ns))
        ships = self.commanded.get("scrap_divert") is False
        self.controller.observer.see(values, time_ns, ships=ships)

    def _written(self, time_ns: int, block: Block, decoded: Decoded) -> None:
        known = self.commanded
        news = {name: value for name, value in decoded.values.items() if known.get(name) != value}
        known.update(news)
        self.bench.note_commanded(news)
