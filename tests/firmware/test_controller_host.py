"""The controller on the board `host`: told what the chip was told on its line, it asks and writes the same."""

from __future__ import annotations

import ctypes

from emulator.firmware.build import build
from rig.bench import open_press
from rig.controller.machine_facts import load_machine_facts
from rig.embedded import recipe_block
from rig.recipe import load_recipe
from tests.firmware.embedded import started
from tests.firmware.pair import needs_compiler, needs_engine

pytestmark = [needs_compiler, needs_engine]

CYCLE_NS = 100_000_000
START = 1
MAX_FRAME = 256


def test_the_host_build_does_on_the_line_what_the_chip_does() -> None:
    with open_press("emu://?start=warm") as bench:
        begin_ns = bench.clock.now_ns
        runner = started(bench)
        runner.run_for(5)
        assert bench.recorder is not None
        frames = [frame for frame in bench.recorder.recording().frames if frame.start_ns >= begin_ns]
        block = recipe_block(load_recipe("reference"), load_machine_facts(), bench.registers)
    asked = [frame.data for frame in frames if frame.direction == "request"]
    answers = [(frame.end_ns - begin_ns, frame.data) for frame in frames if frame.direction == "response"]
    # the button was seen by the cycle that began 0.5 s after power-on
    assert sends(block, answers, pressed_ns=5 * CYCLE_NS, until_ns=len(asked) * CYCLE_NS)[: len(asked)] == asked


def sends(block: bytes, answers: list[tuple[int, bytes]], *, pressed_ns: int, until_ns: int) -> list[bytes]:
    """What the host's controller sends when it is answered like this."""
    library = ctypes.CDLL(str(build("controller-host")))
    library.host_cycle.argtypes = (ctypes.c_int64,)
    library.host_hear.argtypes = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int64
    library.host_due_ns.restype = ctypes.c_int64
    library.host_attend.argtypes = ctypes.c_int64, ctypes.c_char_p
    library.host_attend.restype = ctypes.c_size_t
    library.host_power_on(block)
    room, sent, tick_ns, waiting = ctypes.create_string_buffer(MAX_FRAME), [], CYCLE_NS, list(answers)
    while waiting:
        now_ns = min(waiting[0][0], tick_ns, library.host_due_ns())
        if now_ns == waiting[0][0]:
            data = waiting.pop(0)[1]
            library.host_hear(data, len(data), now_ns)
        elif now_ns == tick_ns:
            if now_ns == pressed_ns:
                library.host_press(START)
            library.host_cycle(now_ns)
            tick_ns += CYCLE_NS
        size = library.host_attend(now_ns, room)
        if size:
            sent.append(room.raw[:size])
        assert now_ns < until_ns
    return sent
