"""A board with a Modbus master in its flash, on the line of a virtual press, in lockstep with virtual time.

The board is no part of the world: like every master it stands outside, sends bytes and waits for others. It runs for
as long as somebody lets it (`ChipMaster.run_until`), which moves the world as well; when nobody does, it stands still
as under a debugger, and the press is without a master.

The buttons are pins of port A, pressed is low; what the program says comes from UART 1. The place of the pins is that
of firmware_stubs/boards/lm3s6965/controller.c.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from emulator.config import ConfigError
from emulator.firmware.chip import UART_FIFO, Chip
from emulator.firmware.chip_state import FLASH, RAM, ChipState
from emulator.firmware.elf import Program
from emulator.state import copied
from emulator.wire.settings import LineSettings

if TYPE_CHECKING:
    from emulator.world import World

__all__ = ["BUTTONS", "ChipMaster"]

BUTTONS: Final[Mapping[str, int]] = {"start": 1 << 2, "stop": 1 << 3, "reset": 1 << 4, "abort": 1 << 5, "hold": 1 << 7}
"""Pins by what stands beside the button; `hold` is a switch."""
ALL_BUTTONS: Final = sum(BUTTONS.values())
LINE: Final = LineSettings(115_200)
CHARACTER_NS: Final = LINE.char_ns
RECIPE: Final = "recipe_in_flash"
NEEDED: Final = (
    "board_sleep", "systick_handler", "uart0_handler", "timer0_handler", "stack_top", "data_load", "data_start", RECIPE,
)  # fmt: skip
"""Symbols without which nobody can say where the program sleeps, what wakes it up, and where everything stands."""


@dataclass(slots=True, eq=False)
class MasterState:
    """All that makes the future of a board.

    Attributes:
        chip: its microcontroller.
        origin_ns: the world's time when the board's began; later by as long as it has stood still.
        stood_ns: the world's time when it last stood still; -1 for a board without power.
    """

    chip: ChipState = field(default_factory=ChipState)
    origin_ns: int = 0
    stood_ns: int = -1


class ChipMaster:
    """The board.

    Args:
        program: what is in its flash.
        recipe: the block that stands beside it.
        state: where it stands; None for a board without power.

    Raises:
        ConfigError: no engine, or a program that is not made for this.
    """

    def __init__(self, program: Program, recipe: bytes, state: MasterState | None = None) -> None:
        _check(program)
        self.program, self.recipe = program, recipe
        self.state = state or MasterState()
        self._chip = Chip(program, self.state.chip, loaded={program.symbols[RECIPE].address: recipe})
        if self.state.stood_ns < 0:
            self.press(())

    def copy(self) -> ChipMaster:
        """Another board that goes on like this one."""
        return ChipMaster(self.program, self.recipe, copied(self.state))

    def press(self, buttons: Collection[str]) -> None:
        """Buttons that are held down from now on, by what stands beside them; all others are not."""
        self._chip.pull(ALL_BUTTONS, ALL_BUTTONS & ~sum(BUTTONS[name] for name in buttons))

    def run_until(self, world: World, until_ns: int) -> str:
        """Let board and world run; what the board does at `until_ns` is left to the next call.

        Returns:
            What the board has said on UART 1.

        Raises:
            FirmwareFault: the program failed.
        """
        state, chip, bus = self.state, self._chip, world.bus
        if state.stood_ns < 0:
            state.origin_ns = world.now_ns
            pins = self._chip.pins(ALL_BUTTONS)
            chip.power_on()
            chip.pull(ALL_BUTTONS, pins)
        else:
            state.origin_ns += world.now_ns - state.stood_ns
        while True:
            own_ns = chip.due_ns
            due_ns = until_ns if own_ns is None else min(until_ns, state.origin_ns + own_ns)
            count, arrival_ns = self._expected(world)
            if count and arrival_ns <= due_ns:
                world.run_until(max(arrival_ns, world.now_ns))
                chip.receive(bus.read(count), world.now_ns - state.origin_ns, CHARACTER_NS)
            elif bus.due_ns is not None and bus.due_ns < due_ns:
                world.run_until(bus.due_ns)
            elif due_ns < until_ns:
                world.run_until(max(due_ns, world.now_ns))
                chip.run_until(world.now_ns - state.origin_ns)
            else:
                break
            self._send(world)
        world.run_until(max(until_ns, world.now_ns))
        bus.report_frames()
        state.stood_ns = world.now_ns
        return chip.console.take().decode("ascii", "replace")

    def _send(self, world: World) -> None:
        """What the program sends leaves when the processor has got to it."""
        chip = self._chip
        if not chip.machine.has_sent:
            return
        begin_ns = self.state.origin_ns + chip.sent_ns
        sent = chip.machine.take()
        world.run_until(max(begin_ns, world.now_ns))
        if world.bus.state.plugged:
            world.bus.transmit(sent, LINE)

    def _expected(self, world: World) -> tuple[int, int]:
        """How many bytes wake the board next, and when; 0 bytes if none are on their way."""
        replies = world.bus.state.replies
        if not replies:
            return 0, 0
        # the receiver is off while the board's own bytes are on the wire
        while replies and replies[0].comment == "echo" and replies[0].end_ns <= world.now_ns:
            world.bus.read(len(replies[0].data) - replies[0].read)
        if not replies:
            return 0, 0
        reply = replies[0]
        count = min(len(reply.data) - reply.read, UART_FIFO)
        return count, reply.arrival_ns(reply.read + count)


def _check(program: Program) -> None:
    """Say what is wrong with a program.

    Raises:
        ConfigError: something is.
    """
    missing = next((name for name in NEEDED if name not in program.symbols), None)
    if missing is not None:
        raise ConfigError(
            f"the program has no {missing}: an embedded controller is made like the one of firmware_stubs/"
        )
    for section in program.sections:
        if section.address is None or any(
            start <= section.address and section.address + section.size <= start + size for start, size in (FLASH, RAM)
        ):
            continue
        raise ConfigError(f"{section.name} of the program, at 0x{section.address:08x}, is outside the chip's memory")
