"""Durations on the line are exact integers."""

from __future__ import annotations

import pytest

from rig.protocol import LineTiming, LocalProtocolError


@pytest.mark.parametrize(
    ("timing", "char_ns", "t1_5_ns", "t3_5_ns"),
    [
        (LineTiming(9_600, parity="E"), 1_145_834, 1_718_750, 4_010_417),
        (LineTiming(9_600), 1_041_667, 1_562_500, 3_645_834),
        (LineTiming(19_200, parity="E"), 572_917, 859_375, 2_005_209),
        (LineTiming(19_201), 520_807, 750_000, 1_750_000),
        (LineTiming(115_200, parity="O", stop_bits=2), 104_167, 750_000, 1_750_000),
    ],
)
def test_pauses_follow_the_line_up_to_19200_baud_and_are_fixed_above(
    timing: LineTiming, char_ns: int, t1_5_ns: int, t3_5_ns: int
) -> None:
    assert (timing.char_ns, timing.t1_5_ns, timing.t3_5_ns) == (char_ns, t1_5_ns, t3_5_ns)


def test_long_frame_does_not_add_up_rounding_errors() -> None:
    timing = LineTiming(19_200)
    assert timing.frame_ns(0) == 0
    assert timing.frame_ns(1) == timing.char_ns
    assert timing.frame_ns(192) == 100_000_000  # 1920 bits at 19200 baud


@pytest.mark.parametrize(
    "line",
    [
        {"baudrate": 0},
        {"baudrate": 9600, "data_bits": 7},
        {"baudrate": 9600, "parity": "M"},
        {"baudrate": 9600, "stop_bits": 3},
    ],
)
def test_line_that_cannot_carry_rtu_is_refused(line: dict[str, int]) -> None:
    with pytest.raises(LocalProtocolError, match="expected"):
        LineTiming(**line)
