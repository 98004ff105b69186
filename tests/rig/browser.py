"""A headless browser for tests that open the report the way people do."""

import shutil
import subprocess
import tempfile

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the report in")

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run", "--no-default-browser-check",
    "--virtual-time-budget=4000", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


def browse(path, *arguments):
    """Open a local page; returns what the browser printed and what it logged."""
    with tempfile.TemporaryDirectory(prefix="press-rig-browser-", ignore_cleanup_errors=True) as profile:
        command = [
            CHROMIUM,
            *QUIET,
            f"--user-data-dir={profile}",
            "--enable-logging=stderr",
            *arguments,
            path.as_uri(),
        ]
        result = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    return result.stdout, result.stderr


def document(path):
    """The page's elements after it was laid out, and the lines of its console."""
    elements, log = browse(path, "--dump-dom")
    return elements, [line for line in log.splitlines() if "CONSOLE" in line]


def screenshot(path, target, width, height, *, dark=False):
    """A picture of the page."""
    scheme = ("--blink-settings=preferredColorScheme=0",) if dark else ()
    browse(path, f"--screenshot={target}", f"--window-size={width},{height}", *scheme)
    return target
