"""The simultaneous biaxial stretcher: what reheating gives back, what drawing takes, and what it does to evenness.

Stress in direction a, with the compression law of the press for arms and network and a network that hardens as in
Haward and Thackray (docs/model.md, stretching):

    sigma_a = 2/3 (1 + eps_a/(eps_md + eps_td)) sigma_press + G(T) (lambda_a^2 - 1/(lambda_md lambda_td)^2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from emulator.config import load_definition
from emulator.line import gel
from emulator.line.gel import Web
from emulator.material.definition import Finite, Fraction, Material, NonNegative, Positive, Section

__all__ = ["Draw", "Drawn", "Reheated", "Stretching", "drawn", "load_stretching", "opened_dry", "reheated"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STEPS: Final = 40
HALF_KELVIN: Final = 0.5


class Oven(Section):
    """Air around the sheet."""

    conductance_w_m2k: Positive
    temperature_spread_k: NonNegative
    zone_length_m: Positive
    air_lag_s: Positive
    hottest_c: Finite


class Clips(Section):
    """What holds and draws the sheet."""

    draw_length_m: Positive
    highest_ratio: Annotated[float, Field(gt=1.0)]
    ratio_lag_s: Positive


class Window(Section):
    """Temperatures of drawing, from the melting point of the sheet."""

    good_below_k: Positive
    good_above_k: NonNegative
    tears_below_k: Positive
    sags_above_k: NonNegative


class Hardening(Section):
    """The network that stiffens as it is stretched."""

    modulus_25c_mpa: Positive
    modulus_min_mpa: Positive


class Strength(Section):
    """True stress at which sheet tears."""

    stress_25c_mpa: Positive
    softening_exponent: NonNegative


class Evenness(Section):
    """How differences grow."""

    free_share: Fraction
    least_hardening: Positive
    recovered_share: NonNegative


class Dry(Section):
    """Sheet without solvent."""

    thinning_exponent: Annotated[float, Field(gt=0.0, le=1.0)]


class Stretching(Section):
    """The station; `load_stretching` makes one from a file."""

    name: str
    description: str
    oven: Oven
    clips: Clips
    window: Window
    hardening: Hardening
    strength: Strength
    evenness: Evenness
    dry: Dry


def load_stretching(name_or_path: str | Path = "reference") -> Stretching:
    """The shipped station, or one's own by path; raises ConfigError."""
    return load_definition(name_or_path, "stretcher", Stretching)


class Reheated(NamedTuple):
    """Sheet at the end of the oven's free stretch."""

    web: Web
    recovered: Floats
    """Strain that came back, logarithm of the thickness ratio, [n]."""


def reheated(station: Stretching, material: Material, web: Web, zones: Sequence[tuple[float, float]]) -> Reheated:
    """Sheet without constraint through zones of (air temperature [K], seconds): stored strain comes back."""
    warm = gel.release_through(material, web, zones, station.oven.conductance_w_m2k) if zones else web
    return Reheated(warm, np.asarray(np.log(warm.thickness_m / web.thickness_m)))


@dataclass(frozen=True, slots=True)
class Draw:
    """Ratios and Hencky rates [1/s] in machine and transverse direction; both begin together."""

    ratio_md: float
    ratio_td: float
    rate_md_per_s: float
    rate_td_per_s: float
    temperature_k: float

    def __post_init__(self) -> None:
        if min(self.ratio_md, self.ratio_td) < 1.0 or max(self.ratio_md, self.ratio_td) <= 1.0:
            raise ValueError(f"ratios {self.ratio_md:g} x {self.ratio_td:g}: none below 1, and one above it")
        if min(self.rate_md_per_s, self.rate_td_per_s) <= 0.0:
            raise ValueError(f"rates {self.rate_md_per_s:g} and {self.rate_td_per_s:g} 1/s must be above 0")

    @property
    def area_ratio(self) -> float:
        """Area after over area before."""
        return self.ratio_md * self.ratio_td

    def strains(self, times_s: Floats) -> tuple[Floats, Floats]:
        """Hencky strains in both directions after so long."""
        md = np.minimum(self.rate_md_per_s * times_s, np.log(self.ratio_md))
        td = np.minimum(self.rate_td_per_s * times_s, np.log(self.ratio_td))
        return md, td

    def times(self) -> Floats:
        """Ends of the steps [s]; where one direction arrives before the other is one of them."""
        ends = np.log([self.ratio_md, self.ratio_td]) / [self.rate_md_per_s, self.rate_td_per_s]
        return np.unique(np.concatenate([np.linspace(0.0, ends.max(), STEPS + 1)[1:], ends[ends > 0.0]]))


class Drawn(NamedTuple):
    """What comes out of the stretcher, arrays [n]."""

    web: Web
    """Thickness at constant volume; still hot."""
    stress_md_pa: Floats
    stress_td_pa: Floats
    load: Floats
    """Largest stress on the way, as part of the strength: 1 tears."""
    torn: Flags
    sagged: Flags
    thickness_cv: Floats
    residual_strain: Floats
    """After cooling to 25 degC in the clips (`gel.residual_strain`)."""
    cold: Web
    """The same sheet, after that."""


def drawn(
    station: Stretching,
    material: Material,
    web: Web,
    draw: Draw,
    thickness_cv: Floats,
    recovered: Floats,
    spread: float = 1.0,
) -> Drawn:
    """Draw sheet at one temperature.

    Args:
        station: whose numbers.
        material: whose laws; melting point and stiffness of pieces may differ (`Web`).
        web: reheated sheet.
        draw: ratios, rates, temperature.
        thickness_cv: relative standard deviation of the thickness before, [n].
        recovered: what came back on reheating, [n].
        spread: scale of the temperature's standard deviation over the sheet.
    """
    n = web.thickness_m.size
    times = draw.times()
    md, td = draw.strains(times)
    compression = np.diff(md + td, prepend=0.0)
    hot = np.full((times.size, n), draw.temperature_k)
    after, press = gel.follow(
        material, web, np.diff(times, prepend=0.0), hot, np.repeat(compression[:, None], n, axis=1)
    )
    b = after.modulus_factor
    G = web.stiffness * _hardening(station, b)  # noqa: N806 - modulus
    share_md, share_td = (2.0 / 3.0 * (1.0 + strain / (md + td))[:, None] for strain in (md, td))
    thin = np.exp(-2.0 * (md + td))[:, None]
    stress_md = share_md * press + G * (np.exp(2.0 * md)[:, None] - thin)
    stress_td = share_td * press + G * (np.exp(2.0 * td)[:, None] - thin)
    strength = web.stiffness * station.strength.stress_25c_mpa * 1e6 * b**station.strength.softening_exponent
    load = np.maximum(stress_md, stress_td).max(axis=0) / strength
    above = draw.temperature_k - material.gel_melting_point_k - web.melt_k
    uneven = _thickness_cv(station, material, web, draw, press[-1], thickness_cv, recovered, spread)
    cold = gel.set_in_clamps(material, after, draw.temperature_k, 0.0)
    return Drawn(
        after,
        stress_md[-1],
        stress_td[-1],
        load,
        np.asarray((load > 1.0) | (above < -station.window.tears_below_k)),
        np.asarray(above > station.window.sags_above_k),
        uneven,
        gel.residual_strain(material, cold),
        cold,
    )


def opened_dry(station: Stretching, thickness_m: float, porosity: float, area_ratio: float) -> tuple[float, float]:
    """Thickness [m] and porosity of sheet drawn without solvent: it thins less than it spreads, and pores open."""
    thinner = area_ratio**-station.dry.thinning_exponent
    return thickness_m * thinner, 1.0 - (1.0 - porosity) / (thinner * area_ratio)


def _hardening(station: Stretching, b: Floats) -> Floats:
    h = station.hardening
    return np.asarray((h.modulus_min_mpa + (h.modulus_25c_mpa - h.modulus_min_mpa) * b) * 1e6)


def _thickness_cv(
    station: Stretching,
    material: Material,
    web: Web,
    draw: Draw,
    press: Floats,
    thickness_cv: Floats,
    recovered: Floats,
    spread: float,
) -> Floats:
    """Relative standard deviation of the thickness after the draw, [n].

    A free part of the draw goes where the force is largest for what is there; hardening works against it. So
    differences of thickness and of temperature grow the more, the less the sheet hardens.
    """
    e = station.evenness
    ratio = np.sqrt(draw.area_ratio)

    T = np.full(web.thickness_m.size, draw.temperature_k)  # noqa: N806 - temperature
    b_here = gel.modulus_factors(material, T, web.melt_k)

    def stress(b: Floats) -> tuple[Floats, Floats]:
        """And its modulus, of sheet with these modulus factors."""
        G = web.stiffness * _hardening(station, b)  # noqa: N806 - modulus
        return press * (b / b_here) + G * (ratio**2 - ratio**-4), G

    (total, G), warmer, colder = (  # noqa: N806 - modulus
        stress(b)
        for b in (
            b_here,
            gel.modulus_factors(material, T + HALF_KELVIN, web.melt_k),
            gel.modulus_factors(material, T - HALF_KELVIN, web.melt_k),
        )
    )
    slope = G * (2.0 * ratio**2 + 4.0 * ratio**-4)
    hardening = np.maximum(slope / total - 1.0, e.least_hardening)
    softening = np.abs(warmer[0] - colder[0]) / total
    freedom = 2.0 * e.free_share / hardening
    from_thickness = (1.0 + freedom) * thickness_cv
    from_heat = freedom * softening * station.oven.temperature_spread_k * spread
    return np.asarray(np.sqrt(from_thickness**2 + from_heat**2 + (e.recovered_share * recovered) ** 2))
