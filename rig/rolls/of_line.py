"""From the pieces of the virtual line to the rows of a roll map.

The line keeps pieces in SI units, in records whose fields are those of `emulator.line.sheet.PIECE`; this is the one
place that knows both names. It imports nothing of the virtual press.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rig.rolls.columns import ROW

__all__ = ["rows_of_line"]

KELVIN: Final = 273.15
SAME: Final = (
    "lot",
    "roll",
    "splice",
    "end_ns",
    "die_ns",
    "press_in_ns",
    "press_out_ns",
    "oven_ns",
    "bath_ns",
    "set_ns",
    "k_times_min",
    "r_percent",
    "pressed_s",
    "ratio_md",
    "ratio_td",
    "wash_s",
    "dryer_s",
    "set_s",
    "scrap",
)
SCALED: Final = {
    # column: field, factor, offset
    "film_m": ("roll_m", 1.0, 0.0),
    "film_length_m": ("length_m", 1.0, 0.0),
    "mixing_percent": ("mixing", 100.0, 0.0),
    "melt_c": ("melt_k", 1.0, -KELVIN),
    "gel_melting_c": ("gel_melting_k", 1.0, -KELVIN),
    "modulus_percent": ("modulus_scale", 100.0, 0.0),
    "sheet_thickness_um": ("h0_m", 1e6, 0.0),
    "minimum_clearance_um": ("t0_m", 1e6, 0.0),
    "recovered_thickness_um": ("t_600_m", 1e6, 0.0),
    "pressure_mpa": ("pressure_pa", 1e-6, 0.0),
    "hot_min_c": ("hot_min_k", 1.0, -KELVIN),
    "hot_max_c": ("hot_max_k", 1.0, -KELVIN),
    "cold_c": ("cold_k", 1.0, -KELVIN),
    "draw_c": ("draw_k", 1.0, -KELVIN),
    "load_percent": ("load", 100.0, 0.0),
    "dry_thickness_percent": ("dry_ratio", 100.0, 0.0),
    "set_c": ("set_k", 1.0, -KELVIN),
    "thickness_spread_percent": ("thickness_cv", 100.0, 0.0),
}
REACHED: Final = {
    # columns of a station hold something only where the piece has been to it
    "press_out_ns": (
        "press_in_ns",
        "sheet_thickness_um",
        "minimum_clearance_um",
        "recovered_thickness_um",
        "r_percent",
        "k_times_min",
        "pressed_s",
        "pressure_mpa",
        "hot_min_c",
        "hot_max_c",
        "cold_c",
    ),
    "oven_ns": ("oven_s", "oven_c"),
    "draw_s": ("draw_c", "recovered_percent", "ratio_md", "ratio_td", "load_percent"),
    "bath_ns": ("wash_s", "dryer_s"),
    "dry_ratio": ("dry_thickness_percent",),
    "set_ns": ("set_s", "set_c"),
    "roll": (
        "film_m",
        "film_length_m",
        "conversion_percent",
        "thickness_um",
        "porosity_percent",
        "gurley_s",
        "puncture_n",
        "shrinkage_105c_percent",
        "shutdown_c",
        "meltdown_c",
        "residual_solvent_percent",
        "thickness_spread_percent",
    ),
}
DRAWN_OR_DRY: Final = ("draw_s", "dry_ratio")
"""Fields of the line that say so without being columns."""
POLYOLEFIN, ELASTOMER, SOLVENT, ANTIOXIDANT = range(4)


def rows_of_line(
    pieces: NDArray[np.void],
    film: Callable[[Any], Mapping[str, float]],
    conversion: Callable[[Any], float],
    *,
    sheet_length_m: float,
) -> NDArray[np.void]:
    """Rows of `ROW` for pieces that have come to their end.

    Args:
        pieces: records of the line, shape (n,).
        film: properties of a piece that was wound, SI, by the names of the line (`Line.film`).
        conversion: of its elastomer, curing included.
        sheet_length_m: of a piece as it was cast.
    """
    rows = np.zeros(len(pieces), ROW)
    rows["piece"] = pieces["serial"]
    rows["sheet_m"] = pieces["serial"] * sheet_length_m
    rows["sheet_length_m"] = sheet_length_m
    for name in SAME:
        rows[name] = pieces[name]
    for column, (name, factor, offset) in SCALED.items():
        rows[column] = pieces[name] * factor + offset
        if offset:
            rows[column][pieces[name] <= 0.0] = np.nan  # never had a temperature there
    mass = pieces["mass_kg"]
    rows["polyolefin_kg"], rows["elastomer_kg"], rows["antioxidant_kg"] = mass[
        :, [POLYOLEFIN, ELASTOMER, ANTIOXIDANT]
    ].T
    rows["oven_s"] = pieces["oven_s"].sum(axis=1)
    last = pieces["oven_k"][:, -1]
    rows["oven_c"] = np.where(last > 0.0, last - KELVIN, np.nan)
    rows["recovered_percent"] = np.expm1(pieces["recovered"]) * 100.0
    solids = mass[:, POLYOLEFIN] + mass[:, ELASTOMER]
    rows["residual_solvent_percent"] = 100.0 * mass[:, SOLVENT] / (solids + mass[:, SOLVENT])
    for i in np.flatnonzero(pieces["roll"] > 0):
        true = film(pieces[i])
        rows["conversion_percent"][i] = 100.0 * conversion(pieces[i])
        rows["thickness_um"][i] = true["thickness_m"] * 1e6
        rows["porosity_percent"][i] = true["porosity"] * 100.0
        rows["gurley_s"][i] = true["gurley_s"]
        rows["puncture_n"][i] = true["puncture_n"]
        rows["shrinkage_105c_percent"][i] = true["shrinkage_105c"] * 100.0
        rows["shutdown_c"][i] = true["shutdown_k"] - KELVIN
        rows["meltdown_c"][i] = true["meltdown_k"] - KELVIN
    for been, columns in REACHED.items():
        absent = (pieces if been in DRAWN_OR_DRY else rows)[been] == 0
        for column in columns:
            rows[column][absent] = 0 if ROW[column].kind == "i" else np.nan
    return rows
