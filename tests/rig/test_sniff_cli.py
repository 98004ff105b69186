"""`press-rig sniff`: teaches, and tells what cannot be listened to."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.cli import main
from rig.protocol import ReadHoldingRegisters, ReadHoldingRegistersResponse, encode_frame
from rig.trace import Frame, write_pcapng

REQUEST = encode_frame(1, ReadHoldingRegisters(27, 1))
ANSWER = encode_frame(1, ReadHoldingRegistersResponse((4,)))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    frames = [Frame(0, 1, "request", REQUEST), Frame(5_000_000, 6_000_000, "response", ANSWER)]
    return write_pcapng(frames, tmp_path / "talk.pcapng")


def test_help_teaches_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sniff", "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for words in ("examples:", "exit codes:", "Nothing is ever sent", "--baudrate", "--summary", "FTDI"):
        assert words in text


def test_a_recording_is_told(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sniff", str(talk)]) == 0
    text = capsys.readouterr().out
    assert "unit 1  read holding registers 27" in text
    assert "controller_heartbeat 4" in text
    assert "no errors on the line" in text


def test_the_speed_of_the_line_can_be_told(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sniff", str(talk), "--baudrate", "19200", "--parity", "E", "--summary"]) == 0
    assert "19200 bit/s, 8E1" in capsys.readouterr().out


def test_noise_alone_is_red_and_says_what_to_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise = tmp_path / "noise.bin"
    noise.write_bytes(bytes(range(200, 256)))
    assert main(["sniff", str(noise)]) == 1
    assert "not one frame in 56 bytes" in capsys.readouterr().out


def test_a_recording_that_is_cut_off_is_told_as_far_as_it_goes(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    talk.write_bytes(talk.read_bytes()[:-7])
    assert main(["sniff", str(talk)]) == 0
    text = capsys.readouterr().out
    assert "cut off" in text
    assert "listening ended before an answer" in text


def test_ctrl_c_on_a_recording_sums_up_and_says_so(
    talk: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rig.sniff.show.TextShow.item", interrupt)
    assert main(["sniff", str(talk)]) == 130
    assert "bus load" in capsys.readouterr().out


FILES = {
    "empty.pcapng": b"",
    "blank.hex": b"# nothing\n",
    "odd.hex": b"01 04 0",
    "old.pcap": b"\xd4\xc3\xb2\xa1" + bytes(20),
    "run.mf4": b"MDF     4.10",
    "broken.pcapng": b"\x0a\x0d\x0d\x0a\x05\x00\x00\x00\x4d\x3c\x2b\x1a" + bytes(20),
}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["no.pcapng"], 2, "no port and no file 'no.pcapng'"),
        ([""], 2, "is a folder"),
        (["."], 2, "is a folder"),
        (["empty.pcapng"], 2, "is empty"),
        (["blank.hex"], 2, "holds no bytes"),
        (["odd.hex"], 2, "line 1: every byte needs two hexadecimal digits"),
        (["old.pcap"], 2, "editcap"),
        (["run.mf4"], 2, "ends in .pcapng"),
        (["broken.pcapng"], 2, "which no block has"),
        (["emu://"], 2, "nobody talks"),
        (["/dev/ttyNoSuchLine"], 3, "does not exist"),
        (["/dev/null"], 3, "is not a serial port"),
        (["socket://127.0.0.1"], 2, "not socket://HOST:PORT"),
        (["socket://127.0.0.1:1"], 3, "nobody listens"),
        (["nonsense://here"], 2, "is no port"),
        (["talk.pcapng", "--tags", "nothing_like_it"], 2, "no tag or group named"),
    ],
)
def test_trouble_is_told_in_one_sentence(
    words: list[str], code: int, message: str, talk: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(talk.parent)
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    assert main(["sniff", *words]) == code
    told = capsys.readouterr().err
    assert message in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [["--unit", "300"], ["--function", "x"], ["--function", "0"], ["--parity", "X"], ["--stopbits", "3"],
     ["--baudrate", "0"], ["--timeout", "nan"], ["--seconds", "-1"], ["--gap", "0"], ["--count", "0"]],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(words: list[str], talk: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["sniff", str(talk), *words])
    assert ended.value.code == 2
