"""State trees as bytes, and back, for files that may come from a stranger.

Each value is a tag of one byte and what the tag says: lengths and counts are four bytes, little endian. The
reader makes nothing but what `emulator.state` allows in a state, dataclasses and enums by name out of a list that
the caller gives, and arrays of a few number types; a count never claims more than the bytes that are there, so
neither time nor memory can exceed a small multiple of the input. Equal trees give equal bytes.
"""

from __future__ import annotations

import dataclasses
import math
import struct
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ValidationError

from emulator.state import StateTypeError, build, checks_of, fields_of

__all__ = ["CodecError", "decode", "encode", "record_key"]

DTYPES: Final = ("<f8", "<i8", "|b1", "|u1", "<u2", "<i4", "<u4", "<u8", "<f4", "<i2", "|i1")
DEEPEST: Final = 24
MOST_AXES: Final = 4

_U4 = struct.Struct("<I")
_I8 = struct.Struct("<q")
_F8 = struct.Struct("<d")
_CODES = {np.dtype(name): code for code, name in enumerate(DTYPES)}
_RECORD_KEYS: dict[np.dtype[Any], bytes] = {}
_SEQUENCES: Final = {b"l": list, b"t": tuple, b"k": deque, b"z": frozenset, b"Z": set}
_NONE = type(None)
Put = Callable[[bytes], object]
Writer = Callable[[Any, Put], object]


class CodecError(ValueError):
    """Bytes that are no state, or not of the kind that was expected."""


# -- writing ----------------------------------------------------------------------------------------------


def encode(tree: Any) -> bytes:
    """Write a state tree.

    Raises:
        StateTypeError: something in it is no state.
    """
    out: list[bytes] = []
    _write(tree, out.append)
    return b"".join(out)


def _write(value: Any, put: Put) -> None:
    kind = type(value)
    writer = _WRITERS.get(kind)
    if writer is None:
        writer = _WRITERS[kind] = _writer(kind)
    writer(value, put)


def _writer(kind: type) -> Writer:
    for base, writer in _BY_BASE:
        if issubclass(kind, base):
            return writer
    if dataclasses.is_dataclass(kind):
        return _dataclass_writer(kind)
    raise StateTypeError(f"{kind.__name__} has no place in a state; see emulator.state")


def _text(text: str) -> bytes:
    raw = text.encode()
    return _U4.pack(len(raw)) + raw


def _write_int(value: Any, put: Put) -> None:
    try:
        put(b"i" + _I8.pack(value))
    except struct.error:
        raise StateTypeError(f"{value} does not fit into 64 bits") from None


def _write_items(value: Any, put: Put) -> None:
    kinds = set(map(type, value))
    if type(value) is list and len(value) > 2 and kinds == {int}:
        put(b"q" + _U4.pack(len(value)))
        put(struct.pack(f"<{len(value)}q", *value))
        return
    tag = next(tag for tag, kind in _SEQUENCES.items() if isinstance(value, kind))
    items = sorted(value) if isinstance(value, (set, frozenset)) else value
    put(tag + _U4.pack(len(items)))
    for item in items:
        _write(item, put)


def _write_dict(value: Any, put: Put) -> None:
    put(b"d" + _U4.pack(len(value)))
    for key, item in value.items():
        _write(key, put)
        _write(item, put)


def record_key(dtype: np.dtype[Any]) -> bytes:
    """Eight bytes by which a type of records is known: they change with any of its fields."""
    known = _RECORD_KEYS.get(dtype)
    if known is None:
        known = _RECORD_KEYS[dtype] = blake2b(repr(dtype).encode(), digest_size=8).digest()
    return known


def _write_array(value: Any, put: Put) -> None:
    if value.dtype.names:
        put(b"r" + record_key(value.dtype) + bytes((value.ndim,)) + struct.pack(f"<{value.ndim}I", *value.shape))
        put(value.tobytes())
        return
    code = _CODES.get(value.dtype)
    if code is None:
        raise StateTypeError(f"an array of {value.dtype} has no place in a state")
    put(b"a" + bytes((code, value.ndim)) + struct.pack(f"<{value.ndim}I", *value.shape))
    put(value.tobytes())


def _dataclass_writer(kind: type) -> Writer:
    names = fields_of(kind)
    head = b"c" + _text(kind.__name__) + _U4.pack(len(names))
    keys = [(name, _text(name)) for name in names]

    def write(value: Any, put: Put) -> None:
        put(head)
        for name, key in keys:
            put(key)
            _write(getattr(value, name), put)

    return write


_WRITERS: dict[type, Writer] = {
    _NONE: lambda value, put: put(b"N"),
    bool: lambda value, put: put(b"T" if value else b"F"),
    int: _write_int,
    float: lambda value, put: put(b"f" + _F8.pack(value)),
    str: lambda value, put: put(b"s" + _text(value)),
    bytes: lambda value, put: put(b"b" + _U4.pack(len(value)) + value),
    dict: _write_dict,
}
_BY_BASE: tuple[tuple[type, Writer], ...] = (
    (Enum, lambda value, put: put(b"e" + _text(type(value).__name__) + _text(value.name))),
    (np.bool_, lambda value, put: put(b"T" if value else b"F")),
    (np.floating, lambda value, put: put(b"f" + _F8.pack(value))),
    (np.integer, lambda value, put: _write_int(int(value), put)),
    (np.ndarray, _write_array),
    (list, _write_items),
    (tuple, _write_items),
    (deque, _write_items),
    (set, _write_items),
    (frozenset, _write_items),
    (BaseModel, lambda value, put: put(b"m" + _text(type(value).__name__) + _text(value.model_dump_json()))),
)


# -- reading ----------------------------------------------------------------------------------------------


def decode(
    data: bytes,
    classes: Mapping[str, type] | None = None,
    records: Iterable[np.dtype[Any]] = (),
) -> Any:
    """Read a state tree.

    Args:
        data: what `encode` gave.
        classes: dataclasses, enums and models that may be in it, by name.
        records: types of arrays of records that may be in it.

    Raises:
        CodecError: it is none, or not of these classes.
    """
    reader = _Reader(data, classes or {}, {record_key(dtype): dtype for dtype in records})
    try:
        tree = reader.value(0)
    except (TypeError, ArithmeticError, ValidationError, UnicodeDecodeError) as error:
        raise CodecError(f"a value that cannot be: {error}") from error
    if reader.at != len(data):
        raise CodecError(f"{len(data) - reader.at} bytes behind the end")
    return tree


class _Reader:
    """A place in the bytes."""

    def __init__(self, data: bytes, classes: Mapping[str, type], records: Mapping[bytes, np.dtype[Any]]) -> None:
        self.data = data
        self.at = 0
        self.classes = classes
        self.records = records

    def take(self, count: int) -> bytes:
        end = self.at + count
        piece = self.data[self.at : end]
        if len(piece) != count:
            raise CodecError(f"{count} bytes announced, {len(self.data) - self.at} are there")
        self.at = end
        return piece

    def count(self, least: int = 1) -> int:
        """A number of items that take at least so many bytes each."""
        number: int = _U4.unpack(self.take(4))[0]
        if number * least > len(self.data) - self.at:
            raise CodecError(f"{number} items announced in {len(self.data) - self.at} bytes")
        return number

    def text(self) -> str:
        return self.take(self.count()).decode()

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise CodecError(f"more than {DEEPEST} levels deep")
        tag = self.take(1)
        match tag:
            case b"N":
                return None
            case b"T":
                return True
            case b"F":
                return False
            case b"i":
                return _I8.unpack(self.take(8))[0]
            case b"f":
                return _F8.unpack(self.take(8))[0]
            case b"s":
                return self.text()
            case b"b":
                return self.take(self.count())
            case b"q":
                number = self.count(8)
                return list(struct.unpack(f"<{number}q", self.take(8 * number)))
            case b"d":
                return {self.value(depth + 1): self.value(depth + 1) for _ in range(self.count(2))}
            case b"a" | b"r":
                return self.array(tag)
            case b"c":
                return self.record(depth)
            case b"e" | b"m":
                return self.named(tag)
        kind = _SEQUENCES.get(tag)
        if kind is None:
            raise CodecError(f"unknown tag {tag!r}")
        return kind([self.value(depth + 1) for _ in range(self.count())])

    def array(self, tag: bytes) -> np.ndarray[Any, Any]:
        if tag == b"r":
            dtype = self.records.get(self.take(8))
            if dtype is None:
                raise CodecError("an array of records that are no part of this state")
        else:
            (code,) = self.take(1)
            if code >= len(DTYPES):
                raise CodecError(f"unknown kind of array ({code})")
            dtype = np.dtype(DTYPES[code])
        (axes,) = self.take(1)
        if axes > MOST_AXES:
            raise CodecError(f"unknown kind of array ({axes} axes)")
        shape = struct.unpack(f"<{axes}I", self.take(4 * axes))
        return np.frombuffer(self.take(math.prod(shape) * dtype.itemsize), dtype).reshape(shape).copy()

    def class_(self) -> type:
        name = self.text()
        kind = self.classes.get(name)
        if kind is None:
            raise CodecError(f"{name!r} is no part of this state")
        return kind

    def record(self, depth: int) -> Any:
        kind = self.class_()
        if not dataclasses.is_dataclass(kind):
            raise CodecError(f"{kind.__name__} is not a record")
        checks = checks_of(kind)
        values: dict[str, Any] = {}
        for _ in range(self.count(5)):
            name = self.text()
            values[name] = self.value(depth + 1)
            if name not in checks or not checks[name](values[name]):
                raise CodecError(f"{kind.__name__}.{name} cannot be a {type(values[name]).__name__}")
        if len(values) != len(fields_of(kind)):
            raise CodecError(f"{kind.__name__} lacks {', '.join(sorted(set(fields_of(kind)) - set(values)))}")
        return build(kind, values)

    def named(self, tag: bytes) -> Any:
        kind, text = self.class_(), self.text()
        if tag == b"m" and issubclass(kind, BaseModel):
            return kind.model_validate_json(text)
        if tag == b"e" and issubclass(kind, Enum) and text in kind.__members__:
            return kind[text]
        raise CodecError(f"{kind.__name__} has no {text[:40]!r}")
