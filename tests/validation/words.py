"""What the commands of the validation have in common: where results go, how many processes, and Ctrl-C."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

MOST_JOBS = 64
INTERRUPTED = 130


def folder(word: str) -> Path:
    """A folder that can be written to, made if it is not there: found out before minutes are spent, not after."""
    path = Path(word)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be made: {error.strerror}; choose another") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{path} cannot be written to; choose another")
    return path


def jobs(word: str) -> int:
    """A number of processes."""
    if not (word.isascii() and word.isdigit() and 1 <= int(word) <= MOST_JOBS):
        raise argparse.ArgumentTypeError(f"{word!r} is no number of processes; it must be 1 … {MOST_JOBS}")
    return int(word)


def ended_in_words(run: Callable[[], int]) -> int:
    """The exit code of a command; Ctrl-C is a line and 130."""
    try:
        return run()
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return INTERRUPTED
