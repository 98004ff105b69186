"""Runs a controller over a bench: poll, scan, write, record, ten times a second.

The runner trusts nobody. A controller that raises, answers nonsense or never returns ends the run
with a `ControllerError` that says what it did; whatever ends the run, the press is commanded to its
safe state first. A poll that fails leaves the inputs as they were, with their age, and so does one that is older than
it looks (`rig.node_clock`); a missed deadline is an event in the recording. While the port is away the controller goes
on without new inputs, and the port is opened again as soon as it is back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import compress, repeat
from operator import ne
from types import TracebackType
from typing import TYPE_CHECKING, cast

from rig.bench import ASIDE_SHARE_NS
from rig.clock import SECOND_NS, ScanTimeout, ScanWatchdog
from rig.controller.api import OPERATOR_REQUESTS, Controller, Inputs, SetsSchedule, Value
from rig.errors import BusError, ControllerError, PortError, UsageError, WriteRefused
from rig.protocol.registers import TagValueError
from rig.schedule import PollSchedule

if TYPE_CHECKING:
    from rig.bench import Bench

__all__ = ["SCAN_PERIOD_NS", "Runner", "runner_for"]

SCAN_PERIOD_NS = SECOND_NS // 10
"""Scan period of the runner: 10 Hz."""
REFRESH_EVERY_SCANS = 10
"""Commands are written again this often, so that a node that lost them (power dip) gets them back."""
NEVER = object()
"""Unlike every value."""
GAVE_UP = ("fault", "emergency_stop")
"""States in which a controller waits for a person."""
LONGEST_SILENCE_SCANS = 50
"""So many failed polls in a row (5 s) end the run: the press is on its own watchdog by then."""
LONGEST_ABSENCE_NS = 20 * SECOND_NS
"""A port that went away (an adapter that was pulled) is opened again for so long before the run ends."""
POLL_SHARE_NS = 60_000_000
"""A poll may take so much of a scan of the usual period before it is given up; the next scan asks again."""
REFRESH_SHARE_NS = 30_000_000
"""Writing commands again may take so much of a scan; on a line that needs longer it is spread over several."""
FIRST_RETRY_NS = SECOND_NS // 5
LONGEST_RETRY_NS = 2 * SECOND_NS


class Runner:
    """Drives one controller on one bench.

    Args:
        bench: the opened press.
        controller: anything with a `scan`.
        period_ns: of the scans. Longer ones make a long virtual run cheap, at the price of a controller that sees and
            acts less often; what it wants polled is polled as often per second as before, as far as there are scans.
        scan_limit_s: wall-clock seconds that one scan may take before it counts as never returning.
        on_scan: called after every scan with the runner, for live lines.

    Use it as a context manager: on the way out, whatever the reason, the press is commanded safe.
    """

    def __init__(
        self,
        bench: Bench,
        controller: Controller,
        *,
        period_ns: int = SCAN_PERIOD_NS,
        scan_limit_s: float = 5.0,
        on_scan: Callable[[Runner], None] | None = None,
    ) -> None:
        self.bench = bench
        self.controller = controller
        self.period_ns = period_ns
        bench.aside_share_ns = ASIDE_SHARE_NS * period_ns // SCAN_PERIOD_NS
        self.scans = 0
        self.missed_deadlines = 0
        self.failed_polls = 0
        self.commanded: dict[str, Value] = {}
        self.inputs = Inputs({}, bench.clock.now_ns)
        if isinstance(controller, SetsSchedule):
            self._set_schedule(controller.poll_schedule)
        self._scan_limit_s = scan_limit_s
        self._watchdog = ScanWatchdog(scan_limit_s)
        self._on_scan = on_scan
        self._requests: set[str] = set()
        self._slices: list[list[str]] = []
        self._write_trouble = ""
        self._silent_scans = 0
        self._next_ns = bench.clock.now_ns
        self._last_state = ""
        self._restarts = bench.known().restarts
        self._lost: PortError | None = None
        self._still_away = ""
        self._lost_ns = self._retry_ns = self._retry_after_ns = 0

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.bench.safe_state()

    @property
    def state(self) -> str:
        """The controller's state, or an empty text if it does not report one."""
        return str(getattr(self.controller, "state", ""))

    def request(self, *requests: str) -> None:
        """Press buttons on the operator's panel; the next scan sees them.

        Raises:
            UsageError: not a request that the panel has.
        """
        for request in requests:
            if request not in OPERATOR_REQUESTS:
                raise UsageError(f"the panel has no {request!r}; it has {', '.join(OPERATOR_REQUESTS)}")
            self._requests.add(request)
            self.bench.record_event("operator", request)

    def run_for(self, seconds: float) -> None:
        """Run scans for `seconds` of press time."""
        with self._watchdog:
            for _ in range(round(seconds * SECOND_NS / self.period_ns)):
                self.step()

    def run_until(self, condition: Callable[[], bool], *, within_s: float, what: str = "") -> None:
        """Run scans until `condition` holds.

        Raises:
            AssertionError: it did not within `within_s` of press time; says what the controller was doing.
        """
        with self._watchdog:
            for _ in range(round(within_s * SECOND_NS / self.period_ns)):
                if condition():
                    return
                self.step()
        if not condition():
            wanted = what or getattr(condition, "__name__", "the condition")
            raise AssertionError(
                f"{wanted} did not come within {within_s:g} s; the controller is in state {self.state!r}{self.said()}"
            )

    def run_until_state(self, *states: str, within_s: float) -> None:
        """Run scans until the controller is in one of `states`.

        Raises:
            AssertionError: it did not come in time, or the controller gave up before.
        """
        wanted = " or ".join(states)

        def there() -> bool:
            if self.state in GAVE_UP and self.state not in states:
                raise AssertionError(f"instead of state {wanted} came {self.state}{self.said() or ': no reason given'}")
            return self.state in states

        self.run_until(there, within_s=within_s, what=f"state {wanted}")

    def said(self) -> str:
        """`: ` and what the controller has to say about itself, where it says something."""
        message = getattr(self.controller, "message", "")
        return f": {message}" if message else ""

    def step(self) -> None:
        """One scan: wait for its time, poll, decide, write.

        Raises:
            ControllerError: the controller raised, answered nonsense or did not return.
            BusError: no poll succeeded for 5 s.
            PortError: the port went away and did not come back within 20 s.
        """
        clock = self.bench.clock
        late_ns = clock.sleep_until(self._next_ns)
        if late_ns > self.period_ns:
            missed = late_ns // self.period_ns
            self.missed_deadlines += missed
            self.bench.record_event("deadline", f"{missed} scan(s) missed, {late_ns / 1e6:.0f} ms late")
            self._next_ns += missed * self.period_ns
        self._next_ns += self.period_ns
        self._poll()
        outputs = self._decide(clock.now_ns)
        if self._lost is None:
            self._write(outputs)
        self.scans += 1
        state = self.state
        if state != self._last_state:
            self._last_state = state
            self.bench.record_event("state", state)
        if self._on_scan is not None:
            self._on_scan(self)

    def _poll(self) -> None:
        requests = frozenset(self._requests)
        self._requests.clear()
        try:
            if self._lost is not None:
                self._find_port(self._lost)
            self.bench.poll(self.bench.clock.now_ns + self._poll_share_ns())
        except PortError as error:
            self._lose_port(error)
        except BusError as error:
            self.failed_polls += 1
            self._silent_scans += 1
            self.bench.record_event("bus", str(error))
            if self._silent_scans >= LONGEST_SILENCE_SCANS:
                raise
        else:
            self._silent_scans = 0
        self._look(requests)

    def _poll_share_ns(self) -> int:
        """Time of the scan that a poll may take; the first takes the time that everything takes, with some to spare."""
        share_ns = POLL_SHARE_NS * self.period_ns // SCAN_PERIOD_NS
        return share_ns if self.inputs.values else max(share_ns, 2 * self.bench.polling.whole_ns)

    def _look(self, requests: frozenset[str]) -> None:
        """What the controller sees; a node that has started anew gets all commands again."""
        known = self.bench.known()
        if known.restarts != self._restarts:
            self._restarts = known.restarts
            self.bench.record_event("node", "started anew")
            self.bench.forget_written()
            self.commanded.clear()
        # before the first poll there is nothing to be old
        time_ns = known.time_ns if known.values else self.inputs.time_ns
        self.inputs = Inputs(known.values, time_ns, requests, known.times_ns)

    def _set_schedule(self, schedule: PollSchedule) -> None:
        """Poll as the controller wants, who counts in scans of the usual period.

        Raises:
            ControllerError: it wants what cannot be.
        """
        try:
            schedule.check(self.bench.registers)
            every = {group: max(scans * SCAN_PERIOD_NS // self.period_ns, 1) for group, scans in schedule.every.items()}
            self.bench.schedule = PollSchedule(every, schedule.spare)
        except (UsageError, AttributeError) as error:
            raise ControllerError(f"controller {type(self.controller).__name__}: {error}") from error

    def _lose_port(self, error: PortError) -> None:
        """The port is away; when to look for it again.

        Raises:
            PortError: it has been away for too long.
        """
        now_ns = self.bench.clock.now_ns
        if error is not self._lost:
            self._still_away = str(error)  # what the last look for it has found
        if self._lost is None:
            self._lost, self._lost_ns, self._retry_after_ns = error, now_ns, FIRST_RETRY_NS
            self.bench.record_event("port", str(error))
        elif now_ns - self._lost_ns >= LONGEST_ABSENCE_NS:
            raise PortError(
                f"{self._lost}, and it did not come back within {LONGEST_ABSENCE_NS // SECOND_NS} s: {self._still_away}"
            )
        elif now_ns >= self._retry_ns:
            self._retry_after_ns = min(2 * self._retry_after_ns, LONGEST_RETRY_NS)
        else:
            return
        self._retry_ns = now_ns + self._retry_after_ns

    def _find_port(self, lost: PortError) -> None:
        """Open the port again where it is time to.

        Raises:
            PortError: it is still away, or was not looked for.
            BusError: it is back, and no press answers on it yet.
        """
        if self.bench.clock.now_ns < self._retry_ns:
            raise lost
        try:
            self.bench.reopen()
        except BusError as error:
            raise PortError(str(error)) from error
        away_s = (self.bench.clock.now_ns - self._lost_ns) / SECOND_NS
        self.bench.record_event("port", f"back after {away_s:.1f} s")
        self._lost = None
        self.commanded.clear()

    def _decide(self, now_ns: int) -> Mapping[str, Value]:
        name = type(self.controller).__name__
        try:
            with self._watchdog:
                self._watchdog.scan = self.scans + 1
                outputs = self.controller.scan(self.inputs, now_ns)
        except ScanTimeout:
            raise ControllerError(
                f"controller {name} did not return from scan {self.scans} within {self._scan_limit_s:g} s; "
                "a scan must not wait or loop for ever"
            ) from None
        except Exception as error:
            where = _innermost(error)
            raise ControllerError(
                f"controller {name} raised {type(error).__name__} in scan {self.scans}{where}: {error}"
            ) from error
        finally:
            self._watchdog.scan = 0
        if not isinstance(outputs, Mapping):
            raise ControllerError(
                f"controller {name} returned {type(outputs).__name__} from scan {self.scans}; "
                "it must return a mapping of writable tags to values"
            )
        return outputs

    def _check(self, changed: Mapping[str, Value]) -> None:
        """Say what is wrong with what the controller commanded.

        Raises:
            ControllerError: something is.
        """
        name = type(self.controller).__name__
        for key, value in changed.items():
            tag = self.bench.registers.tags.get(key) if isinstance(key, str) else None
            if tag is None:
                raise ControllerError(
                    f"controller {name} commanded in scan {self.scans}: {self.bench.registers.explain_unknown(key)}"
                )
            if not tag.writable:
                raise ControllerError(
                    f"controller {name} commanded {key} in scan {self.scans}: it is sensed by the press and cannot be "
                    "written"
                )
            if isinstance(value, float) and math.isnan(value):
                raise ControllerError(f"controller {name} commanded {key} = NaN in scan {self.scans}")
            try:
                tag.check(value)
            except TagValueError as error:
                raise ControllerError(f"controller {name} commanded in scan {self.scans}: {error}") from error

    def _write(self, outputs: Mapping[str, Value]) -> None:
        known = map(self.commanded.get, outputs, repeat(NEVER))
        changed = dict(compress(outputs.items(), map(ne, outputs.values(), known)))
        due = {**self._refreshed(), **changed}
        if not due:
            return
        try:
            self.bench.write(due, until_ns=self._next_ns)
        except (UsageError, WriteRefused):
            # the envelope has kept all of it from the press; was it the controller's fault?
            self._check(changed)
            raise
        except PortError as error:
            self._lose_port(error)
        except BusError as error:
            # what no node has taken does not count as commanded: the next scan writes it again
            if str(error) != self._write_trouble:  # else it goes on, scan by scan
                self._write_trouble = str(error)
                self.bench.record_event("bus", str(error))
            held, tags = self.bench.client.held(), self.bench.registers.tags
            for key, value in due.items():
                if tags[key] in held:
                    self.commanded[key] = value
                else:
                    self.commanded.pop(key, None)
        else:
            self._write_trouble = ""
            self.commanded.update(due)

    def _refreshed(self) -> Mapping[str, Value]:
        """What of the commands is written again in this scan: all at once, or on a slow line slice by slice."""
        place, commanded = self.scans % REFRESH_EVERY_SCANS, self.commanded
        if place == 0:
            again = self._again()
            self._slices = self._sliced(again)
            if len(self._slices) == 1:
                return again
        if place >= len(self._slices):
            return {}
        return {name: commanded[name] for name in self._slices[place] if name in commanded}

    def _again(self) -> Mapping[str, Value]:
        """Commands to be written again in this round: all, but of the nodes that are polled aside one by turns."""
        aside, commanded = self.bench.aside, self.commanded
        if aside is None:
            return commanded
        turn = aside.nodes[self.scans // REFRESH_EVERY_SCANS % len(aside.nodes)]
        tags, others = self.bench.registers.tags, set(aside.nodes) - {turn}
        return {name: value for name, value in commanded.items() if tags[name].node not in others}

    def _sliced(self, commanded: Mapping[str, Value]) -> list[list[str]]:
        """The commands as slices of neighbours, so few that each fits into its share of a scan."""
        registers = self.bench.registers
        # a request and its answer have 17 bytes beside the data; a node has registers and coils
        nodes = {registers[name].node for name in commanded}
        line_ns = self.bench.master.timing.frame_ns(2 * len(commanded) + 2 * 17 * len(nodes))
        count = min(-(-line_ns // REFRESH_SHARE_NS), REFRESH_EVERY_SCANS)
        if count <= 1 or not commanded:
            return [[]]
        tags = sorted(map(registers.__getitem__, commanded), key=lambda tag: (tag.node, tag.table, tag.address))
        size = -(-len(tags) // count)
        return [[tag.name for tag in tags[start : start + size]] for start in range(0, len(tags), size)]


def runner_for(bench: Bench, controller: Controller, on_scan: Callable[[Runner], None] | None = None) -> Runner:
    """What runs a controller on a bench: a `Runner`, or what the controller brings along (`make_runner`).

    Raises:
        UsageError: this controller cannot be run on this bench.
    """
    own = getattr(controller, "make_runner", None)
    return Runner(bench, controller, on_scan=on_scan) if own is None else cast("Runner", own(bench, on_scan))


def _innermost(error: BaseException) -> str:
    """Where the controller's own code raised, as ` (file:line)`."""
    traceback = error.__traceback__
    last = ""
    while traceback is not None:
        code = traceback.tb_frame.f_code
        last = f" ({code.co_filename}:{traceback.tb_lineno})"
        traceback = traceback.tb_next
    return last
