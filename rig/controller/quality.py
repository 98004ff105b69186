"""r and k of a piece of sheet, with their uncertainty, and whether it may be shipped.

Recovery is read 600 s after release. The gauges see a piece earlier, so its thickness is carried on
along the straight line through both gauge readings over the logarithm of the time since release.

Uncertainties are expanded (k = 2), from the instruments' data sheets and the models used:

| part | standard uncertainty |
| --- | --- |
| thickness gauge | 2 µm noise / sqrt(readings), and 1 µm of calibration |
| extrapolation to 600 s | half of what it adds |
| clearance sensor | 1.5 µm |
| spring-back | a quarter of it: the pressure at a nip is known from the group's mean only |
| time under pressure | one roller pitch of travel |
| temperatures | 1 K, thermocouples and pyrometers against belt and sheet |

Decision rule: a piece is good only if r, k and the temperatures of CLM-5 are inside their limits by more than
their expanded uncertainty (the supplier's side of ISO 14253-1), and the pressure must never have been away.
"""

from __future__ import annotations

import math

from rig.controller.api import QualityRecord
from rig.controller.ledger import PIECE_M, Piece
from rig.controller.machine_facts import MachineFacts
from rig.recipe import (
    COLD_LIMIT_C,
    HOT_WINDOW_BELOW_MELTING_K,
    RECOVERY_LIMIT_PERCENT,
    ROLLING_COEFFICIENT_LIMIT,
    Recipe,
)

__all__ = ["RECOVERED_AGE_S", "assess", "recovered_thickness_um", "released_temperature_c"]

RECOVERED_AGE_S = 600.0
"""Time since release at which the recovered thickness is defined, s."""
GAUGE_NOISE_UM = 2.0
GAUGE_CALIBRATION_UM = 1.0
EXTRAPOLATION_PART = 0.5
CLEARANCE_UM = 1.5
SPRING_BACK_PART = 0.25
UNPRESSED_S = 1.0
"""So long may a load cell show nothing between two readings without the pressure having been away, s."""
TEMPERATURE_K = 1.0
COVERAGE = 2.0
"""k = 2: about 95 %."""


def recovered_thickness_um(early_um: float, early_s: float, late_um: float, late_s: float) -> float:
    """Thickness at 600 s from two gauges, linear in the logarithm of the time since release.

    Args:
        early_um: thickness at the first gauge, µm.
        early_s: age of the sheet there, s.
        late_um: thickness at the second gauge, µm; taken as it is without a usable first one.
        late_s: age of the sheet there, s.
    """
    if not (0.0 < early_s < late_s and math.isfinite(early_um)):
        return late_um
    slope_um = (late_um - early_um) / math.log(late_s / early_s)
    # a sheet does not get thinner after release: a falling line is noise
    return late_um + max(slope_um, 0.0) * math.log(RECOVERED_AGE_S / late_s)


def released_temperature_c(seen_c: float, ambient_c: float, age_s: float, time_s: float) -> float:
    """Temperature at the exit of the press, from a pyrometer further on.

    Args:
        seen_c: what the pyrometer shows, °C.
        ambient_c: air, °C; the sheet has been on its way to this temperature.
        age_s: time since release, s.
        time_s: time constant of the sheet in air, s.
    """
    return ambient_c + (seen_c - ambient_c) * math.exp(age_s / time_s)


def assess(piece: Piece, recipe: Recipe, facts: MachineFacts, time_ns: int, speed_m_s: float) -> QualityRecord:
    """Judge a piece that has passed both gauges.

    Args:
        piece: what it has met.
        recipe: what it should be.
        facts: the machine.
        time_ns: now.
        speed_m_s: belt speed, for the uncertainty of the time under pressure.
    """
    entry_um, late_um = piece.entry.value, piece.recovered.value
    thickness_um = recovered_thickness_um(piece.exit.value, piece.exit_age_s, late_um, piece.recovered_age_s)
    minimum_um = piece.minimum_um if piece.minimum_um > 0.0 else math.nan
    minutes = piece.pressure_s / 60.0
    recovery = 100.0 * (thickness_um - minimum_um) / minimum_um
    coefficient = entry_um / thickness_um * minutes
    gauge_um = math.hypot(GAUGE_NOISE_UM / math.sqrt(max(piece.recovered.count, 1)), GAUGE_CALIBRATION_UM)
    thickness_u_um = math.hypot(gauge_um, EXTRAPOLATION_PART * (thickness_um - late_um))
    minimum_u_um = math.hypot(CLEARANCE_UM, SPRING_BACK_PART * piece.spring_back_um)
    recovery_u = 100.0 / minimum_um * math.hypot(thickness_u_um, thickness_um / minimum_um * minimum_u_um)
    minutes_u = facts.roller_pitch_m / max(speed_m_s, 1e-6) / 60.0
    relative = math.hypot(thickness_u_um / thickness_um, gauge_um / entry_um)
    coefficient_u = coefficient * math.hypot(relative, minutes_u / minutes) if minutes > 0.0 else math.nan
    cold_end_c = released_temperature_c(
        piece.exit_temperature.value, piece.ambient.value, piece.exit_age_s, facts.film_air_time_s_mm * late_um * 1e-3
    )
    reason = _objection(
        piece, recipe, cold_end_c, recovery, COVERAGE * recovery_u, coefficient, COVERAGE * coefficient_u
    )
    return QualityRecord(
        start_m=piece.number * PIECE_M,
        length_m=PIECE_M,
        time_ns=time_ns,
        entry_thickness_um=entry_um,
        minimum_clearance_um=minimum_um,
        recovered_thickness_um=thickness_um,
        pressure_time_min=minutes,
        recovery_percent=recovery,
        recovery_uncertainty_percent=COVERAGE * recovery_u,
        rolling_coefficient=coefficient,
        rolling_coefficient_uncertainty=COVERAGE * coefficient_u,
        hot_min_c=piece.hot_min_c,
        hot_max_c=piece.hot_max_c,
        cold_end_c=cold_end_c,
        good=not reason,
        reason=reason,
    )


def _objection(
    piece: Piece,
    recipe: Recipe,
    cold_end_c: float,
    recovery: float,
    recovery_u: float,
    coefficient: float,
    coefficient_u: float,
) -> str:
    """Why a piece is scrap; empty if it is not."""
    melting_c = recipe.composition.polyolefin_melting_point_c
    temperature_u_k = COVERAGE * TEMPERATURE_K
    lower_c, upper_c = (melting_c - below for below in HOT_WINDOW_BELOW_MELTING_K)
    low_c, high_c = lower_c + temperature_u_k, upper_c - temperature_u_k
    if piece.unpressed_s > UNPRESSED_S:
        return "the pressure was away between entry and exit"
    if not recovery + recovery_u <= RECOVERY_LIMIT_PERCENT:
        return f"recovery {recovery:.1f} ± {recovery_u:.1f} % is not surely within {RECOVERY_LIMIT_PERCENT:g} %"
    if not coefficient - coefficient_u >= ROLLING_COEFFICIENT_LIMIT:
        return (
            f"rolling coefficient {coefficient:.2f} ± {coefficient_u:.2f} times·min is not surely above "
            f"{ROLLING_COEFFICIENT_LIMIT:g}"
        )
    if not low_c <= piece.hot_min_c <= piece.hot_max_c <= high_c:
        return (
            f"rolled at {piece.hot_min_c:.1f} … {piece.hot_max_c:.1f} ± {temperature_u_k:g} °C, not surely within "
            f"{lower_c:g} … {upper_c:g} °C"
        )
    if not cold_end_c + temperature_u_k <= COLD_LIMIT_C:
        return f"left the press at {cold_end_c:.1f} ± {temperature_u_k:g} °C, not surely below {COLD_LIMIT_C:g} °C"
    return ""
