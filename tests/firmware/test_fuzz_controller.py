"""Any answers, buttons, recipes and bytes: the embedded controller under sanitizers goes on asking, and stays safe.

The press is played by the test: it answers what is right for production, but for the words that Hypothesis changes.
Minutes between two cycles let states end, so that short examples get through all of them.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.controller.machine_facts import load_machine_facts
from rig.embedded import recipe_block
from rig.protocol import append_crc, crc16
from rig.protocol.registers_file import default_registers
from rig.recipe import load_recipe
from tests.firmware.pair import TIMING, needs_compiler
from tests.firmware.sanitized import Sanitized

pytestmark = needs_compiler

REGISTERS = default_registers()
REFERENCE = load_recipe("reference")
LONG = REFERENCE.model_copy(update={"sheet": REFERENCE.sheet.model_copy(update={"length_m": 1000.0})})
RECIPE = recipe_block(LONG, load_machine_facts(), REGISTERS)
RECIPE_FORM = "<3I17i"
SENSED = 83
START, STOP, RESET, ABORT, HOLD, RESUME = (1 << bit for bit in range(6))
CYCLE_NS = 100_000_000
LEAP_NS = 55_000_000_000
"""Two of them are longer than any goal has to hold, and shorter than any state may take."""
VALUES = {
    **dict.fromkeys((name for name in REGISTERS.tags if name.startswith("heat_") and name.endswith("ature_c")), 112.0),
    **dict.fromkeys((name for name in REGISTERS.tags if name.startswith("cold_") and name.endswith("ature_c")), 15.0),
    **dict.fromkeys(("entry_drum_upper_temperature_c", "entry_drum_lower_temperature_c"), 112.0),
    **dict.fromkeys(("entry_left_clearance_um", "entry_right_clearance_um"), 3200.0),
    **{f"{place}_{side}_clearance_um": 600.0 for place in ("taper_end", "cold") for side in ("left", "right")},
    **dict.fromkeys(("belt_upper_speed_m_min", "belt_lower_speed_m_min"), 1.0),
    **dict.fromkeys(("exit_thickness_um", "recovered_thickness_um"), 655.0),
    **{f"{place}_left_line_force_kn": 5.0 for place in ("taper_end", "cold")},
    "sheet_exit_temperature_c": 20.0,
}
ON = ("tension_ready", "coolant_flowing", "belts_moving")
SHEET = ("sheet_at_entry", "sheet_at_exit", "sheet_at_recovered_gauge")


def bits(*names: str) -> int:
    return sum(1 << REGISTERS.tags[name].address for name in names)


CONTACTS = REGISTERS.tags["contacts_word"].address
ALARMS = REGISTERS.tags["alarm_word"].address
HEATING, DRIVES, FEED, FAST_OPEN, DIVERT = (
    bits(name) for name in ("heating_enable", "drives_enable", "feed_enable", "fast_open", "scrap_divert")
)


@dataclass
class Press:
    """What the controller talks to: answers all requests at once, and keeps what it is told."""

    controller: Sanitized
    now_ns: int = 0
    position_mm: int = 0
    switches: int = 0
    asked: list[bytes] = field(default_factory=list)

    def power_on(self, recipe: bytes = RECIPE) -> None:
        self.controller.tell(b"P" + recipe)

    def words(self, changes: Mapping[int, int]) -> list[int]:
        words = [0] * SENSED
        told = {
            **VALUES,
            "sample_time_ms": self.now_ns // 10**6 % 2**32,
            "uptime_s": self.now_ns // 10**9 % 2**32,
            "node_heartbeat": self.now_ns // CYCLE_NS % 2**16,
        }
        for name, value in told.items():
            tag = REGISTERS.tags[name]
            words[tag.address : tag.address + tag.count] = tag.encode(value)
        for name in ("belt_upper_position_m", "belt_lower_position_m"):
            address = REGISTERS.tags[name].address
            words[address : address + 2] = divmod(self.position_mm % 2**32, 2**16)
        words[CONTACTS] = bits(*ON, *SHEET)
        for address, word in changes.items():
            words[address] = word
        return words

    def answer(self, request: bytes, changes: Mapping[int, int]) -> bytes:
        unit, function, address, count = struct.unpack(">BBHH", request[:6])
        if function == 4:
            identity = REGISTERS.tags["press_identity"].values["virtual"], REGISTERS.format
            words = identity if address == 100 else self.words(changes)
            return append_crc(struct.pack(f">BBB{count}H", unit, function, 2 * count, *words))
        if function == 15:
            self.switches = int.from_bytes(request[7:-2], "little")
        return append_crc(request[:6])

    def cycle(self, after_ns: int = CYCLE_NS, changes: Mapping[int, int] = {}, *, requests: int = 0) -> None:
        """The next cycle, in which the press senses what is right but for these words."""
        self.now_ns += after_ns
        self.controller.tell(struct.pack("=cH", b"B", requests))
        self.controller.tell(struct.pack("=cq", b"C", self.now_ns))
        now_ns, self.asked = self.now_ns, []
        while request := self.controller.attend(now_ns):
            self.asked.append(request)
            answer = self.answer(request, changes)
            now_ns += (len(request) + len(answer)) * TIMING.char_ns + 10**6
            self.controller.hear(answer, now_ns)
            now_ns += TIMING.t3_5_ns

    def said(self) -> list[str]:
        return self.controller.ask(b"T").decode().split("\r\n")[:-1]

    def run_until_production(self) -> None:
        """As fast as the goals let it: PRODUCE, and product on its way to the reel."""
        self.cycle()
        self.cycle(requests=START)
        for _ in range(20):
            self.position_mm += 1000
            self.cycle(LEAP_NS)


@functools.cache
def sanitized(board: str) -> Sanitized:
    return Sanitized(board)


@pytest.fixture(scope="module", params=["controller-ubsan", "controller-asan"])
def program(request: pytest.FixtureRequest) -> Iterator[Sanitized]:
    return sanitized(request.param)


words = st.one_of(st.integers(0, 0xFFFF), st.sampled_from((0, 1, 0x7FFF, 0x8000, 0xFFFF)))
changes = st.dictionaries(st.integers(0, SENSED - 1), words, max_size=6)
contacts = st.sampled_from(
    (0, bits(*ON), bits(*ON, *SHEET), bits(*ON, "press_open"), bits(*ON, "sheet_at_exit"), 0xFFFF)
)
leaps_ns = st.sampled_from((CYCLE_NS, CYCLE_NS, 10**9, LEAP_NS, 2**31 * 10**6, 2**32 * 10**6 + CYCLE_NS))
buttons = st.one_of(st.just(0), st.sampled_from((START, STOP, RESET, ABORT, HOLD, RESUME)), st.integers(0, 0xFFFF))
ways_mm = st.one_of(st.integers(0, 5000), st.integers(-(2**31), 2**31 - 1))
cycles = st.lists(st.tuples(leaps_ns, contacts, changes, buttons, ways_mm), max_size=25)
numbers = st.one_of(st.integers(-(2**31), 2**31 - 1), st.integers(-5, 70_000))


def play(press: Press, drawn: Sequence[tuple[int, int, dict[int, int], int, int]]) -> None:
    for after_ns, word, changed, requests, way_mm in drawn:
        press.position_mm += way_mm
        press.cycle(after_ns, {CONTACTS: word, **changed}, requests=requests)
        assert press.asked


def test_the_played_press_gets_the_controller_into_production(program: Sanitized) -> None:
    press = Press(program)
    press.power_on()
    press.run_until_production()
    assert "state produce" in press.said()
    assert press.switches & (HEATING | DRIVES | FEED) == HEATING | DRIVES | FEED


@given(st.booleans(), cycles)
@settings(deadline=None, max_examples=60)
def test_any_answers_and_buttons_are_survived(program: Sanitized, produces: bool, drawn: list) -> None:  # type: ignore[type-arg]
    press = Press(program)
    press.power_on()
    if produces:
        press.run_until_production()
    play(press, drawn)


@given(st.lists(numbers, min_size=17, max_size=17), st.integers(0, 3), cycles)
@settings(deadline=None, max_examples=60)
def test_any_recipe_with_a_sound_checksum_is_survived(
    program: Sanitized,
    drawn: list[int],
    flags: int,
    then: list,  # type: ignore[type-arg]
) -> None:
    head = struct.unpack(RECIPE_FORM, RECIPE[:-4])
    block = struct.pack(RECIPE_FORM, *head[:2], flags, *drawn)
    press = Press(program)
    press.power_on(block + struct.pack("<I", crc16(block)))
    play(press, then)


@given(st.integers(0, len(RECIPE) - 1), st.integers(1, 255), cycles)
@settings(deadline=None, max_examples=30)
def test_without_a_sound_recipe_the_press_opens_and_stays_cold(
    program: Sanitized,
    place: int,
    flip: int,
    drawn: list,  # type: ignore[type-arg]
) -> None:
    damaged = bytearray(RECIPE)
    damaged[place] ^= flip
    press = Press(program)
    press.power_on(bytes(damaged))
    press.cycle()
    assert press.switches & (HEATING | FEED) == 0
    assert press.switches & FAST_OPEN
    assert "alarm no_recipe" in press.said()
    for after_ns, word, changed, requests, way_mm in drawn:
        press.position_mm += way_mm
        press.cycle(after_ns, {CONTACTS: word, **changed}, requests=requests)
        assert press.switches & (HEATING | FEED) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 4_000_000), st.one_of(st.binary(max_size=20), st.binary(max_size=600))), max_size=9
    )
)
@settings(deadline=None, max_examples=60)
def test_after_any_bytes_at_any_time_the_controller_asks_again(
    program: Sanitized, heard: list[tuple[int, bytes]]
) -> None:
    press = Press(program)
    press.power_on()
    press.cycle()
    now_ns = press.now_ns
    for pause_ns, data in heard:
        now_ns += pause_ns + len(data) * TIMING.char_ns
        program.hear(data, now_ns)
        program.attend(now_ns)
    press.now_ns = now_ns + LEAP_NS
    program.attend(press.now_ns)
    press.cycle()
    assert press.asked


@pytest.mark.parametrize("begins_mm", [0, 2**31 - 9000, 2**32 - 9000])
def test_positions_of_the_belts_that_wrap_do_not_disturb_production(program: Sanitized, begins_mm: int) -> None:
    press = Press(program, position_mm=begins_mm)
    press.power_on()
    press.run_until_production()
    assert "state produce" in press.said()
    assert not press.switches & DIVERT


def test_heat_comes_back_only_after_belts_have_moved_for_a_while(program: Sanitized) -> None:
    press = Press(program)
    press.power_on()
    press.run_until_production()
    standing = {CONTACTS: bits("tension_ready", "coolant_flowing", *SHEET)}
    press.cycle(changes=standing)
    assert not press.switches & HEATING
    waited = 0
    while not press.switches & HEATING:
        press.cycle()
        waited += 1
    assert waited == pytest.approx(55, abs=1)
