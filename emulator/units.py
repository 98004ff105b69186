"""SI inside, engineering units at the edge: how each unit on the wire relates to SI.

A physical signal carries its SI unit as the end of its name (`zone_temperature_k`), a tag carries its
unit in the register map; `conversion` joins the two and refuses pairs that do not belong together.
"""

from __future__ import annotations

import math

__all__ = ["KELVIN", "conversion"]

KELVIN = 273.15
"""0 °C in K."""

FROM_SI: dict[tuple[str, str], tuple[float, float]] = {
    ("k", "°C"): (1.0, -KELVIN),
    ("m", "m"): (1.0, 0.0),
    ("m", "mm"): (1e3, 0.0),
    ("m", "µm"): (1e6, 0.0),
    ("m_s", "m/min"): (60.0, 0.0),
    ("n", "N"): (1.0, 0.0),
    ("n", "kN"): (1e-3, 0.0),
    ("n_m", "kN/m"): (1e-3, 0.0),
    ("nm", "N·m"): (1.0, 0.0),
    ("pa", "bar"): (1e-5, 0.0),
    ("a", "A"): (1.0, 0.0),
    ("m3_s", "L/min"): (6e4, 0.0),
    ("fraction", "%"): (100.0, 0.0),
    ("kg_s", "kg/h"): (3600.0, 0.0),
    ("rad_s", "1/min"): (60.0 / math.tau, 0.0),
    ("s", "s"): (1.0, 0.0),
    ("md", ""): (1.0, 0.0),
    ("td", ""): (1.0, 0.0),
    ("rad", "deg"): (57.29577951308232, 0.0),
}
"""(end of the signal's name, unit of the tag) -> (gain, offset): engineering = SI * gain + offset."""


def conversion(signal: str, unit: str) -> tuple[float, float]:
    """Gain and offset from a signal in SI to a unit of the wire.

    Raises:
        ValueError: the signal's name ends in no known SI unit, or the two do not belong together.
    """
    # the longest suffix wins: `speed_m_s` is m/s, not s
    for suffix in sorted({suffix for suffix, _ in FROM_SI}, key=len, reverse=True):
        if signal.endswith("_" + suffix):
            try:
                return FROM_SI[suffix, unit]
            except KeyError:
                raise ValueError(f"signal {signal} ({suffix}) cannot be shown in {unit!r}") from None
    raise ValueError(f"signal {signal} does not end in a known SI unit")
