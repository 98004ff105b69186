"""Captures open in readers that we did not write."""

import shutil
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.trace import LINKTYPE_RTAC_SERIAL, Frame, write_pcapng

pcapng = pytest.importorskip("pcapng")

# python-pcapng declares the type of some options as None, and complains about that itself
pytestmark = pytest.mark.filterwarnings("ignore:Field type should not be:DeprecationWarning")

ANSWER_HEAD = bytes.fromhex("010478")


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def exchange(start_ns, raw):
    request = bytes.fromhex("01040000003c")
    answer = ANSWER_HEAD + struct.pack(">60H", *([raw] * 60))
    return (
        Frame(start_ns, start_ns + 694_444, "request", request + crc(request)),
        Frame(start_ns + 5_000_000, start_ns + 15_000_000, "response", answer + crc(answer)),
    )


def blocks(path):
    with path.open("rb") as stream:
        return list(pcapng.FileScanner(stream))


def test_an_independent_reader_sees_every_frame(tmp_path):
    frames = [*exchange(1_234_567_890_123, 1180), *exchange(1_334_567_890_123, 1181)]
    path = write_pcapng(frames, tmp_path / "run.pcapng", baud=115200, interface="emu://", comment="seed 7")
    section, interface, *packets = blocks(path)
    assert section.options["opt_comment"] == "seed 7"
    assert section.options["shb_userappl"] == "press-rig"
    assert interface.link_type == LINKTYPE_RTAC_SERIAL == 250
    assert interface.timestamp_resolution == 1e-9
    assert interface.options["if_name"] == "emu://"
    assert interface.options["if_speed"] == 115200
    assert [packet.packet_data[12:] for packet in packets] == [frame.data for frame in frames]
    for packet, frame in zip(packets, frames, strict=True):
        assert (packet.timestamp_high << 32) + packet.timestamp_low == frame.start_ns
        seconds, microseconds, event, lines, footer = struct.unpack(">IIBBH", packet.packet_data[:12])
        assert (seconds, microseconds) == (frame.start_ns // 10**9, frame.start_ns % 10**9 // 1000)
        assert event == (1 if frame.direction == "request" else 2)
        assert (lines, footer) == (0, 0)
    directions = [packet.options["epb_flags"] for packet in packets]
    assert [flags.inout for flags in directions] == ["outbound", "inbound"] * 2


@given(
    st.lists(
        st.builds(
            Frame,
            start_ns=st.integers(0, 2**62),
            end_ns=st.just(0),
            direction=st.sampled_from(["request", "response", "unknown"]),
            data=st.binary(max_size=260),
            comment=st.text(st.characters(blacklist_categories=("Cs",)), max_size=30),
        ),
        max_size=6,
    )
)
def test_any_frame_survives(tmp_path_factory, frames):
    path = write_pcapng(frames, tmp_path_factory.mktemp("pcapng") / "any.pcapng")
    packets = blocks(path)[2:]
    assert [packet.packet_data[12:] for packet in packets] == [frame.data for frame in frames]
    assert [packet.options.get("opt_comment", "") for packet in packets] == [frame.comment for frame in frames]
    assert [(packet.timestamp_high << 32) + packet.timestamp_low for packet in packets] == [f.start_ns for f in frames]


def test_the_epoch_moves_all_times(tmp_path):
    path = write_pcapng([Frame(5, 6, "unknown", b"\x00")], tmp_path / "run.pcapng", epoch_ns=1_700_000_000_000_000_000)
    packet = blocks(path)[2]
    assert (packet.timestamp_high << 32) + packet.timestamp_low == 1_700_000_000_000_000_005


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_decodes_modbus_and_checks_the_crc(tmp_path):
    good = [frame for step in range(20) for frame in exchange(step * 100_000_000, 1000 + step)]
    broken = Frame(3_000_000_000, 3_001_000_000, "response", good[1].data[:-1] + b"\x55", "fault: last byte changed")
    path = write_pcapng([*good, broken], tmp_path / "run.pcapng")
    fields = (
        "frame.time_epoch",
        "rtacser.eventtype",
        "mbrtu.unit_id",
        "modbus.func_code",
        "mbrtu.crc16.status",
        "modbus.regval_uint16",
        "frame.comment",
    )
    command = [
        "tshark",
        "-r",
        str(path),
        "-d",
        "rtacser.data,mbrtu",
        "-o",
        "mbrtu.crc_verification:TRUE",
        "-T",
        "fields",
        "-E",
        "separator=;",
    ]
    command += [part for name in fields for part in ("-e", name)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = [line.split(";") for line in result.stdout.splitlines()]
    assert len(rows) == 41
    assert {row[2] for row in rows} == {"1"}
    assert {row[3] for row in rows} == {"4"}
    assert [row[1] for row in rows[:2]] == ["0x01", "0x02"]
    assert {row[4] for row in rows[:40]} == {"1"}
    assert rows[40][4] == "0"
    assert rows[40][6] == "fault: last byte changed"
    assert float(rows[1][0]) == pytest.approx(0.005)
    assert rows[1][5] == ",".join(["1000"] * 60)
