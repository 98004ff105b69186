"""Listening: what was said is told as it was meant, and what went wrong is counted as it went wrong."""

from __future__ import annotations

import contextlib
import io
import json
import os
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.bench import Bench, open_press
from rig.errors import PortError, RigError, UsageError
from rig.protocol import (
    BROADCAST,
    Diagnose,
    ExceptionCode,
    ExceptionResponse,
    GetCommEventCounter,
    LineTiming,
    MaskWriteRegister,
    ReadDeviceIdentification,
    ReadFifoQueue,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    ReadInputRegisters,
    ReadInputRegistersResponse,
    ReadWriteMultipleRegisters,
    ReportServerId,
    SubFunction,
    WriteMultipleRegisters,
    WriteMultipleRegistersResponse,
    WriteSingleCoil,
    WriteSingleRegister,
    append_crc,
    encode_frame,
)
from rig.protocol.registers_file import default_registers
from rig.sniff import SniffOptions, sniff
from rig.sniff.decode import Damage, Decoder, Exchange, Item, Outcome, Stray
from rig.sniff.meaning import Meaning
from rig.sniff.show import JsonShow, TextShow
from rig.sniff.statistics import Durations
from rig.trace import Frame, read_pcapng, write_pcapng

TIMING = LineTiming(115_200)
MS = 1_000_000
REGISTERS = default_registers()


@pytest.fixture(scope="module")
def warm() -> Iterator[Bench]:
    with open_press("emu://?start=warm") as bench:
        yield bench


@pytest.fixture
def bench(warm: Bench) -> Iterator[Bench]:
    with warm.fork() as bench:
        yield bench


def told(path: Path, **options: Any) -> tuple[list[dict[str, Any]], dict[str, Any], int]:
    """What is told of a recording, the statistics, and the exit code."""
    stream = io.StringIO()
    code = sniff(SniffOptions(str(path), json=True, **options), stream)
    source, *items, summary = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (source["type"], summary["type"]) == ("source", "summary")
    return items, summary, code


def in_words(path: Path, **options: Any) -> str:
    stream = io.StringIO()
    sniff(SniffOptions(str(path), **options), stream)
    return stream.getvalue()


def recorded(bench: Bench, folder: Path) -> Path:
    assert bench.recorder is not None
    return write_pcapng(bench.recorder.recording().frames, folder / "run.pcapng", baud=115_200)


def conversation(folder: Path, *frames: tuple[int, bytes]) -> Path:
    """A recording of frames that begin at these times, in ms."""
    path = folder / "talk.pcapng"
    return write_pcapng([Frame(at * MS, at * MS, "unknown", data) for at, data in frames], path, baud=115_200)


def as_json(value: Any, name: str) -> Any:
    bits = REGISTERS[name].bits
    return [bit for bit in bits if bit in value] if isinstance(value, frozenset) else value


# -- a run of the rig -----------------------------------------------------------------------------------


def test_every_poll_and_write_of_a_run_is_told_with_its_tags(bench: Bench, tmp_path: Path) -> None:
    read, written = [], []
    for step in range(4):
        read.append(bench.poll())
        written.append({"heat_1_upper_setpoint_c": 100.0 + step, "controller_heartbeat": step + 1})
        bench.write(written[-1])
    items, summary, code = told(recorded(bench, tmp_path))
    polls = [item for item in items if item["function"] == 4][-4:]
    for poll, values in zip(polls, read, strict=True):
        assert len(poll["tags"]) > 60
        for tag in poll["tags"]:
            assert tag["value"] == as_json(values[tag["name"]], tag["name"]), tag["name"]
            assert tag["unit"] == (REGISTERS[tag["name"]].unit or None)
    said = [{tag["name"]: tag["value"] for tag in item["tags"] if tag["written"]} for item in items]
    for name in written[0]:
        assert [tags[name] for tags in said if name in tags] == [values[name] for values in written]
    assert code == 0
    assert summary["errors"] == 0
    assert 10.0 < summary["load_percent"] <= 100.0
    assert {item["outcome"] for item in items} == {"answered"}
    # 3.5 characters of silence and the node's turnaround
    assert all(item["delay_ms"] == pytest.approx(3.25, abs=0.001) for item in items)


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("lost_frame", {}, {"unanswered": 2}),
        ("garbled", {}, {"damaged": 2, "crc": 2}),
        ("truncated", {}, {"damaged": 2}),
        ("inserted_bytes", {"amount": 3}, {"damaged": 2}),
        ("garbled", {"direction": "request"}, {"crc": 2}),
        ("wrong_unit", {}, {"unanswered": 2, "stray": 2}),
        ("foreign", {}, {"stray": 2}),
        ("busy", {}, {"declined": 2}),
        ("failure", {}, {"declined": 2}),
        ("delayed", {"amount": 0.1}, {}),
    ],
)
def test_faults_are_counted_as_they_were_injected(
    bench: Bench, tmp_path: Path, kind: str, options: dict[str, Any], expected: dict[str, int]
) -> None:
    bench.poll()
    bench.virtual.inject(kind, times=2, **options)
    for _ in range(6):
        try:
            bench.poll()
        except RigError:
            assert "declined" in expected
    _, summary, code = told(recorded(bench, tmp_path))
    counted = {
        name: sum(tally[name] for tally in summary["functions"])
        for name in ("damaged", "unanswered", "declined", "stray", "late")
    }
    assert counted == {name: expected.get(name, 0) for name in counted}
    damage = max(expected.get("crc", 0), expected.get("damaged", 0))
    assert sum(summary["damage"].values()) == damage
    errors = damage + expected.get("unanswered", 0) + expected.get("stray", 0)
    assert (summary["errors"], code) == (errors, int(errors > 0))
    slowest_ms = max(tally["delay_ms"]["max"] or 0.0 for tally in summary["functions"])
    if kind == "delayed":
        assert slowest_ms == pytest.approx(103.25, abs=0.01)


def test_every_function_is_told_in_words(bench: Bench, tmp_path: Path) -> None:
    force = REGISTERS["entry_left_line_force_kn"].address
    for request in (
        Diagnose(SubFunction.RETURN_QUERY_DATA, b"\x12\x34"),
        Diagnose(SubFunction.BUS_MESSAGE_COUNT),
        GetCommEventCounter(),
        ReportServerId(),
        ReadFifoQueue(force),
        ReadDeviceIdentification(),
        MaskWriteRegister(0, 0xFFFF, 0),
        ReadWriteMultipleRegisters(0, 2, 27, (7,)),
        WriteSingleCoil(1, True),
        WriteSingleRegister(27, 9),
    ):
        bench.master.exchange(request, 1)
    text = in_words(recorded(bench, tmp_path), raw=True)
    for words in (
        "diagnose: return query data  data 12 34", "diagnose: bus message count  bus message count ",
        "get comm event counter", "events, not busy", "report server id", "DBP-600", "read fifo queue",
        "entry_left_line_force_kn [", "kN", "read device identification: basic", "vendor ", "mask write register 0",
        "heat_1_upper_setpoint_c: and 65535 (0xFFFF), or 0 (0x0000)", "read 0 … 1, write 27",
        "controller_heartbeat := 7", "cooling_enable := on", "controller_heartbeat := 9", "> 01 06 00 1b 00 09",
        "no errors on the line", "bus load",
    ):  # fmt: skip
        assert words in text, words


def test_only_what_is_wanted_is_told(bench: Bench, tmp_path: Path) -> None:
    for _ in range(3):
        bench.poll()
        bench.write({"heat_1_upper_setpoint_c": 101.0})
    path = recorded(bench, tmp_path)
    items, summary, _ = told(path, functions=(16,))
    assert {item["function"] for item in items} == {16} == {tally["function"] for tally in summary["functions"]}
    items, _, _ = told(path, tags=("zone_temperatures", "mo?e"))
    assert {tag["name"] for item in items for tag in item["tags"]} == {
        "mode", *REGISTERS.groups["zone_temperatures"]
    }  # fmt: skip
    items, _, _ = told(path, tags=("heat_1_upper_setpoint_c",), changes=True)
    assert [tag["value"] for item in items for tag in item["tags"]] == [101.0]
    assert told(path, summary=True)[0] == []
    assert told(path, units=(2,))[1]["functions"] == []
    assert len(told(path, count=2)[0]) == 2


# -- conversations that nobody has every day ----------------------------------------------------------------


def test_unknown_units_and_addresses_are_shown_raw(tmp_path: Path) -> None:
    path = conversation(
        tmp_path,
        (0, encode_frame(17, ReadHoldingRegisters(0, 2))),
        (5, encode_frame(17, ReadHoldingRegistersResponse((1, 0xABCD)))),
        (20, encode_frame(1, ReadInputRegisters(9000, 1))),
        (25, encode_frame(1, ReadInputRegistersResponse((5,)))),
    )
    items, _, code = told(path)
    assert [(tag["name"], tag["value"], tag["known"]) for item in items for tag in item["tags"]] == [
        ("holding 0", 1, False), ("holding 1", 0xABCD, False), ("input 9000", 5, False)
    ]  # fmt: skip
    assert code == 0
    assert "holding 1 43981 (0xABCD)" in in_words(path)


def test_a_tag_of_which_a_part_was_read_is_shown_raw(tmp_path: Path) -> None:
    long = next(tag for tag in REGISTERS.tags.values() if tag.type == "u32")
    path = conversation(
        tmp_path,
        (0, encode_frame(1, ReadInputRegisters(long.address, 1))),
        (5, encode_frame(1, ReadInputRegistersResponse((3,)))),
    )
    assert told(path)[0][0]["tags"][0]["name"] == f"input {long.address}"


def test_a_late_answer_is_told_as_late_for_its_request(tmp_path: Path) -> None:
    path = conversation(
        tmp_path,
        (0, encode_frame(1, ReadHoldingRegisters(0, 1))),
        (400, encode_frame(1, ReadHoldingRegistersResponse((7,)))),
        (500, encode_frame(1, ReadHoldingRegistersResponse((7,)))),
    )
    items, summary, code = told(path, timeout_s=0.3)
    assert [item["type"] for item in items] == ["exchange", "stray", "stray"]
    assert [item.get("late") for item in items] == [None, True, False]
    assert items[1]["delay_ms"] == pytest.approx(400 - TIMING.frame_ns(8) / MS, abs=0.01)
    assert items[1]["tags"][0]["name"] == "heat_1_upper_setpoint_c"
    assert (summary["errors"], code) == (3, 1)


def test_a_broadcast_and_an_order_to_be_silent_need_no_answer(tmp_path: Path) -> None:
    path = conversation(
        tmp_path,
        (0, encode_frame(BROADCAST, WriteSingleRegister(27, 3))),
        (100, encode_frame(1, Diagnose(SubFunction.FORCE_LISTEN_ONLY))),
        (2000, encode_frame(1, ReadHoldingRegisters(0, 1))),
        (2005, encode_frame(1, ReadHoldingRegistersResponse((0,)))),
    )
    items, summary, code = told(path)
    assert [item["outcome"] for item in items] == ["none_due", "none_due", "answered"]
    assert items[0]["tags"][0]["name"] == "controller_heartbeat"
    assert (summary["errors"], code) == (0, 0)
    assert "all units" in in_words(path)


@pytest.mark.parametrize(("code", "words"), [(2, "illegal data address"), (6, "busy"), (99, "no specification")])
def test_exceptions_are_told_in_words_and_are_no_errors_of_the_line(tmp_path: Path, code: int, words: str) -> None:
    path = conversation(
        tmp_path,
        (0, encode_frame(1, ReadHoldingRegisters(7000, 1))),
        (5, encode_frame(1, ExceptionResponse(3, ExceptionCode(code)))),
    )
    assert words in in_words(path)
    assert told(path)[1]["exceptions"][0]["code"] == code
    assert told(path)[2] == 0


def test_a_function_that_nobody_knows_is_paired_with_its_refusal_without_a_pause_between(tmp_path: Path) -> None:
    request, refusal = append_crc(b"\x01\x41\x05"), encode_frame(1, ExceptionResponse(0x41, ExceptionCode(1)))
    path = tmp_path / "bytes.bin"
    path.write_bytes(request + refusal)
    items, summary, _ = told(path)
    assert [(item["name"], item["outcome"]) for item in items] == [("function 65", "declined")]
    assert summary["errors"] == 0


def test_a_recording_that_ends_before_an_answer_is_no_error(tmp_path: Path) -> None:
    items, summary, code = told(conversation(tmp_path, (0, encode_frame(1, ReadHoldingRegisters(0, 1)))))
    assert (items[0]["outcome"], summary["errors"], code) == ("open", 0, 0)


# -- bytes without times ----------------------------------------------------------------------------------


def test_hexadecimal_digits_and_plain_bytes_say_the_same(tmp_path: Path) -> None:
    request, answer = encode_frame(1, WriteMultipleRegisters(27, (5,))), encode_frame(
        1, WriteMultipleRegistersResponse(27, 1)
    )  # fmt: skip
    plain, digits = tmp_path / "talk.bin", tmp_path / "talk.hex"
    plain.write_bytes(request + answer)
    digits.write_text(f"# a write\n{request.hex(' ')}\n0x{answer.hex(':')}\n".replace("0x01:", "0x01 0x"))
    assert told(plain)[0] == told(digits)[0]
    assert told(plain)[0][0]["tags"][0]["value"] == 5
    assert "time_s" not in told(plain)[0][0]
    assert "load_percent" not in told(plain)[1]


# -- live -------------------------------------------------------------------------------------------------


def test_a_live_line_is_told_though_its_bytes_come_in_pieces() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)  # as a new one it would echo what comes before the listener has opened it
    request, answer = encode_frame(1, ReadHoldingRegisters(27, 1)), encode_frame(1, ReadHoldingRegistersResponse((4,)))
    both = request + answer
    over = threading.Event()

    def talk() -> None:
        while not over.wait(0.002):
            for start in range(0, len(both), 6):
                os.write(master, both[start : start + 6])

    stream = io.StringIO()
    talker = threading.Thread(target=talk)
    talker.start()
    try:
        code = sniff(SniffOptions(os.ttyname(slave), json=True, count=5), stream)
    finally:
        over.set()
        talker.join()
    items = [json.loads(line) for line in stream.getvalue().splitlines()]
    exchanges = [item for item in items if item["type"] == "exchange"]
    assert len(exchanges) == 5
    assert all(item["tags"][0] | {"value": 4} == item["tags"][0] for item in exchanges)
    assert all(item["tags"][0]["name"] == "controller_heartbeat" for item in exchanges)
    assert code in (0, 1)  # listening may begin between a request and its answer
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 1)  # nothing was sent
    os.close(master)
    os.close(slave)


def test_a_port_that_goes_away_is_told_behind_the_statistics() -> None:
    master, slave = os.openpty()
    name = os.ttyname(slave)
    stream = io.StringIO()
    closer = threading.Timer(0.1, os.close, (master,))
    closer.start()
    with pytest.raises(PortError, match="went away"):
        sniff(SniffOptions(name, summary=True), stream)
    closer.join()
    os.close(slave)
    assert "nothing was said" in stream.getvalue()


def test_listening_that_begins_within_a_frame_is_no_error_of_the_line() -> None:
    request, answer = encode_frame(1, ReadHoldingRegisters(0, 1)), encode_frame(1, ReadHoldingRegistersResponse((4,)))
    decoder = Decoder(TIMING, gap_ns=50 * MS, timeout_ns=1000 * MS, joins=True)
    items = [*decoder.take(answer[2:], 1 * MS), *decoder.take(request + answer, 100 * MS), *decoder.wait(200 * MS)]
    assert [type(item) for item in items] == [Damage, Exchange]
    assert isinstance(items[0], Damage)
    assert items[0].is_joining


# -- whatever comes ---------------------------------------------------------------------------------------

FRAMES = st.sampled_from(
    [
        encode_frame(1, ReadHoldingRegisters(0, 2)),
        encode_frame(1, ReadHoldingRegistersResponse((1, 2))),
        encode_frame(1, ReadInputRegisters(100, 22)),
        encode_frame(1, ReadInputRegistersResponse((0xFFFF,) * 22)),
        encode_frame(0, WriteSingleRegister(27, 1)),
        encode_frame(3, ExceptionResponse(3, ExceptionCode(2))),
        append_crc(b"\x01\x2b\x0e\x01\x81\x00\x00\x02\x00\x01\xff\x01\x02a\x00"),
        append_crc(b"\x01\x18\x00\x04\x00\x01\x00\x00"),
    ]
)
PIECES = st.lists(st.tuples(st.one_of(st.binary(max_size=300), FRAMES), st.integers(0, 3000)), max_size=12)


def raws(item: Item) -> int:
    if isinstance(item, Damage):
        return len(item.frame.raw)
    if isinstance(item, Stray):
        return len(item.response.raw)
    return len(item.request.raw) + (len(item.response.raw) if item.response else 0)


@given(PIECES, st.sampled_from([2 * MS, 50 * MS]), st.booleans())
@settings(deadline=None, max_examples=150)
def test_whatever_comes_is_told_and_no_byte_is_told_twice(
    pieces: list[tuple[bytes, int]], gap_ns: int, joins: bool
) -> None:
    decoder = Decoder(TIMING, gap_ns=gap_ns, timeout_ns=500 * MS, joins=joins)
    meaning = Meaning(REGISTERS)
    shows = [JsonShow(meaning, io.StringIO(), raw=True), TextShow(meaning, io.StringIO(), raw=True)]
    items, now_ns = [], 0
    for data, pause_ms in pieces:
        now_ns += pause_ms * MS + TIMING.frame_ns(len(data))
        items += list(decoder.take(data, now_ns))
    items += list(decoder.end(now_ns, is_cut=False))
    for item in items:
        readings = [] if isinstance(item, Damage) else list(meaning.readings(item))
        for show in shows:
            show.item(item, readings)
    assert sum(map(raws, items)) == sum(len(data) for data, _ in pieces)
    assert sum(isinstance(item, Exchange) and item.outcome is Outcome.OPEN for item in items) <= 1


@given(st.binary(min_size=1, max_size=400))
@settings(deadline=None, max_examples=50)
def test_any_file_is_told_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    head = conversation(path.parent, (0, encode_frame(1, ReadHoldingRegisters(0, 1)))).read_bytes()
    for content in (data, head[:60] + data, head[: -len(data)] + data, head + data):
        path.write_bytes(content)
        with contextlib.suppress(UsageError):
            sniff(SniffOptions(str(path)), io.StringIO())


@given(st.lists(st.integers(0, 10**12), min_size=1))
def test_percentiles_are_right_within_a_percent(durations: list[int]) -> None:
    collected = Durations()
    for duration in durations:
        collected.add(duration)
    ordered = sorted(durations)
    for percent in (50, 99):
        exact = ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
        assert collected.percentile_ns(percent) == pytest.approx(exact, rel=0.01)
    assert collected.longest_ns == ordered[-1]
    assert collected.count == len(durations)


@given(st.lists(st.tuples(st.integers(0, 2**40), st.binary(min_size=1, max_size=20), st.text(max_size=5)), max_size=6))
def test_a_capture_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, packets: list[tuple[int, bytes, str]]
) -> None:
    frames = [Frame(at, at, "unknown", data, comment.replace("\0", "")) for at, data, comment in sorted(packets)]
    path = write_pcapng(frames, tmp_path_factory.mktemp("capture") / "run.pcapng", baud=19_200, interface="here")
    capture = read_pcapng(path.read_bytes())
    assert (capture.baud, capture.interface, capture.is_cut) == (19_200, "here", False)
    assert [(packet.time_ns, packet.data) for packet in capture.packets] == [
        (frame.start_ns, frame.data) for frame in frames
    ]
