"""The terminal during a HIL run: a live line for the test that runs, one finished line per test.

Takes the place of pytest's own reporter. On a terminal the live line is rewritten a few times per
second with virtual time, speed factor and the state of the press; in a log file there are only
finished lines. Failures are shown at the end, as pytest tells them.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.text import Text

from rig.clock import wall_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from rig.controller.runner import Runner
    from rig.report.summary import TestResult

__all__ = ["HilReporter", "clock_text"]

REFRESH_S = 0.2
MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "error": ("✗", "bold red"),
    "skipped": ("-", "yellow"),
    "xfailed": ("x", "yellow"),
    "xpassed": ("x", "yellow"),
}
ERASE = "\r\x1b[2K"


def clock_text(seconds: float) -> str:
    """Press time as `1:02:03`."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


class _PatientConsole(Console):
    """A console whose reader may go away (`| head`): the run goes on, silently."""

    def on_broken_pipe(self) -> None:
        """Write to nobody from here on."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


class HilReporter:
    """Hooks of pytest that show how a run goes.

    Args:
        words_of: turns a test's name into words.
        console: where to write; standard output if not given.
    """

    def __init__(self, words_of: Callable[[str], str], console: Console | None = None) -> None:
        # while a test runs, pytest has its own sys.stdout; the live line goes to the real one
        self._console = console or _PatientConsole(file=sys.__stdout__, highlight=False)
        self._words_of = words_of
        self._title = ""
        self._started_s = 0.0
        self._started_ns: int | None = None
        self._drawn_s = 0.0
        self._failures: list[tuple[str, str]] = []
        self._outcomes: list[str] = []

    # -- pytest's hooks -------------------------------------------------------------------------------

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file of tests that cannot be read is a failure of its own."""
        if report.failed:
            self._outcomes.append("error")
            self._failures.append((f"collecting {report.nodeid}", report.longreprtext))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Say how much is ahead."""
        count = len(session.items)
        self._console.print(f"{count} test{'s' if count != 1 else ''}", style="dim")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self._title = self._words_of(nodeid.rsplit("::", maxsplit=1)[-1])
        self._started_s = wall_s()
        self._started_ns = None
        self._draw("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what went wrong for the end."""
        if report.failed:
            self._failures.append((self._words_of(report.nodeid.split("::")[-1]), report.longreprtext))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C: the presses are left safe on the way out."""
        self._erase()
        if isinstance(excinfo.value, pytest.Session.Interrupted):
            return  # pytest itself, as it could not read the tests: told elsewhere
        self._console.print("interrupted; the press is commanded safe", style="yellow")

    def pytest_sessionfinish(self) -> None:
        """Show the failures, then one plain line that people and CI read."""
        self._erase()
        for title, text in self._failures:
            self._console.rule(Text(title, style="bold red"), style="red")
            # as pytest wrote it: rich would make an emoji of the `:100:` behind a file's name
            self._console.print(text, markup=False, emoji=False, soft_wrap=True)
        passed, skipped = self._outcomes.count("passed"), self._outcomes.count("skipped")
        failed = len(self._outcomes) - passed - skipped
        self._console.print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))

    # -- ours -----------------------------------------------------------------------------------------

    def live(self, runner: Runner) -> None:
        """Refresh the live line; called after every scan."""
        if not self._console.is_terminal:
            return
        now_s = wall_s()
        if now_s - self._drawn_s < REFRESH_S:
            return
        now_ns = runner.bench.clock.now_ns
        if self._started_ns is None:
            self._started_ns = now_ns
        virtual_s = (now_ns - self._started_ns) * 1e-9
        factor = virtual_s / max(now_s - self._started_s, 1e-3)
        mode = runner.inputs.values.get("mode", "")
        self._draw(f"{clock_text(virtual_s)}  ×{factor:.0f}  {runner.state or mode}")

    def tell(self, text: str) -> None:
        """Refresh the live line with something that is not about one runner."""
        if wall_s() - self._drawn_s >= REFRESH_S:
            self._draw(text)

    def finished(self, result: TestResult) -> None:
        """The finished line of a test."""
        self._outcomes.append(result.outcome)
        mark, style = MARKS[result.outcome]
        line = Text("  ").append(mark, style=style).append(f" {result.title}")
        if result.virtual_s > 0.0:
            factor = result.virtual_s / max(result.wall_s, 1e-3)
            line.append(f"  {clock_text(result.virtual_s)} ×{factor:.0f}", style="dim")
        if result.outcome == "skipped":
            line.append(f"  {result.reason}", style="yellow")
        self._erase()
        self._console.print(line, soft_wrap=True)

    def _draw(self, text: str) -> None:
        if not self._console.is_terminal:
            return
        self._drawn_s = wall_s()
        self._erase()
        room = max(self._console.width - len(text) - 8, 10)
        title = self._title if len(self._title) <= room else self._title[: room - 1] + "…"
        self._console.print(Text(f"  … {title}  ").append(text, style="cyan"), end="", soft_wrap=True)

    def _erase(self) -> None:
        if self._console.is_terminal:
            self._console.file.write(ERASE)
            self._console.file.flush()
