"""Files that can be made again, in the user's cache folder: named by what they were made from.

Several processes may read and write at the same time: a file appears whole or not at all, and two that make the
same file make the same bytes. The oldest go when there is too much. Whatever is wrong with the folder (no room, no
permission) only costs time: then nothing is kept.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["VARIABLE", "clear", "entries", "folder", "load", "store"]

VARIABLE = "PRESS_RIG_CACHE"
"""Moves the folder; `off` keeps nothing."""
SUFFIX = ".state"
LARGEST_TOTAL = 64 * 2**20
"""Bytes of all files together: some two hundred warm presses."""


def folder() -> Path | None:
    """Where the files are; None if nothing is to be kept."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return None if given in {"off", "0", ""} else Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "press-rig"
    except RuntimeError:  # nobody's home
        return None


def load(name: str) -> bytes | None:
    """Contents of a file, or None if there is none; it counts as used now."""
    place = folder()
    if place is None:
        return None
    path = place / f"{name}{SUFFIX}"
    try:
        data = path.read_bytes()
        with suppress(OSError):
            os.utime(path)
    except OSError:
        return None
    return data


def store(name: str, data: bytes) -> None:
    """Keep a file, and forget the oldest if there is too much."""
    place = folder()
    if place is None:
        return
    try:
        place.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place, prefix=f".{name[:16]}-", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, place / f"{name}{SUFFIX}")
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError:
        return
    _prune(place)


def entries() -> Iterator[tuple[Path, int]]:
    """Path and size of every file, the least recently used first."""
    place = folder()
    found = []
    if place is not None:
        for path in place.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                facts = path.stat()
                found.append((facts.st_mtime_ns, path, facts.st_size))
    for _, path, size in sorted(found):
        yield path, size


def clear() -> int:
    """Remove all files; returns how many there were."""
    count = 0
    for path, _ in list(entries()):
        with suppress(OSError):
            path.unlink()
            count += 1
    return count


def _prune(place: Path) -> None:
    files = [(path, size) for path, size in entries() if path.parent == place]
    total = sum(size for _, size in files)
    for path, size in files:
        if total <= LARGEST_TOTAL:
            break
        with suppress(OSError):
            path.unlink()
            total -= size
