"""Firmware broken on purpose: what it did is told with function and line, and ends a command with a sentence."""

from __future__ import annotations

import re
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from emulator.firmware import node as firmware_node
from emulator.firmware.build import build, out_folder
from emulator.firmware.chip import Chip
from emulator.firmware.chip_state import RAM
from emulator.firmware.elf import Program
from emulator.firmware.fault import FirmwareFault
from emulator.firmware.node_map import FIRMWARE
from rig.cli import main
from rig.protocol import ReadInputRegisters, encode_frame
from tests.firmware.pair import SCAN_NS, TIMING, needs_compiler, needs_engine

pytestmark = [needs_compiler, needs_engine]

READ = encode_frame(1, ReadInputRegisters(0, 83))
WATCHDOG_SAID = "it does not go to sleep for 500 ms; on the board its watchdog would start it anew"
HARD_FAULT = "; on the board it would be a hard fault"


@pytest.fixture
def program() -> Program:
    return Program(build("lm3s6965"))


def broken(program: Program, function: str, code: Sequence[int]) -> Chip:
    """A chip whose program has other code at the beginning of a function."""
    chip = Chip(program)
    chip._engine.mem_write(program.symbols[function].address, struct.pack(f"<{len(code)}H", *code))
    return chip


FAILURES = {
    "no instruction": ([0xDE00], 0, "failed in {}: what stands there is no instruction"),
    "wild write": ([0x2003, 0x0700, 0x6000], 4, "failed in {}: it writes to 0x30000000, where the chip has nothing"),
    "wild read": ([0x2003, 0x0700, 0x6800], 4, "failed in {}: it reads from 0x30000000, where the chip has nothing"),
    "write to flash": ([0x2000, 0x6100], 2, "failed in {}: it writes to 0x00000010, which is flash"),
    "stack overrun": ([0xB5FF, 0xE7FD], 0, "failed in {}: its stack runs over, to 0x1fff"),
    "wild jump": ([0x2001, 0x0740, 0x3001, 0x4780], 6, "behind a call in {}: it went to 0x20000000, where no code is"),
}
"""Thumb code, which byte of it fails, and what is said of that place."""


@pytest.mark.parametrize("name", FAILURES)
def test_what_no_program_may_do_is_told_with_function_and_line(name: str, program: Program) -> None:
    code, failing, said = FAILURES[name]
    where = program.where(program.symbols["loop_scan"].address + failing)
    assert re.fullmatch(r"loop_scan \(\S*loops\.c:\d+\)", where)
    with pytest.raises(FirmwareFault) as failure:
        broken(program, "loop_scan", code).power_on()
    assert str(failure.value).startswith("the firmware (node-lm3s6965.elf) failed ")
    assert said.format(where) in str(failure.value)
    assert str(failure.value).endswith(HARD_FAULT)


def test_a_program_that_hangs_is_told_with_function_and_line(program: Program) -> None:
    with pytest.raises(FirmwareFault, match=rf"hangs in modbus_crc \(\S*crc\.c:\d+\): {WATCHDOG_SAID}"):
        chip = broken(program, "modbus_crc", [0xE7FE])  # b to itself
        chip.power_on()
        chip.receive(READ, 10_000_000, TIMING.char_ns)
        chip.run_until(20_000_000)


def test_a_program_that_gives_up_is_told(program: Program) -> None:
    with pytest.raises(FirmwareFault, match=r"asked for a reset in fault_handler \(\S*startup\.c:\d+\)"):
        start, handler = (program.symbols[name].address for name in ("loop_scan", "fault_handler"))
        distance = handler - start - 4
        call = [0xF000 | distance >> 12 & 0x7FF, 0xF800 | distance >> 1 & 0x7FF]
        broken(program, "loop_scan", call).power_on()


def test_a_stack_without_room_is_told(program: Program) -> None:
    chip = Chip(program)
    chip.power_on()
    chip.state.stack = RAM[0] + 64
    chip = Chip(program, chip.state)
    with pytest.raises(FirmwareFault, match="its stack runs over"):
        chip.run_until(SCAN_NS)


def test_a_command_ends_with_a_sentence_that_names_the_line_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / FIRMWARE.name
    shutil.copytree(FIRMWARE, root)
    source = root / "node" / "node.c"
    lines = source.read_text(encoding="utf-8").splitlines()
    place = lines.index("static void queue_forces(void) {") + 1
    lines.insert(place, "    *(volatile int *)0x30000000 = 1;")
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program = Program(build("lm3s6965", root, out_folder() / "broken-node"))
    monkeypatch.setattr(firmware_node, "firmware", lambda: program)
    assert main(["read", "--press", "emu://?node=firmware", "mode"]) == 3
    said = capsys.readouterr().err
    assert re.search(rf"^press-rig: the firmware .* \(\S*node\.c:{place + 1}\): it writes to 0x30000000", said)
    assert said.count("\n") == 1
