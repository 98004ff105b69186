"""The program for the microcontroller, executed: it does what the node in Python does, and sleeps in between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.firmware.build import build
from emulator.firmware.chip import Chip
from emulator.firmware.chip_state import RAM
from emulator.firmware.elf import Program
from emulator.firmware.report import measure
from emulator.state import copied
from rig.protocol import ReadInputRegisters, encode_frame
from tests.firmware.pair import SCAN_NS, TIMING, ChipPair, needs_compiler, needs_engine
from tests.firmware.test_scans import Step, Story, steps
from tests.protocol.raw_requests import blocks

pytestmark = [needs_compiler, needs_engine]

READ = encode_frame(1, ReadInputRegisters(0, 83))


@pytest.fixture
def program() -> Program:
    return Program(build("lm3s6965"))


@given(st.lists(blocks, min_size=1, max_size=10))
@settings(deadline=None, max_examples=60)
def test_answers_and_registers_are_those_of_the_node_in_python(sent: list[bytes]) -> None:
    pair = ChipPair()
    for block in sent:
        pair.exchange(block)


@given(st.booleans(), st.booleans(), st.lists(steps, min_size=4, max_size=20))
@settings(deadline=None, max_examples=40)
def test_outputs_and_registers_are_those_of_the_node_in_python(exact: bool, running: bool, told: list[Step]) -> None:
    story = Story(exact=exact, pair=ChipPair)
    if running:
        story.energise()
    for step in told:
        step(story)
    story.scan(1)


def test_it_uses_less_of_the_stack_than_its_bound_says(program: Program) -> None:
    chip = Chip(program)
    room = next(section.size for section in program.sections if section.name == ".stack")
    chip.power_on()
    chip.state.ram[: chip.state.stack - RAM[0]] = 0xA5
    for second in range(1, 20):
        chip.run_until(second * SCAN_NS)
        start_ns = second * SCAN_NS + 1_000_000
        chip.receive(READ, start_ns + len(READ) * TIMING.char_ns, TIMING.char_ns)
        chip.run_until(second * SCAN_NS + 30_000_000)
    used = room - int(np.flatnonzero(chip.state.ram[:room] != 0xA5)[0])
    assert 200 < used <= measure().stack.size


def test_a_copy_of_its_state_goes_on_as_it_does_whatever_the_registers_hold(program: Program) -> None:
    chip = Chip(program)
    chip.power_on()
    chip.run_until(SCAN_NS)
    other = Chip(program, copied(chip.state))
    for register in range(66, 79):  # r0 to r12
        other._engine.reg_write(register, 0xDEADBEE0 + register)
    for one in (chip, other):
        one.receive(READ, SCAN_NS + 10_000_000, TIMING.char_ns)
        one.run_until(2 * SCAN_NS)
    answer = chip.machine.take()
    assert answer == other.machine.take()
    assert len(answer) == 171
    in_use = chip.state.stack - RAM[0]  # what lies below is of calls that have returned
    assert chip.state.ram[in_use:].tobytes() == other.state.ram[in_use:].tobytes()


def test_an_answer_longer_than_the_fifo_is_sent_as_the_uart_asks_for_it(program: Program) -> None:
    answers = []
    for fifo in (16, None):
        chip = Chip(program, fifo=fifo)
        chip.power_on()
        chip.receive(READ, 10_000_000, TIMING.char_ns)
        chip.run_until(20_000_000)
        answers.append(chip.machine.take())
    assert answers[0] == answers[1]
    assert len(answers[0]) == 171
