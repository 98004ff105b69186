"""Builds the firmware with the C compiler of the Zig toolchain from PyPI; nothing else has to be installed.

A build is kept in `out/firmware/` with the digest of all that it was made from beside it, and made anew only when
that differs. The compiler's caches are there too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from emulator.config import ConfigError
from emulator.firmware.node_map import FIRMWARE

__all__ = ["BOARDS", "Board", "BuildError", "build", "has_compiler", "out_folder"]

STRICT: Final = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-g")
"""For every board. Without `-ffp-contract=off` a product and a sum might become one operation that rounds once."""
NODE: Final = ("modbus/*.c", "node/*.c", "generated/*.c")
CONTROLLER: Final = ("modbus/crc.c", "modbus/master.c", "controller/*.c")


class BuildError(ConfigError):
    """The firmware cannot be built here, or does not compile."""


@dataclass(frozen=True, slots=True)
class Board:
    """One thing to build.

    Attributes:
        name: what it is called, and what its file is called after.
        file: name of the file that is made.
        sources: what it needs beside the shared sources: C files and linker scripts.
        flags: of compiler and linker.
        shared: patterns of what it has in common with other boards: the program.
        system_compiler: the machine's own compiler makes it, because Zig has no runtime for it.
    """

    name: str
    file: str
    sources: tuple[str, ...]
    flags: tuple[str, ...]
    shared: tuple[str, ...] = NODE
    system_compiler: bool = False


_HOST: Final = ("boards/host/host.c",)
_FUZZ_NODE: Final = (*_HOST, "boards/host/fuzz_node.c")
_CHIP: Final = ("startup.c", "main.c", "io.c", "memory.ld")
_CONTROLLER_CHIP: Final = ("startup.c", "controller.c", "memory.ld")
_CORTEX_M3: Final = (
    "-target",
    "thumb-freestanding-eabi",
    "-mcpu=cortex_m3",
    "-O2",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-jump-tables",
    "-Wl,--gc-sections",
    "-Wl,-e,reset_handler",
)
_LIBRARY: Final = ("-O2", "-fPIC", "-shared", "-fvisibility=hidden")
_CONTROLLER_HOST: Final = ("boards/host/controller.c",)
_FUZZ_CONTROLLER: Final = (*_CONTROLLER_HOST, "boards/host/fuzz_controller.c")
_UBSAN: Final = ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=undefined")
_ASAN: Final = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")

BOARDS: Final = {
    board.name: board
    for board in (
        Board("lm3s6965", "node-lm3s6965.elf", tuple(f"boards/lm3s6965/{name}" for name in _CHIP), _CORTEX_M3),
        Board("host", "libnode.so", _HOST, _LIBRARY),
        Board("host-ubsan", "node-ubsan", _FUZZ_NODE, _UBSAN),
        Board(
            "controller-lm3s6965",
            "controller-lm3s6965.elf",
            tuple(f"boards/lm3s6965/{name}" for name in _CONTROLLER_CHIP),
            _CORTEX_M3,
            CONTROLLER,
        ),
        Board("controller-host", "libcontroller.so", _CONTROLLER_HOST, _LIBRARY, CONTROLLER),
        Board("controller-ubsan", "controller-ubsan", _FUZZ_CONTROLLER, _UBSAN, CONTROLLER),
        Board("host-asan", "node-asan", _FUZZ_NODE, _ASAN, system_compiler=True),
        Board("controller-asan", "controller-asan", _FUZZ_CONTROLLER, _ASAN, CONTROLLER, system_compiler=True),
    )
}


def out_folder() -> Path:
    """Where builds are kept: `out/firmware/` beside the sources."""
    return FIRMWARE.parent / "out" / "firmware"


def has_compiler() -> bool:
    """Say whether the Zig toolchain is installed."""
    return find_spec("ziglang") is not None


def build(name: str, root: Path = FIRMWARE, folder: Path | None = None) -> Path:
    """Make one of `BOARDS`, or find it already made.

    Args:
        name: of the board.
        root: the sources, laid out as in `firmware_stubs/`.
        folder: where it is kept; None for `out_folder()`.

    Raises:
        BuildError: no compiler, or the compiler's messages.
    """
    board = BOARDS[name]
    if not root.is_dir():
        raise BuildError(f"the firmware's sources are not at {root}; it is built in a checkout of the project")
    for pattern in (*board.shared, *board.sources):
        if next(root.glob(pattern), None) is None:
            raise BuildError(f"{root} has no {pattern}; the sources are laid out like firmware_stubs/")
    folder = folder or out_folder()
    made = folder / board.file
    digest = _digest(board, root)
    stamp = made.with_name(f"{made.name}.digest")
    if made.is_file() and stamp.is_file() and stamp.read_text() == digest:
        return made
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fresh = Path(scratch) / made.name
        files = [str(path) for path in _inputs(board, root) if path.suffix == ".c"]
        flags = [*STRICT, f"-I{root}", *board.flags, *_linker_script(board, root)]
        run = subprocess.run(
            [*_compiler(board), *flags, "-o", str(fresh), *files],
            env=_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if run.returncode:
            raise BuildError(f"the firmware for {name} does not compile:\n{run.stderr.strip()}")
        os.replace(fresh, made)  # in one step: several processes may build at the same time
    stamp.write_text(digest)
    return made


def _compiler(board: Board) -> Sequence[str]:
    if board.system_compiler:
        compiler = shutil.which("cc")
        if compiler is None:
            raise BuildError("this machine has no C compiler of its own")
        return (compiler,)
    if not has_compiler():
        raise BuildError("the firmware needs the Zig toolchain: pip install ziglang")
    return (sys.executable, "-m", "ziglang", "cc")


def _environment() -> dict[str, str]:
    cache = str(out_folder() / "cache")
    return os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}


def _linker_script(board: Board, root: Path) -> Iterator[str]:
    for name in board.sources:
        if name.endswith(".ld"):
            yield f"-Wl,-T,{root / name}"


def _inputs(board: Board, root: Path) -> list[Path]:
    shared = (path for pattern in board.shared for path in sorted(root.glob(pattern)))
    return [*shared, *(root / name for name in board.sources)]


def _digest(board: Board, root: Path) -> str:
    """Of all that the file is made from: the board as it stands here, the compiler's version, and the sources."""
    digest = blake2b(repr((board, STRICT, _version(board))).encode(), digest_size=16)
    for path in sorted({*_inputs(board, root), *root.rglob("*.h")}):
        digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _version(board: Board) -> str:
    if board.system_compiler or not has_compiler():
        return ""
    from importlib.metadata import version  # noqa: PLC0415 - slow, and only a build asks

    return version("ziglang")
