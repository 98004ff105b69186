"""The file format of snapshots: a sealed envelope around a few sections (docs/decisions/0005).

    magic 8 | version 2 | kind 2 | length of the rest 8 | CRC-32 of all but itself 4 | sections: length 4, bytes

A snapshot has three sections, each a state tree in `emulator.codec`: what the world is made from, its state, and
extras of whoever stored it. Nothing in it is ever run, and what is wrong with one is said in one `SnapshotError`.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Sequence
from enum import IntEnum
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from emulator.state import classes_of, hints_of, records_in

__all__ = ["VERSION", "Kind", "SnapshotError", "layout_of", "seal", "sources_digest", "unseal"]

MAGIC: Final = b"\x89PRESS\r\n"
"""The line end shows files that were transferred as text, as in PNG."""
VERSION: Final = 1
_HEAD: Final = struct.Struct("<8sHHQ")
_U4: Final = struct.Struct("<I")
PACKAGE: Final = Path(__file__).parent


class SnapshotError(ValueError):
    """Bytes that are no snapshot which can be opened here; the message says why."""


class Kind(IntEnum):
    """What is in the envelope."""

    WORLD = 1
    WARM_STATE = 2
    MOMENT = 3


def seal(kind: Kind, sections: Sequence[bytes]) -> bytes:
    """Put sections into an envelope."""
    parts = [piece for section in sections for piece in (_U4.pack(len(section)), section)]
    head = _HEAD.pack(MAGIC, VERSION, kind, sum(map(len, parts)))
    crc = zlib.crc32(head)
    for part in parts:
        crc = zlib.crc32(part, crc)
    return b"".join([head, _U4.pack(crc), *parts])


def unseal(kind: Kind, data: bytes, count: int) -> list[bytes]:
    """Take `count` sections out of an envelope.

    Raises:
        SnapshotError: it is none, of another kind or version, cut short, or damaged.
    """
    if not isinstance(data, bytes):
        raise SnapshotError(f"a snapshot is bytes, not {type(data).__name__}")
    if not data.startswith(MAGIC):
        what = "it is empty" if not data else "it begins like something else"
        raise SnapshotError(f"not a snapshot of a press: {what}")
    start = _HEAD.size + _U4.size
    if len(data) < start:
        raise SnapshotError(f"the snapshot is cut short: it ends after {len(data)} bytes, in its head")
    _, found, found_kind, length = _HEAD.unpack_from(data)
    if found != VERSION:
        raise SnapshotError(f"the snapshot has format {found}; this version of press-rig reads format {VERSION}")
    if length != len(data) - start:
        what = "is cut short" if length > len(data) - start else "has something behind its end"
        raise SnapshotError(f"the snapshot {what}: {len(data) - start} bytes where its head says {length}")
    (crc,) = _U4.unpack_from(data, _HEAD.size)
    if crc != zlib.crc32(memoryview(data)[start:], zlib.crc32(data[: _HEAD.size])):
        raise SnapshotError("the snapshot is damaged: its checksum does not fit its contents")
    if found_kind != kind:
        raise SnapshotError(f"not a snapshot of a press: it holds something else (kind {found_kind})")
    sections = []
    for _ in range(count):
        if start + 4 > len(data):
            raise SnapshotError("the snapshot is malformed: a section is missing")
        (size,) = _U4.unpack_from(data, start)
        start += 4
        if size > len(data) - start:
            raise SnapshotError("the snapshot is malformed: a section is longer than the whole")
        sections.append(data[start : start + size])
        start += size
    if start != len(data):
        raise SnapshotError("the snapshot is malformed: there is more in it than its sections")
    return sections


def layout_of(state: Any, press: str) -> bytes:
    """Eight bytes that change with any field of any class of a state, and with the memory of the press in it.

    Args:
        state: a state.
        press: how its press is laid out.
    """
    digest = blake2b(press.encode(), digest_size=8)
    for name, kind in sorted(classes_of(type(state)).items()):
        fields = hints_of(kind) if hasattr(kind, "__dataclass_fields__") else {}
        digest.update(repr((name, [(field, str(hint)) for field, hint in fields.items()])).encode())
    for dtype in dict.fromkeys(records_in(state)):  # how many arrays of a type there are may change
        digest.update(repr(dtype).encode())
    return digest.digest()


@functools.cache
def sources_digest(*parts: str) -> bytes:
    """Eight bytes that change with the sources of this package (or parts of it), numba or numpy."""
    digest = blake2b(f"{version('numba')} {version('numpy')}".encode(), digest_size=8)
    for part in parts or (".",):
        place = PACKAGE / part
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(path.relative_to(PACKAGE).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.digest()
