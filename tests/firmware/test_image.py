"""The program for the microcontroller: it fits, its stack has a bound, and it needs no heap and no library."""

from __future__ import annotations

import pytest

from emulator.firmware.build import build
from emulator.firmware.chip_state import FLASH, RAM
from emulator.firmware.elf import Program
from emulator.firmware.report import HANDLERS, Size, measure
from emulator.firmware.stack import stack_bound
from tests.firmware.pair import needs_compiler

pytestmark = needs_compiler


@pytest.fixture(scope="module")
def program() -> Program:
    return Program(build("lm3s6965"))


@pytest.fixture(scope="module")
def size() -> Size:
    return measure()


def test_it_takes_less_than_a_quarter_of_flash_and_ram(size: Size) -> None:
    assert size.flash < FLASH[1] // 4
    assert size.ram < RAM[1] // 4


def test_the_deepest_stack_takes_less_than_half_of_its_room(size: Size) -> None:
    assert 0 < size.stack.size < size.stack_room // 2
    assert size.stack.main[0][0] == "main"


def test_there_is_no_heap_and_no_library(program: Program) -> None:
    assert not {"malloc", "free", "calloc", "sbrk", "_sbrk", "printf", "exit", "abort"} & set(program.symbols)


def test_it_begins_with_the_stack_and_the_reset_handler(program: Program) -> None:
    vectors = program.content(0, 8)
    assert int.from_bytes(vectors[:4], "little") == program.symbols["stack_top"].address
    assert int.from_bytes(vectors[4:], "little") == program.symbols["reset_handler"].address | 1


def test_the_stack_lies_lowest_so_that_one_that_runs_over_faults(program: Program) -> None:
    stack = next(section for section in program.sections if section.name == ".stack")
    assert stack.address == RAM[0]


def test_the_bound_is_that_of_the_deepest_call(program: Program) -> None:
    assert stack_bound(program, "modbus_serve", HANDLERS).size < stack_bound(program, "main", HANDLERS).size
