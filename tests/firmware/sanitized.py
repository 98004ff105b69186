"""Programs under sanitizers, in processes of their own that are told what to do through a pipe.

Zig brings the runtime of the sanitizer for undefined behaviour, but none for addresses; where the machine has a C
compiler with that, the same is done once more under it.
"""

from __future__ import annotations

import struct
import subprocess

import pytest

from emulator.firmware.build import BuildError, build

__all__ = ["Sanitized"]


class Sanitized:
    """A program that ends with a message if a sanitizer finds something.

    Args:
        board: one of `emulator.firmware.build.BOARDS` with a `fuzz_*.c`; the test is skipped if it cannot be built.
    """

    def __init__(self, board: str) -> None:
        try:
            program = build(board)
        except BuildError as error:
            pytest.skip(f"no address sanitizer here: {str(error).splitlines()[0]}")
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def tell(self, command: bytes, answer_size: int = 0) -> bytes:
        """Give a command, and read so many bytes of its answer; if the program is gone, the test fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            self._process.stdin.write(command)
            self._process.stdin.flush()
            answer = self._process.stdout.read(answer_size)
        except BrokenPipeError:
            answer = b""
        if len(answer) < answer_size or self._process.poll() is not None:
            pytest.fail(self._process.stderr.read().decode(errors="replace"))
        return answer

    def ask(self, command: bytes) -> bytes:
        """Give a command whose answer is a block of bytes behind its size."""
        (size,) = struct.unpack("=H", self.tell(command, 2))
        return self.tell(b"", size)

    def hear(self, data: bytes, time_ns: int) -> None:
        """Bytes come."""
        self.tell(struct.pack("=cqH", b"H", time_ns, len(data)) + data)

    def attend(self, now_ns: int) -> bytes:
        """Time passes. Returns what the program sends."""
        return self.ask(struct.pack("=cq", b"A", now_ns))
