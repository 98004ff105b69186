"""Recording of a run: what was sensed, commanded, true, said on the wire, and what happened.

`Recorder` collects while a bench runs; `Recording` is the result as plain data; `write_mdf` and
`write_pcapng` make the files that measurement and network tools open, `read_recording` and `read_pcapng` read them.
"""

from rig.trace.channels import ChannelInfo, tag_channels
from rig.trace.mdf import RecordingError, read_recording, write_mdf
from rig.trace.pcapng import LINKTYPE_RTAC_SERIAL, Capture, CaptureError, read_pcapng, write_pcapng
from rig.trace.recorder import SAMPLE_PERIOD_NS, Recorder
from rig.trace.recording import Direction, Event, Frame, Recording, Samples

__all__ = [
    "LINKTYPE_RTAC_SERIAL",
    "SAMPLE_PERIOD_NS",
    "Capture",
    "CaptureError",
    "ChannelInfo",
    "Direction",
    "Event",
    "Frame",
    "Recorder",
    "Recording",
    "RecordingError",
    "Samples",
    "read_pcapng",
    "read_recording",
    "tag_channels",
    "write_mdf",
    "write_pcapng",
]
