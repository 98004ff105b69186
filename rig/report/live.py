"""The terminal during a HIL run: a live line for the test that runs, one finished line per test.

Replaces pytest's own reporter. On a terminal the live line is rewritten a few times per second with
virtual time, speed factor and the state of the press; in a log file there are only finished lines.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from _pytest.terminal import TerminalReporter

from rig.clock import wall_s

if TYPE_CHECKING:
    from rig.controller.runner import Runner
    from rig.report.summary import TestResult

__all__ = ["HilReporter", "clock_text"]

REFRESH_S = 0.2
MARKS = {
    "passed": ("✓", {"green": True}),
    "failed": ("✗", {"red": True, "bold": True}),
    "error": ("✗", {"red": True, "bold": True}),
    "skipped": ("-", {"yellow": True}),
    "xfailed": ("x", {"yellow": True}),
    "xpassed": ("x", {"yellow": True}),
}


def clock_text(seconds: float) -> str:
    """Press time as `1:02:03`."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


class HilReporter(TerminalReporter):
    """pytest's reporter with other lines; failures and errors are shown as pytest shows them."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config, sys.stdout)
        self._title = ""
        self._started_s = 0.0
        self._started_ns: int | None = None
        self._drawn_s = 0.0
        self._live = self._tw.hasmarkup

    # -- pytest's lines that this run does without ---------------------------------------------------

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """No header: `press-rig hil` has said what runs."""
        self._session = session
        self._session_start_s = wall_s()

    def pytest_collection(self) -> None:
        """Collecting takes no time worth a line."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Say how much is ahead."""
        self._total = len(session.items)
        self.write_line(f"{self._total} tests")

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """A test begins."""
        from rig.pytest_plugin import words_of  # noqa: PLC0415 - the plugin imports this module

        self._title = words_of(location[2].split(".")[-1])
        self._started_s = wall_s()
        self._started_ns = None
        self._draw("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the phases the way pytest's summary needs it; no letters."""
        category = self.config.hook.pytest_report_teststatus(report=report, config=self.config)[0]
        self._add_stats(category, [report])
        self._progress_nodeids_reported.add(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """The finished line comes from `finished`, when the cleaning up is over."""

    def short_test_summary(self) -> None:
        """The table at the end has it."""

    def summary_stats(self) -> None:
        """One plain line, for people and for CI."""
        passed, failed = len(self.stats.get("passed", [])), len(self.stats.get("failed", []))
        failed += len(self.stats.get("error", []))
        skipped = len(self.stats.get("skipped", []))
        self.write_line(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))

    def _get_progress_information_message(self) -> str:
        return ""

    # -- ours -----------------------------------------------------------------------------------------

    def live(self, runner: Runner) -> None:
        """Refresh the live line; called after every scan."""
        if not self._live:
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

    def finished(self, result: TestResult) -> None:
        """The finished line of a test."""
        mark, style = MARKS[result.outcome]
        self._erase()
        self._tw.write(f"  {mark} ", **style)
        self._tw.write(self._shorten(result.title, 30))
        if result.virtual_s > 0.0:
            factor = result.virtual_s / max(result.wall_s, 1e-3)
            self._tw.write(f"  {clock_text(result.virtual_s)} ×{factor:.0f}", light=True)
        if result.outcome == "skipped":
            self._tw.write(f"  {result.reason}", yellow=True)
        self._tw.line()
        self._tw.flush()

    def _draw(self, text: str) -> None:
        if not self._live:
            return
        self._drawn_s = wall_s()
        self._erase()
        self._tw.write(f"  … {self._shorten(self._title, 40)}  ")
        self._tw.write(text, cyan=True)
        self._tw.flush()

    def _erase(self) -> None:
        if self._live:
            self._tw.write("\r\x1b[2K")

    def _shorten(self, text: str, room: int) -> str:
        width = max(shutil.get_terminal_size().columns - room, 20)
        return text if len(text) <= width or not self._live else text[: width - 1] + "…"
