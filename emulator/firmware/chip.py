"""An LM3S6965 that executes the firmware, instruction by instruction, in lockstep with virtual time.

The processor is the Unicorn engine's Cortex-M3. It sleeps in `wfi`; whoever has something for it says when, and what:
bytes that have come, a tick, a timer that has run out. It is woken, runs until it sleeps again, and no time passes
meanwhile. All that it remembers stands in memory (`ChipState`): registers hold nothing over a sleep.

Memory and most peripherals are plain arrays, which the engine works on directly. Only the UART has to be asked and told
byte by byte (`uart`).
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emulator.config import ConfigError
from emulator.firmware.chip_state import DEVICE_PAGES, FLASH, PAGE, RAM, ChipState
from emulator.firmware.elf import Program
from emulator.firmware.uart import Uart

__all__ = ["IO_PLACE", "Chip", "FirmwareFault", "has_engine"]

Bytes = NDArray[np.uint8]

CYCLE_NS: Final = 20
UART: Final = 0x4000_C000
UART_FIFO: Final = 16
TIMER_CTL: Final = 0x4003_000C
TIMER_TAILR: Final = 0x4003_0028
SYST_RVR: Final = 0xE000_E014
SYST_CVR: Final = 0xE000_E018
SYSCTL_RIS: Final = 0x400F_E050
PLL_LOCKED: Final = 1 << 6
RETURN: Final = FLASH[1] - 16
"""Where interrupts return to: a place in flash where no code is."""
PATIENCE_S: Final = 2.0
"""A run takes less than a millisecond; one that takes more than this does not end."""
IO_PLACE: Final = RAM[1] - 2048
"""Where the I/O block stands in RAM; firmware_stubs/boards/lm3s6965/io.h says what is in it."""


def _place(address: int) -> int:
    """Where a peripheral's register stands in the words of the state."""
    return DEVICE_PAGES.index(address & ~(PAGE - 1)) * (PAGE // 4) + (address & (PAGE - 1)) // 4


_PLACE_CTL, _PLACE_TAILR, _PLACE_RVR, _PLACE_CVR, _PLACE_RIS = map(
    _place, (TIMER_CTL, TIMER_TAILR, SYST_RVR, SYST_CVR, SYSCTL_RIS)
)


class FirmwareFault(RuntimeError):
    """The firmware did what no program may; says where."""


def has_engine() -> bool:
    """Say whether the Unicorn engine is installed."""
    return importlib.util.find_spec("unicorn") is not None


class Chip:
    """A chip with a program in its flash.

    Args:
        program: the linked firmware.
        state: where it stands; None for a chip without power.
        fifo: bytes that its UART takes to send; None for a whole answer.

    Attributes:
        state: all that makes its future.
        uart: what goes in and out.
    """

    def __init__(self, program: Program, state: ChipState | None = None, fifo: int | None = None) -> None:
        try:
            # imported by name, for its types are those of another version of itself
            unicorn: Any = importlib.import_module("unicorn")
            arm: Any = importlib.import_module("unicorn.arm_const")
        except ImportError:
            raise ConfigError("executing the firmware needs the Unicorn engine: pip install unicorn") from None
        self.program = program
        self.state = state or ChipState()
        self.uart = Uart() if fifo is None else Uart(fifo)
        self._is_placed = False  # whether the stack pointer is where the state says
        self._error: type[Exception] = unicorn.UcError
        self._sp, self._lr, self._pc = arm.UC_ARM_REG_SP, arm.UC_ARM_REG_LR, arm.UC_ARM_REG_PC
        symbols = program.symbols
        self._scan = symbols["node_scan"].address
        self._sleep = symbols["board_sleep"].address & ~1
        self._handlers = {name: symbols[f"{name}_handler"].address | 1 for name in ("systick", "uart0", "timer0")}
        self._stack_top = symbols["stack_top"].address
        engine: Any = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        engine.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M3)
        engine.mem_map(*FLASH, unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC)
        for section in program.sections:
            if section.address is not None and section.data:
                engine.mem_write(section.address, section.data)
        data = unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE
        engine.mem_map_ptr(*RAM, data, self.state.ram.ctypes.data)
        for place, page in enumerate(DEVICE_PAGES):
            engine.mem_map_ptr(page, PAGE, data, self.state.devices.ctypes.data + place * PAGE)
        self.uart.connect(engine, UART, PAGE)
        self._engine = engine
        self._words = self.state.devices.view(np.uint32)

    # -- what happens to it --------------------------------------------------------------------------

    def power_on(self, before_scan: Callable[[], None] | None = None) -> None:
        """Reset at time 0; runs until it sleeps. What the I/O block holds is seen by its first scan.

        Args:
            before_scan: is called when its memory is ready, and nothing was done yet.
        """
        state = self.state
        state.ram[:IO_PLACE] = 0
        state.devices[:] = 0
        state.tick_ns, state.due_ns = 0, None
        self.uart.clear()
        self._words[_PLACE_RIS] = PLL_LOCKED
        self._is_placed = True
        self._engine.reg_write(self._sp, self._stack_top)
        start = self.program.entry
        if before_scan is not None:
            self._engine.ctl_flush_tb()  # code that has run before was linked without a stop there
            self._run(start | 1, self._scan)
            before_scan()
            start = self._scan
        self._run(start | 1, self._sleep)
        state.stack = self._engine.reg_read(self._sp)

    def tick(self, now_ns: int) -> None:
        """SysTick begins anew: a scan."""
        self.run_until(now_ns)
        self.state.tick_ns = now_ns
        self._wake("systick", now_ns)

    def receive(self, data: bytes, end_ns: int, character_ns: int, *, overrun: bool = False) -> None:
        """Bytes came without pause.

        Args:
            data: the bytes.
            end_ns: when the last of them was complete, since power-on.
            character_ns: duration of one.
            overrun: the UART has lost one behind the last.
        """
        self.run_until(end_ns - len(data) * character_ns)
        for start in range(0, len(data), UART_FIFO):
            piece = data[start : start + UART_FIFO]
            self.uart.come(piece, overrun=overrun and start + UART_FIFO >= len(data))
            self._wake("uart0", end_ns - (len(data) - start - len(piece)) * character_ns)

    def run_until(self, time_ns: int) -> None:
        """Let the timer run out as often as it does up to `time_ns`, since power-on."""
        due_ns = self.state.due_ns
        while due_ns is not None and due_ns <= time_ns:
            self._words[_PLACE_CTL] = 0
            self._wake("timer0", due_ns)
            due_ns = self.state.due_ns

    def _wake(self, handler: str, now_ns: int) -> None:
        """An interrupt, and all that the program does before it sleeps again."""
        words, state = self._words, self.state
        # a byte that came before the tick is heard behind it, and an answer is made a little ahead of its time
        left = int(words[_PLACE_RVR]) - (now_ns - state.tick_ns) // CYCLE_NS
        words[_PLACE_CVR] = left & 0xFFFF_FFFF
        self._interrupt(handler)
        self._resume()
        while self.uart.is_full:
            self.uart.ask_for_more()
            self._interrupt("uart0")
            self._resume()
        armed = words[_PLACE_CTL] & 1
        state.due_ns = now_ns + int(words[_PLACE_TAILR]) * CYCLE_NS if armed else None

    def _interrupt(self, handler: str) -> None:
        """Handlers find the stack as the sleep left it, and leave it so; the frame of an exception is not made."""
        if not self._is_placed:
            self._engine.reg_write(self._sp, self.state.stack)
            self._is_placed = True
        self._engine.reg_write(self._lr, RETURN | 1)
        self._run(self._handlers[handler], RETURN)

    def _resume(self) -> None:
        """Go on behind `wfi`."""
        self._run(self._sleep + 2 | 1, self._sleep)

    def _run(self, start: int, end: int) -> None:
        _GUARD.watch(self._engine)
        try:
            self._engine.emu_start(start, end)
        except self._error as error:
            where = self.program.where(self._engine.reg_read(self._pc) & ~1)
            raise FirmwareFault(f"the firmware failed in {where}: {error}") from error
        finally:
            _GUARD.leave()
        address = self._engine.reg_read(self._pc) & ~1
        if address != end:
            where = self.program.where(address)
            if _GUARD.has_stopped(self._engine):
                raise FirmwareFault(f"the firmware hangs in {where}; on the board its watchdog would start it anew")
            raise FirmwareFault(f"the firmware stopped in {where}")


class _Guard:
    """Ends programs that do not go to sleep any more: virtual time stands still for them, so nothing else could."""

    def __init__(self) -> None:
        self._running: Any = None
        self._runs = 0
        self._stopped: Any = None
        self._thread: threading.Thread | None = None

    def watch(self, engine: Any) -> None:
        """An engine begins to run."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, daemon=True, name="firmware guard")
            self._thread.start()
        self._runs += 1
        self._stopped = None
        self._running = engine

    def leave(self) -> None:
        """It has come back."""
        self._running = None

    def has_stopped(self, engine: Any) -> bool:
        """Say whether it was ended."""
        return self._stopped is engine

    def _look(self) -> None:
        never, before = threading.Event(), -1
        while not never.wait(PATIENCE_S):
            engine, runs = self._running, self._runs
            if engine is not None and runs == before:
                self._stopped = engine
                engine.emu_stop()
            before = runs


_GUARD: Final = _Guard()
