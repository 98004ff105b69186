"""What a linked program for the microcontroller holds: sections and symbols of a 32-bit ELF file, little endian."""

from __future__ import annotations

import importlib
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

__all__ = ["Program", "Section", "Symbol"]

_HEADER: Final = struct.Struct("<16sHHIIIIIHHHHHH")
_SECTION: Final = struct.Struct("<10I")
_SYMBOL: Final = struct.Struct("<IIIBBH")
_SYMBOLS: Final = 2  # kind of section
_NO_CONTENT: Final = 8
_ARM: Final = b"\x28\0"
_IN_MEMORY: Final = 2  # flag of a section
_FUNCTION: Final = 2  # kind of symbol


@dataclass(frozen=True, slots=True)
class Section:
    """A piece of the program.

    Attributes:
        name: as the linker script calls it.
        kind: type of the section.
        address: where it stands in memory; None if it does not (names, debug information).
        size: bytes.
        data: what is in it; empty for memory that is only reserved.
    """

    name: str
    kind: int
    address: int | None
    size: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name in the program.

    Attributes:
        name: as the linker has it.
        address: without the lowest bit, which only says that it is Thumb code.
        size: bytes; 0 for a mere place.
        is_function: whether it is one.
    """

    name: str
    address: int
    size: int
    is_function: bool


class Program:
    """A linked program.

    Args:
        path: of the ELF file.

    Attributes:
        path: of the file.
        entry: where it begins.
        sections: all its sections.
        symbols: by name; of several with the same name, one.
        digest: of all that is loaded from it.

    Raises:
        ValueError: it is none, or is damaged.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        data = path.read_bytes()
        if data[:6] != b"\x7fELF\x01\x01" or data[18:20] != _ARM:
            raise ValueError(f"{path} is no ELF file for Arm, 32 bits, little endian")
        try:
            self._parse(data)
        except (struct.error, IndexError, ValueError) as error:
            raise ValueError(f"{path} is a damaged ELF file: {error}") from error
        loaded = b"".join(section.data for section in self.sections if section.address is not None)
        self.digest = blake2b(loaded, digest_size=16).hexdigest()
        self.symbols = {symbol.name: symbol for symbol in self._symbols}

    def _parse(self, data: bytes) -> None:
        header = _HEADER.unpack_from(data)
        self.entry: int = header[4] & ~1
        places = [_SECTION.unpack_from(data, header[6] + index * header[11]) for index in range(header[12])]
        names = places[header[13]][4]
        self.sections = tuple(
            Section(
                _text(data, names + place[0]),
                place[1],
                place[3] if place[2] & _IN_MEMORY else None,
                place[5],
                b"" if place[1] == _NO_CONTENT else data[place[4] : place[4] + place[5]],
            )
            for place in places
        )
        self._symbols = tuple(
            symbol
            for place, section in zip(places, self.sections, strict=True)
            if section.kind == _SYMBOLS
            for symbol in _symbols(section.data, self.sections[place[6]].data)
        )

    @cached_property
    def functions(self) -> tuple[Symbol, ...]:
        """All functions, by address; of several at the same place, one."""
        found = {symbol.address: symbol for symbol in self._symbols if symbol.is_function and symbol.size}
        return tuple(found[address] for address in sorted(found))

    @property
    def code_marks(self) -> Iterator[tuple[int, bool]]:
        """Where code and constants between it begin, as the compiler has marked it: address, and whether it is code."""
        for symbol in self._symbols:
            kind = symbol.name.split(".")[0]
            if kind in ("$t", "$d"):
                yield symbol.address, kind == "$t"

    def function_at(self, address: int) -> Symbol | None:
        """The function that an address lies in."""
        place = bisect_right(self.functions, address, key=lambda symbol: symbol.address) - 1
        if place < 0:
            return None
        found = self.functions[place]
        return found if address < found.address + found.size else None

    def where(self, address: int) -> str:
        """An address as people read it: function, file and line; the line only where pyelftools is installed."""
        function = self.function_at(address)
        if function is None:
            return f"0x{address:08x}"
        line = line_of(self.path, address)
        return f"{function.name} ({line})" if line else f"{function.name} + {address - function.address}"

    def content(self, address: int, size: int) -> bytes:
        """What stands in flash."""
        for section in self.sections:
            if section.address is not None and section.data:
                first = address - section.address
                if first >= 0 and first + size <= section.size:
                    return section.data[first : first + size]
        raise ValueError(f"nothing stands at 0x{address:08x}")


def _text(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode()


def _symbols(data: bytes, names: bytes) -> Iterator[Symbol]:
    for name, value, size, info, _, _ in _SYMBOL.iter_unpack(data):
        is_function = info & 0xF == _FUNCTION
        yield Symbol(_text(names, name), value & ~1 if is_function else value, size, is_function)


def line_of(path: Path, address: int) -> str | None:
    """File and line that an address of a program comes from; None if that is not known."""
    try:
        elffile: Any = importlib.import_module("elftools.elf.elffile")
    except ImportError:
        return None
    with path.open("rb") as stream:
        information = elffile.ELFFile(stream).get_dwarf_info()
        for unit in information.iter_CUs():
            program = information.line_program_for_CU(unit)
            before = None
            for entry in program.get_entries() if program else ():
                state = entry.state
                if state is None:
                    continue
                if before is not None and before.address <= address < state.address:
                    first = 1 if program.header.version < 5 else 0
                    name = program.header["file_entry"][before.file - first].name.decode()
                    return f"{name}:{before.line}"
                before = None if state.end_sequence else state
    return None
