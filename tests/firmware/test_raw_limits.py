"""Limits of readings as raw values decide as the readings themselves do."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from emulator.firmware.raw_limits import below_and_above

scales = st.sampled_from([1.0, 0.1, 0.01, 0.001, 0.5, 1 / 3])
offsets = st.sampled_from([0.0, -40.0, 0.3])


@given(st.integers(-40_000, 40_000), scales, offsets, st.integers(-1, 1), st.integers(-3, 3))
@example(3, 0.1, 0.0, 0, 0)  # 3 * 0.1 is above 0.3
def test_a_raw_value_is_beyond_a_limit_when_its_reading_is(
    near: int, scale: float, offset: float, ulps: int, beside: int
) -> None:
    limit = round(near * scale + offset, 3) + ulps * 1e-15
    below, above = below_and_above(limit, scale, offset, -32_768, 32_767)
    raw = min(max(near + beside, -32_768), 32_767)
    reading = raw * scale + offset
    assert (raw < below) == (reading < limit)
    assert (raw > above) == (reading > limit)


def test_a_limit_that_no_reading_reaches_is_never_passed() -> None:
    assert below_and_above(1e6, 0.1, 0.0, 0, 65_535) == (65_536, 65_535)
    assert below_and_above(-1.0, 0.1, 0.0, 0, 65_535) == (0, -1)
