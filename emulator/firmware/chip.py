"""An LM3S6965 that executes the firmware, instruction by instruction, in lockstep with virtual time.

The processor is the Unicorn engine's Cortex-M3. It sleeps in `wfi`; whoever has something for it says when, and what:
bytes that have come, or until when time passes. Ticks of SysTick and the timer wake it by themselves. It is woken, and
runs until it sleeps again, in one go; what it does takes the time of its instructions (`cycles`). Until then it is
busy: what else happens is seen by its interrupts at once, and by its loop when it is free. All that it remembers
stands in memory (`ChipState`): registers hold nothing over a sleep.

Memory and most peripherals are plain arrays, which the engine works on directly; `machine` is the rest.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emulator.config import ConfigError
from emulator.firmware.chip_state import DEVICE_PAGES, FLASH, PAGE, RAM, ChipState
from emulator.firmware.console import Console
from emulator.firmware.cycles import EXCEPTION_CYCLES, total_cycles
from emulator.firmware.elf import Program
from emulator.firmware.fault import failed, gave_up, hangs
from emulator.firmware.machine import (
    BEGAN,
    DONE,
    DUE,
    HANGS,
    KEPT,
    LEFT,
    LIMIT,
    NEVER,
    NOW,
    PERIOD,
    RESETS,
    STOPPED,
    TICK,
    Machine,
)  # fmt: skip

__all__ = ["IO_PLACE", "Chip", "has_engine"]

CYCLE_NS: Final = 20
UART: Final = 0x4000_C000
UART_FIFO: Final = 16
CONSOLE: Final = 0x4000_D000
PORT_A_DATA: Final = 0x4000_4000
PORT_D: Final = 0x4000_7000
TIMER: Final = 0x4003_0000
CORE: Final = 0xE000_E000
SYSCTL_RIS: Final = 0x400F_E050
PLL_LOCKED: Final = 1 << 6
RETURN: Final = FLASH[1] - 16
"""Where interrupts return to: a place in flash where no code is."""
CALLS: Final = FLASH[1] - 64
"""Where calls of the handlers are put that go on behind the sleep, as an exception's return does."""
CALL_SIZE: Final = 8
PATIENCE: Final = 500_000_000 // CYCLE_NS
"""Cycles after which the board's watchdog would start it anew."""
IO_PLACE: Final = RAM[1] - 2048
"""Where the I/O block stands in RAM; firmware_stubs/boards/lm3s6965/io.h says what is in it."""


def _place(address: int) -> int:
    """Where a peripheral's register stands in the words of the state."""
    return DEVICE_PAGES.index(address & ~(PAGE - 1)) * (PAGE // 4) + (address & (PAGE - 1)) // 4


_PLACE_RIS = _place(SYSCTL_RIS)


def has_engine() -> bool:
    """Say whether the Unicorn engine is installed."""
    return importlib.util.find_spec("unicorn") is not None


class Chip:
    """A chip with a program in its flash.

    Args:
        program: the linked firmware.
        state: where it stands; None for a chip without power.
        fifo: bytes that its UART takes to send; None for a whole answer.
        loaded: what else stands in its flash, by address.

    Attributes:
        state: all that makes its future.
        machine: time, SysTick, and what goes in and out of the UART.
        console: what it says on UART 1.
    """

    def __init__(
        self,
        program: Program,
        state: ChipState | None = None,
        fifo: int | None = None,
        loaded: Mapping[int, bytes] | None = None,
    ) -> None:
        try:
            # imported by name, for its types are those of another version of itself
            unicorn: Any = importlib.import_module("unicorn")
            arm: Any = importlib.import_module("unicorn.arm_const")
            library: Any = importlib.import_module("unicorn.unicorn_py3.unicorn").uclib
        except ImportError:
            raise ConfigError("executing the firmware needs the Unicorn engine: pip install unicorn") from None
        self.program = program
        self.state = state or ChipState()
        self.machine = Machine(_costs(program)) if fifo is None else Machine(_costs(program), fifo)
        self.console = Console()
        self._is_placed = False  # whether the stack pointer is where the state says
        self._sp, self._lr, self._pc = arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_PC
        symbols = program.symbols
        self._scan = symbols["node_scan"].address if "node_scan" in symbols else None
        self._sleep = symbols["board_sleep"].address & ~1
        self._handlers = {name: symbols[f"{name}_handler"].address | 1 for name in ("systick", "uart0", "timer0")}
        self._stack_top = symbols["stack_top"].address
        engine: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        engine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M3)
        engine.ctl_set_tlb_mode(unicorn.UC_TLB_VIRTUAL)  # `Machine` says what pages are for
        engine.mem_map(*FLASH, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        for section in program.sections:
            if section.address is not None and section.data:
                address = section.address
                if address >= RAM[0]:  # what variables begin with stands in flash, and start-up copies it
                    address += symbols["data_load"].address - symbols["data_start"].address
                engine.mem_write(address, section.data)
        for place, content in (loaded or {}).items():
            engine.mem_write(place, content)
        for number, handler in enumerate(self._handlers.values()):
            here = CALLS + number * CALL_SIZE
            engine.mem_write(here, _jump(here, handler, links=True) + _jump(here + 4, self._sleep + 2, links=False))
        self._calls = {name: CALLS + number * CALL_SIZE | 1 for number, name in enumerate(self._handlers)}
        data = unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE
        engine.mem_map_ptr(*RAM, data, self.state.ram.ctypes.data)
        for number, page in enumerate(DEVICE_PAGES):
            engine.mem_map_ptr(page, PAGE, data, self.state.devices.ctypes.data + number * PAGE)
        engine.mem_map(PORT_D, PAGE, data)  # is only ever written: which pin does what
        self.console.connect(engine, CONSOLE, PAGE)
        self.machine.connect(engine, {"uart": UART, "timer": TIMER, "core": CORE}, PAGE)
        # three calls for each wake-up: those of the Python interface take longer than what they call
        self._engine, self._handle = engine, engine._uch
        self._start, self._write, self._read = library.uc_emu_start, library.uc_reg_write, library.uc_reg_read
        self._word, self._after_sleep, self._return = ctypes.c_uint32(), self._sleep + 2 | 1, RETURN | 1
        self._reference = ctypes.byref(self._word)
        self._words = self.state.devices.view(np.uint32)
        self.machine.memory[KEPT] = self.state.registers
        self._cells = self.machine.memory.data  # read and written faster than the array

    # -- what happens to it --------------------------------------------------------------------------

    def power_on(self, before_scan: Callable[[], None] | None = None) -> None:
        """Reset at time 0; runs until it sleeps. What the I/O block holds is seen by its first scan.

        Args:
            before_scan: is called when its memory is ready, and nothing was done yet.
        """
        state = self.state
        state.ram[:IO_PLACE] = 0
        state.devices[:] = 0
        self.machine.clear()
        self.console.take()
        self._words[_PLACE_RIS] = PLL_LOCKED
        self._is_placed = True
        self._set(self._sp, self._stack_top)
        self.machine.memory[LIMIT] = PATIENCE
        start = self.program.entry | 1
        if before_scan is not None and self._scan is not None:
            self._engine.ctl_flush_tb()  # code that has run before was linked without a stop there
            self._run(start, self._scan)
            before_scan()
            start = self._scan | 1
        self._run_to_sleep(start)
        state.stack = self._get(self._sp)
        self.machine.memory[DONE] = self.machine.memory[NOW]
        state.registers[:] = self.machine.memory[KEPT]

    def receive(self, data: bytes, end_ns: int, character_ns: int, *, overrun: bool = False) -> None:
        """Bytes came without pause.

        Args:
            data: the bytes.
            end_ns: when the last of them was complete, since power-on.
            character_ns: duration of one.
            overrun: the UART has lost one behind the last.
        """
        self.run_until(end_ns - len(data) * character_ns)
        ends = [*range(UART_FIFO, len(data), UART_FIFO), len(data)] if data else []
        come_at = [_cycles(end_ns - (len(data) - end) * character_ns) for end in ends]
        for end, at, next_at in zip(ends, come_at, [*come_at[1:], None], strict=True):
            start = (end - 1) // UART_FIFO * UART_FIFO
            self.machine.come(data[start:end], overrun=overrun and end == len(data))
            self._wake("uart0", at, next_at)

    def run_until(self, time_ns: int) -> None:
        """Let time pass up to `time_ns`, since power-on: SysTick ticks, the timer runs out."""
        memory, until = self._cells, time_ns // CYCLE_NS
        while True:
            due, period = memory[DUE], memory[PERIOD]
            tick = memory[TICK] + period
            if period and tick <= until and (due == NEVER or tick <= due):
                memory[TICK] = tick
                self._wake("systick", tick)
            elif due != NEVER and due <= until:
                memory[DUE] = NEVER
                self._wake("timer0", due)
            else:
                break

    @property
    def due_ns(self) -> int | None:
        """When `run_until` has something to do, since power-on; None without."""
        memory = self.machine.memory
        due = [int(memory[DUE])] if memory[DUE] != NEVER else []
        if memory[PERIOD]:
            due.append(int(memory[TICK] + memory[PERIOD]))
        return min(due) * CYCLE_NS if due else None

    def pull(self, pins: int, levels: int) -> None:
        """What is connected to port A.

        Args:
            pins: those that the program looks at together, as bits.
            levels: of these, as bits: high or low.
        """
        self._words[_place(PORT_A_DATA + (pins << 2))] = levels & pins

    def pins(self, pins: int) -> int:
        """How they are connected, as by `pull`."""
        return int(self._words[_place(PORT_A_DATA + (pins << 2))])

    @property
    def busy_until_ns(self) -> int:
        """When it has done all that it was woken up for, since power-on."""
        return self._cells[DONE] * CYCLE_NS

    @property
    def sent_ns(self) -> int:
        """When the first byte that it has sent began, since power-on."""
        return self._cells[BEGAN] * CYCLE_NS

    # -- how it runs ---------------------------------------------------------------------------------

    def _wake(self, handler: str, at: int, next_at: int | None = None) -> None:
        """An interrupt, and all that the program does before it sleeps again, or before `next_at`, when the next comes.

        The processor may have been told of what is later already, a scan for example: then it is busy until then, and
        its loop must not find silence where bytes are still to come.
        """
        memory = self._cells
        if not self._is_placed:
            self._set(self._sp, self.state.stack)
            self._is_placed = True
        if at >= memory[DONE]:
            # handlers leave the stack as the sleep left it; there is no exception's frame
            memory[NOW], memory[LIMIT] = at + EXCEPTION_CYCLES, at + PATIENCE
            self._run_to_sleep(self._calls[handler])
            memory[DONE] = memory[NOW]
        else:
            self._interrupt(handler, at)
            is_interrupted_again = next_at is not None and next_at < memory[DONE]
            if not is_interrupted_again and not self._is_ticked_again():
                self._resume()
        while self.machine.is_full:
            self.machine.ask_for_more()
            self._interrupt("uart0", max(memory[NOW], memory[LEFT]))
            self._resume()
        self.state.registers[:] = self.machine.memory[KEPT]

    def _interrupt(self, handler: str, at: int) -> None:
        """It interrupts what the program does, and makes that take longer."""
        memory = self._cells
        memory[NOW], memory[LIMIT] = at + EXCEPTION_CYCLES, at + PATIENCE
        self._set(self._lr, self._return)
        self._run(self._handlers[handler], RETURN)
        memory[DONE] = max(memory[DONE], at) + memory[NOW] - at

    def _is_ticked_again(self) -> bool:
        """Whether SysTick begins anew before the program comes to see the last interrupt."""
        memory = self._cells
        return 0 < memory[PERIOD] <= memory[DONE] - memory[TICK]

    def _resume(self) -> None:
        """Go on behind `wfi`, when the processor is free."""
        memory = self._cells
        memory[NOW], memory[LIMIT] = memory[DONE], memory[DONE] + PATIENCE
        self._run_to_sleep(self._after_sleep)
        memory[DONE] = memory[NOW]

    def _set(self, register: int, value: int) -> None:
        self._word.value = value
        self._write(self._handle, register, self._reference)

    def _get(self, register: int) -> int:
        self._read(self._handle, register, self._reference)
        return self._word.value

    def _run_to_sleep(self, start: int) -> None:
        """Run until `wfi`; nothing else ends a run that nobody stopped."""
        status = self._start(self._handle, start, RETURN, 0, 0)
        if status or self._cells[STOPPED]:
            self._fail(status, self._get(self._pc) & ~1)

    def _run(self, start: int, end: int) -> None:
        """Run to where the program is stopped; it must end there."""
        status = self._start(self._handle, start, end, 0, 0)
        address = self._get(self._pc) & ~1
        if status or address != end:
            self._fail(status, address)

    def _fail(self, status: int, address: int) -> None:
        why = self._cells[STOPPED]
        if why == HANGS:
            raise hangs(self.program, address, PATIENCE * CYCLE_NS // 1_000_000)
        if why == RESETS:
            raise gave_up(self.program, address)
        raise failed(self.program, self._engine, status, address)


def _jump(here: int, target: int, *, links: bool) -> bytes:
    """The instruction `bl` (links) or `b.w` at a place."""
    distance = (target & ~1) - here - 4
    sign = distance >> 24 & 1
    j1, j2 = (distance >> bit & 1 ^ sign ^ 1 for bit in (23, 22))
    first = 0xF000 | sign << 10 | distance >> 12 & 0x3FF
    return struct.pack("<HH", first, 0x9000 | links << 14 | j1 << 13 | j2 << 11 | distance >> 1 & 0x7FF)


def _cycles(time_ns: int) -> int:
    """The first cycle that is not before a time."""
    return -(-time_ns // CYCLE_NS)


@functools.lru_cache(maxsize=8)
def _costs(program: Program) -> NDArray[np.int64]:
    return total_cycles(program, FLASH[1])
