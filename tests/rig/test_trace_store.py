"""A long recording goes to a file and reads like a short one; a short one never sees the disk."""

import tempfile
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.protocol.registers_file import default_registers
from rig.trace import ChannelInfo, Frame, Recorder, store
from rig.trace.store import FrameLog, Table

REGISTERS = default_registers()
TRUTH = (ChannelInfo("press_force_kn", "kN"), ChannelInfo("exit_thickness_um", "µm"))


def fill(recorder, rows):
    places = recorder.places([REGISTERS["mode"], REGISTERS["uptime_s"]])
    for step in range(rows):
        recorder.sensed(step, places, (3.0, float(step)))
        recorder.truth_sample(step, (0.1 * step, np.nan))
        recorder.frame(10 * step + 3, 10 * step + 9, "response", bytes([step % 256]) * 3, "late" if step % 3 else "")
        recorder.frame(10 * step, 10 * step + 2, "request", b"")
    return recorder


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(store, "CHUNK_BYTES", 8 * 40 * 150)
    monkeypatch.setattr(store, "CHUNK_FRAMES", 30)


@pytest.mark.parametrize("rows", [1, 39, 40, 41, 80, 137, 400])
def test_fingerprint_does_not_depend_on_where_the_recording_lies(rows, monkeypatch):
    in_memory = fill(Recorder(REGISTERS, TRUTH), rows).recording()
    monkeypatch.setattr(store, "CHUNK_BYTES", 8 * 40 * 150)
    monkeypatch.setattr(store, "CHUNK_FRAMES", 30)
    in_file = fill(Recorder(REGISTERS, TRUTH), rows).recording()
    assert in_file.trace_hash() == in_memory.trace_hash()
    assert tuple(in_file.frames) == tuple(in_memory.frames)
    assert list(in_file.frames[-2:]) == list(in_memory.frames[-2:])
    assert in_file.frames[-1] == in_memory.frames[-1]
    assert in_file.duration_s == in_memory.duration_s


@pytest.mark.usefixtures("small_chunks")
@given(st.lists(st.integers(1, 150), max_size=5))
def test_what_was_handed_out_stays_while_the_recording_grows(parts):
    recorder, handed_out, row = Recorder(REGISTERS, TRUTH), [], 0
    places = recorder.places([REGISTERS["uptime_s"]])
    for part in parts:
        for _ in range(part):
            recorder.sensed(row, places, (float(row),))
            recorder.frame(row, row + 1, "unknown", bytes([row % 256]))
            row += 1
        handed_out.append((row, recorder.recording()))
    del recorder
    for rows, recording in handed_out:
        assert recording.tags["uptime_s"].tolist() == list(range(rows))
        assert recording.tags.time_ns.tolist() == list(range(rows))
        assert [frame.data[0] for frame in recording.frames] == [number % 256 for number in range(rows)]
        with pytest.raises(ValueError, match="read-only"):
            recording.tags.values[0, 0] = 1.0


def test_a_short_recording_does_not_touch_the_disk(monkeypatch):
    def refuse(**_):
        raise AssertionError("a file was opened")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert len(fill(Recorder(REGISTERS, TRUTH), 600).recording().tags) == 600


@pytest.mark.usefixtures("small_chunks")
def test_memory_does_not_grow_with_the_length_of_the_recording():
    table, frames = Table(130), FrameLog()

    def record(rows):
        for _ in range(rows):
            array, row = table.append(0)
            array[row, 1:] = 1.0
            frames.append(0, 1, "request", bytes(100))

    tracemalloc.start()
    try:
        record(500)
        early = tracemalloc.get_traced_memory()[0]
        record(5000)
        late = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert table.rows == 5500
    # 5000 rows are 5 MB, and a chunk 48 kB
    assert late - early < 100_000


def test_frames_in_a_file_keep_everything_that_frames_have():
    log, frames = FrameLog(), []
    for number in range(store.CHUNK_FRAMES + 5):
        direction = ("request", "response", "unknown")[number % 3]
        frames.append(Frame(number, number + 7, direction, bytes([number % 256]) * (number % 300), "µ" * (number % 4)))
        log.append(*frames[-1])
    assert list(log.frames()) == frames
