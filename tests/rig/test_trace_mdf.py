"""MDF4 files hold the recording, for asammdf and for ourselves."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.protocol.registers_file import default_registers
from rig.trace import ChannelInfo, Recorder, RecordingError, read_recording, write_mdf

asammdf = pytest.importorskip("asammdf")

REGISTERS = default_registers()
TRUTH = (
    ChannelInfo("press_force_kn", "kN", "Force of all rollers on the sheet"),
    ChannelInfo("sheet_exit_temperature_c", "°C", "Mean of the sheet at the exit"),
)


def recorded(rows=40):
    recorder = Recorder(REGISTERS, TRUTH)
    for step in range(rows):
        time_ns = step * 100_000_000
        values = {
            tag.name: tag.decode([(31 * index + step) % 500] * tag.count)
            for index, tag in enumerate(REGISTERS.tags.values())
        }
        values["mode"] = "energised" if step < 20 else "tripped"
        values["status_word"] = frozenset({"heating", "drives"} if step < 20 else {"tripped"})
        values["sheet_exit_temperature_c"] = round(-12.3 + step, 1)
        values |= {"press_model": "DBP-600", "serial_number": "0042", "node_version": "1.0"}
        if step == 0:
            del values["exit_thickness_um"]
        recorder.sample(time_ns, values)
        recorder.truth_sample(time_ns, [math.sin(step), 21.5])
        recorder.frame(time_ns + 1, time_ns + 1_389_001, "request", bytes(8))
        recorder.frame(time_ns + 2_000_000, time_ns + 9_000_000, "response", bytes(70))
    recorder.event(0, "state", "idle")
    recorder.event(1_999_999_999, "alarm", "over_temperature: heat_2_upper at 151 °C")
    return recorder.recording()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    recording = recorded()
    return recording, write_mdf(recording, tmp_path_factory.mktemp("mdf") / "run.mf4", comment="run 1, seed 7")


def test_asammdf_reads_values_units_and_descriptions(written):
    recording, path = written
    with asammdf.MDF(path) as mdf:
        groups = {group.channel_group.acq_name: index for index, group in enumerate(mdf.groups)}
        assert set(groups) == {"tags", "truth", "frames", "events"}
        assert "seed 7" in mdf.header.comment
        assert recording.trace_hash() in mdf.header.comment
        for channel in recording.tags.channels:
            if channel.type == "enum":
                continue
            signal = mdf.get(channel.name, group=groups["tags"], ignore_invalidation_bits=True)
            assert signal.unit == channel.unit
            assert signal.comment.startswith(channel.description)
            expected = recording.tags[channel.name]
            known = ~np.isnan(expected)
            np.testing.assert_allclose(signal.samples[known], expected[known], rtol=1e-12, atol=1e-9)
        force = mdf.get("press_force_kn", group=groups["truth"])
        assert force.unit == "kN"
        assert force.comment == "Force of all rollers on the sheet"
        np.testing.assert_array_equal(force.samples, recording.truth["press_force_kn"])


def test_tags_are_stored_as_wire_integers_with_their_scale(written):
    _, path = written
    with asammdf.MDF(path) as mdf:
        raw = mdf.get("sheet_exit_temperature_c", group=0, raw=True)
        assert raw.samples.dtype == np.int16
        assert raw.samples[:3].tolist() == [-123, -113, -103]
        assert (raw.conversion["a"], raw.conversion["b"]) == (0.1, 0.0)


def test_enums_read_as_text(written):
    _, path = written
    with asammdf.MDF(path) as mdf:
        mode = mdf.get("mode", group=0)
        assert mode.samples[0] == b"energised"
        assert mode.samples[-1] == b"tripped"


def test_what_was_not_known_is_marked_invalid(written):
    _, path = written
    with asammdf.MDF(path) as mdf:
        assert len(mdf.get("exit_thickness_um", group=0).samples) == 39
        assert len(mdf.get("mode", group=0).samples) == 40


def test_reading_back_gives_the_same_recording(written):
    recording, path = written
    again = read_recording(path)
    assert again.tags.channels == recording.tags.channels
    assert again.truth.channels == recording.truth.channels
    assert np.array_equal(again.tags.time_ns, recording.tags.time_ns)
    np.testing.assert_array_equal(again.tags.values, recording.tags.values)
    np.testing.assert_array_equal(again.truth.values, recording.truth.values)
    assert again.events == recording.events
    assert [frame[:3] for frame in again.frames] == [frame[:3] for frame in recording.frames]
    assert [len(frame.data) for frame in again.frames] == [len(frame.data) for frame in recording.frames]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raws=st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)), min_size=1, max_size=8),
    steps=st.lists(st.integers(1, 10**12), min_size=8, max_size=8),
    text=st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\0"), max_size=20),
)
def test_any_wire_value_survives(tmp_path, raws, steps, text):
    recorder = Recorder(REGISTERS)
    time_ns = 0
    tags = [tag for tag in REGISTERS.tags.values() if tag.type not in ("string", "f32")]
    for (high, low), step in zip(raws, steps, strict=False):
        time_ns += step
        recorder.sample(
            time_ns,
            {tag.name: tag.decode([high & 1 if tag.type == "bool" else high, low][: tag.count]) for tag in tags},
        )
    recorder.event(time_ns, "note", text.strip(" "))
    recording = recorder.recording()
    again = read_recording(write_mdf(recording, tmp_path / "any.mf4"))
    assert np.array_equal(again.tags.time_ns, recording.tags.time_ns)
    np.testing.assert_array_equal(again.tags.values, recording.tags.values)
    assert again.events == recording.events


def test_a_recording_without_truth_or_frames_can_be_written(tmp_path):
    recorder = Recorder(REGISTERS)
    recorder.sample(0, {"mode": "off"})
    again = read_recording(write_mdf(recorder.recording(), tmp_path / "small.mf4"))
    assert len(again.truth) == 0
    assert again.frames == ()
    assert again.tags["mode"][0] == 0


def test_files_that_are_not_recordings_are_refused(tmp_path):
    with pytest.raises(RecordingError, match="no such file"):
        read_recording(tmp_path / "missing.mf4")
    (tmp_path / "text.mf4").write_text("not a measurement")
    with pytest.raises(RecordingError, match="not an MDF file"):
        read_recording(tmp_path / "text.mf4")
    with pytest.raises(ValueError, match=r"\*\.mf4"):
        write_mdf(recorded(2), tmp_path / "run.csv")
