"""Any bytes at any time: the node does what the sound requests among them ask, and nothing else.

What is sound is decided once more here, from the bytes on the wire with their times: blocks between silences of 3.5
characters (Serial Line V1.02, 2.5.1.1), sent with one setting, met by no break and no answer, with pymodbus's CRC.
The firmware's turn is `tests/firmware/test_fuzz_node.py`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from emulator.bus import LineSettings
from emulator.ports.protocol_emu import Serial, port_on
from emulator.world import World, WorldConfig
from rig.protocol import Diagnose, ReadHoldingRegisters, SubFunction, encode_frame
from tests.emulator.still_node import StillWorld
from tests.protocol.raw_requests import blocks, sensible_frames

SECOND_NS = 1_000_000_000
GOOD = LineSettings(115_200, parity="N")
READ = encode_frame(1, ReadHoldingRegisters(0, 29))
RESTART = encode_frame(1, Diagnose(SubFunction.RESTART_COMMUNICATIONS))
NODE_BAUD = 115_200


# -- what is on the wire, and what of it is sound ------------------------------------------------------


class Span(NamedTuple):
    """Bytes in a row, or a break (no bytes).

    Attributes:
        start_ns: begin of the first bit.
        end_ns: end of the last one.
        baud: bit/s.
        frame: data bits, parity and stop bits.
        data: the bytes.
    """

    start_ns: int
    end_ns: int
    baud: int
    frame: tuple[int, str, float]
    data: bytes


class Settings(NamedTuple):
    """What the node keeps whatever the master does (`WorldConfig` has the meaning)."""

    baud: int | None = None
    parity: str | None = None
    gaps: str = "lax"


class Answer(NamedTuple):
    """Bytes from the node, and whether something met them on the way."""

    start_ns: int
    end_ns: int
    data: bytes
    is_damaged: bool


def bits(frame: tuple[int, str, float]) -> float:
    """Of one character, start bit included."""
    data_bits, parity, stop_bits = frame
    return 1 + data_bits + (parity != "N") + stop_bits


def silence_ns(span: Span) -> int:
    """3.5 characters, but 1.75 ms above 19,200 bit/s."""
    return 1_750_000 if span.baud > 19_200 else -int(-3.5 * bits(span.frame) * SECOND_NS // span.baud)


def pause_ns(span: Span) -> int:
    """1.5 characters, but 0.75 ms above 19,200 bit/s."""
    return 750_000 if span.baud > 19_200 else -int(-1.5 * bits(span.frame) * SECOND_NS // span.baud)


def sound_requests(spans: list[Span], answers: list[Answer], node: Settings) -> list[bytes]:
    """What a node understands of what was on the wire, in order."""
    blocks: list[list[Span]] = []
    for span in sorted(spans, key=lambda span: span.start_ns):
        last = max(blocks[-1], key=lambda span: span.end_ns) if blocks else None
        if last is None or span.start_ns >= last.end_ns + silence_ns(last):
            blocks.append([])
        blocks[-1].append(span)
    return [b"".join(span.data for span in block) for block in blocks if _is_sound(block, answers, node)]


def _is_sound(block: list[Span], answers: list[Answer], node: Settings) -> bool:
    data = b"".join(span.data for span in block)
    first = block[0]
    start_ns, end_ns = first.start_ns, max(span.end_ns for span in block)
    return (
        all(span.data for span in block)
        and {(span.baud, span.frame) for span in block} == {(first.baud, first.frame)}
        and first.frame[0] == 8
        and (node.baud is None or abs(first.baud - node.baud) <= 0.02 * node.baud)
        and node.parity in (None, first.frame[1])
        and not (node.gaps == "strict" and any(b.start_ns - a.end_ns > pause_ns(a) for a, b in pairwise(block)))
        and not any(answer.start_ns < end_ns and answer.end_ns > start_ns for answer in answers)
        and 4 <= len(data) <= 256
        and FramerRTU.compute_CRC(data[:-2]) == int.from_bytes(data[-2:], "big")
    )


@dataclass
class Wire:
    """A node, a port to it, and a record of what is on the wire between them.

    Attributes:
        node: its settings.
        spans: what the master has put there.
        answers: what the node has.
    """

    node: Settings
    world: StillWorld = field(init=False)
    port: Serial = field(init=False)
    spans: list[Span] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    _free_ns: int = 0
    _break_ns: int | None = None

    def __post_init__(self) -> None:
        self.world = StillWorld(*self.node)
        self.world.bus.on_frame = self._tap
        self.port = port_on(self.world, baudrate=GOOD.baud, parity=GOOD.parity, timeout=0)  # type: ignore[arg-type]

    def _tap(self, start_ns: int, end_ns: int, direction: str, data: bytes, comment: str) -> None:
        if direction == "response":
            self.answers.append(Answer(start_ns, end_ns, data, bool(comment)))

    @property
    def frame(self) -> tuple[int, str, float]:
        return self.port.bytesize, self.port.parity, self.port.stopbits

    def wait(self, pause_ns: int) -> None:
        self.world.run_until(self.world.now_ns + pause_ns)

    def drain(self, pause_ns: int) -> None:
        """Wait until everything has left, and so much longer."""
        self.port.flush()
        self.wait(pause_ns)
        self.world.bus.read(10_000)  # takes no time, other than reading from the port

    def gap(self, more_ns: int) -> None:
        """Wait until everything has left, and for as long as ends a frame and a little more or less."""
        line = Span(0, 0, self.port.baudrate, self.frame, b"")
        self.drain(max(silence_ns(line) + more_ns, 0))

    def send(self, data: bytes) -> None:
        start_ns = max(self._free_ns, self.world.now_ns)
        self._free_ns = start_ns - int(-len(data) * bits(self.frame) * SECOND_NS // self.port.baudrate)
        self.spans.append(Span(start_ns, self._free_ns, self.port.baudrate, self.frame, data))
        self.port.write(data)

    def hold(self) -> None:
        if self._break_ns is None:
            self._break_ns = self.world.now_ns
            self.port.break_condition = True

    def let_go(self) -> None:
        if self._break_ns is not None:
            self.port.break_condition = False
            self.spans.append(Span(self._break_ns, self.world.now_ns, self.port.baudrate, self.frame, b""))
            self._free_ns = max(self._free_ns, self.world.now_ns)
            self._break_ns = None

    def tune(self, line: LineSettings) -> None:
        self.port.baudrate = line.baud
        self.port.bytesize, self.port.parity, self.port.stopbits = line.data_bits, line.parity, line.stop_bits

    def end(self) -> list[bytes]:
        """Let go of the line, wait for silence, and say which requests were sound."""
        self.let_go()
        self.drain(SECOND_NS)
        return sound_requests(self.spans, self.answers, self.node)

    def ask(self, request: bytes) -> bytes:
        """One request with silence before and after it, in settings that the node understands."""
        self.tune(GOOD)
        self.port.reset_input_buffer()
        self.port.write(request)
        self.wait(SECOND_NS)
        return self.port.read(300)


# -- the fuzz ------------------------------------------------------------------------------------------

lines = st.sampled_from(
    [
        GOOD,
        GOOD,
        GOOD,
        LineSettings(115_200, parity="E"),
        LineSettings(114_000, parity="N"),
        LineSettings(111_000, parity="N"),
        LineSettings(9_600, parity="N"),
        LineSettings(19_200, stop_bits=2),
        LineSettings(115_200, 7, "E"),
    ]
)
edges_ns = [edge + step for edge in (GOOD.pause_ns, GOOD.silence_ns) for step in (-1, 0, 1)]
pauses_ns = st.one_of(st.integers(0, 6_000_000), st.sampled_from((0, 0, GOOD.char_ns, *edges_ns, SECOND_NS // 20)))
near_silence_ns = st.sampled_from((-1, 0, 1, -40_000, 40_000, -500_000))
pieces = st.one_of(sensible_frames, sensible_frames, blocks, st.binary(min_size=1, max_size=20))
Act = tuple[str, int | bytes | LineSettings | None]
APART: Act = ("drain", SECOND_NS // 20)


def whole(pieces: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[Act]]:
    """Bytes with much silence before and after them."""
    return pieces.map(lambda piece: [APART, ("send", piece), APART])


@st.composite
def cut(draw: st.DrawFn) -> list[Act]:
    """A piece in two parts, with something in between."""
    piece = draw(sensible_frames)
    place = draw(st.integers(1, len(piece) - 1))
    between: Act = draw(
        st.one_of(
            st.tuples(st.just("drain"), pauses_ns),
            st.tuples(st.just("gap"), near_silence_ns),
            st.tuples(st.just("tune"), lines),
        )
    )
    return [APART, ("send", piece[:place]), between, ("send", piece[place:]), APART]


@st.composite
def followed(draw: st.DrawFn) -> list[Act]:
    """A piece, and another or a break soon after it, perhaps into the answer."""
    pause: Act = draw(
        st.one_of(
            st.tuples(st.just("drain"), st.integers(0, 6_000_000)),
            st.tuples(st.just("gap"), near_silence_ns),
        )
    )
    then: list[Act] = draw(
        st.one_of(
            sensible_frames.map(lambda frame: [("send", frame)]),
            pauses_ns.map(lambda long: [("hold", None), ("wait", long), ("let_go", None)]),
        )
    )
    return [APART, ("send", draw(sensible_frames)), pause, *then, APART]


def alone(name: str, values: st.SearchStrategy[int | bytes | LineSettings | None]) -> st.SearchStrategy[list[Act]]:
    return values.map(lambda value: [(name, value)])


acts = st.one_of(
    whole(pieces),
    whole(sensible_frames).map(lambda plan: [("let_go", None), ("tune", GOOD), *plan]),
    cut(),
    followed(),
    alone("send", pieces),
    alone("wait", pauses_ns),
    alone("tune", lines),
    st.sampled_from(([("hold", None)], [("let_go", None)])),
)


def asks_for_a_counter(request: bytes) -> bool:
    """What damaged bytes before it change the answer to, rightly."""
    return request[1] == Diagnose.function and request[2:4] != b"\0\0"


nodes = st.builds(
    Settings, st.sampled_from((None, NODE_BAUD)), st.sampled_from((None, None, "N")), st.sampled_from(("lax", "strict"))
)


@given(nodes, st.lists(acts, min_size=8, max_size=30))
@settings(deadline=None, max_examples=250)
def test_the_node_does_what_the_sound_requests_ask_and_nothing_else(node: Settings, plan: list[list[Act]]) -> None:
    wire = Wire(node)
    for act in plan:
        for name, value in act:
            getattr(wire, name)(*(() if value is None else (value,)))
    sound = wire.end()
    event(f"{min(len(sound), 5)} sound requests")

    clean = Wire(Settings())
    answers = [(request, answer) for request in sound if (answer := clean.ask(request))]
    assert wire.world.tables == clean.world.tables
    assert [len(answer.data) for answer in wire.answers] == [len(expected) for _, expected in answers]
    for got, (request, expected) in zip(wire.answers, answers, strict=True):
        assert got.data == expected or got.is_damaged or asks_for_a_counter(request)
    known, known_clean = wire.world.node.state.diagnostics, clean.world.node.state.diagnostics
    assert known.listen_only == known_clean.listen_only
    if known.listen_only:
        clean.ask(RESTART)
        assert wire.ask(RESTART) == b""
    assert wire.ask(READ) == clean.ask(READ) != b""


# -- and the press behind it ---------------------------------------------------------------------------


@functools.cache
def _running() -> World:
    return World(WorldConfig(start="running"))


def _spoil(frame: bytes, place: int, change: int) -> bytes:
    spoilt = bytearray(frame)
    spoilt[place % len(frame)] ^= change
    return bytes(spoilt)


wrong = st.builds(_spoil, sensible_frames, st.integers(0, 300), st.sampled_from([1 << bit for bit in range(8)]))


@given(st.lists(st.tuples(wrong, pauses_ns), min_size=1, max_size=8))
@settings(deadline=None, max_examples=40)
def test_to_the_press_bytes_that_are_no_request_are_silence(noise: list[tuple[bytes, int]]) -> None:
    silent, noisy = _running().fork(), _running().fork()
    port = port_on(noisy, baudrate=GOOD.baud, parity=GOOD.parity, timeout=0)
    for data, pause_ns in noise:
        port.write(data)
        port.flush()
        noisy.run_until(noisy.now_ns + GOOD.silence_ns + pause_ns)
    end_ns = noisy.now_ns + SECOND_NS // 5
    for world in (silent, noisy):
        world.run_until(end_ns)
    assert noisy.bus.read(300) == b""  # to read in vain from the port would take time, and perhaps a scan
    assert np.array_equal(noisy.node.commands.vector, silent.node.commands.vector)
    assert np.array_equal(noisy.node.bank.state.image, silent.node.bank.state.image)
    assert np.array_equal(noisy.truth.vector(), silent.truth.vector())
