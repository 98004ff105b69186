"""What is known of every piece of a roll map, as a table: names, units and meaning in one place.

A piece is a short length of sheet that keeps its identity from the die to the roll. There is one row per piece, film
and scrap alike, in the order in which they came to their end. Whoever makes rolls writes these columns (`RollMap`),
whoever reads them finds these units: times in integer nanoseconds of bench time, everything else in the unit that ends
its name. What a piece never came to is NaN, or 0 for a time.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from rig.products import FILM_PROPERTIES

__all__ = ["COLUMNS", "NOT_SCRAP", "ROW", "SCRAP_REASONS", "STATIONS", "Column"]

NOT_SCRAP: Final = "none"
SCRAP_REASONS: Final = {
    NOT_SCRAP: "wound as film",
    "no_web": "it came to a store without a web",
    "overfull": "the store was full, and it was cut out",
    "threading": "it lay in a station whose web was broken when the web was led through anew",
    "torn": "it tore in the stretcher",
    "sagged": "it sagged in the stretcher",
    "wet": "it came to the winder with extractant in it",
    "rejected": "the line controller sent it to scrap",
}
"""Why a piece is no film; the column `scrap` holds the place in this table. New reasons are added at the end."""


class Column(NamedTuple):
    """One column; `station` is that of `STATIONS`, or empty for what is the piece's own."""

    name: str
    station: str
    meaning: str
    whole: bool = False

    @property
    def unit(self) -> str:
        """As it is written behind a value."""
        return next((unit for ending, unit in _UNITS.items() if self.name.endswith(ending)), "")


_UNITS: Final = {
    "_ns": "ns", "_kg": "kg", "_k_times_min": "times·min", "k_times_min": "times·min", "_percent": "%", "_um": "µm",
    "_mpa": "MPa", "_c": "°C", "_s": "s", "_n": "N", "_m": "m",
}  # fmt: skip

STATIONS: Final = ("kneading", "casting", "press", "stretching", "desolvation", "heat treatment", "film")
"""In the order of a line that stretches first."""

COLUMNS: Final = (
    Column("piece", "", "counted from the start of the line", whole=True),
    Column("lot", "", "of the raw materials, as in `RollMap.lots`", whole=True),
    Column("roll", "", "number; 0 if it is on none", whole=True),
    Column("scrap", "", "place in `SCRAP_REASONS`", whole=True),
    Column("splice", "", "1: holds a joint", whole=True),
    Column("film_m", "", "of film on the roll before it"),
    Column("film_length_m", "", "of it as film"),
    Column("sheet_m", "", "of sheet cast before it, since the start of the line"),
    Column("sheet_length_m", "", "of it as cast"),
    Column("end_ns", "", "when it was wound or scrapped", whole=True),
    Column("die_ns", "kneading", "when its front left the die", whole=True),
    Column("polyolefin_kg", "kneading", "polyolefin in it"),
    Column("elastomer_kg", "kneading", "elastomer in it"),
    Column("antioxidant_kg", "kneading", "antioxidant in it"),
    Column("mixing_percent", "kneading", "degree of mixing"),
    Column("melt_c", "kneading", "temperature of the melt"),
    Column("gel_melting_c", "casting", "melting point of its gel"),
    Column("modulus_percent", "casting", "stiffness of its gel, of that of the data"),
    Column("press_in_ns", "press", "when it was drawn in", whole=True),
    Column("press_out_ns", "press", "when it was let go", whole=True),
    Column("sheet_thickness_um", "press", "thickness before rolling"),
    Column("minimum_clearance_um", "press", "smallest clearance that it went through, t0"),
    Column("recovered_thickness_um", "press", "thickness 600 s after release, t"),
    Column("r_percent", "press", "elastic recovery"),
    Column("k_times_min", "press", "rolling coefficient"),
    Column("pressed_s", "press", "time under pressure"),
    Column("pressure_mpa", "press", "largest pressure"),
    Column("hot_min_c", "press", "coldest plate of the heat section that it met"),
    Column("hot_max_c", "press", "hottest plate of the heat section that it met"),
    Column("cold_c", "press", "belt at the end of the cold section"),
    Column("oven_ns", "stretching", "when it came into the oven", whole=True),
    Column("oven_s", "stretching", "time in the oven without constraint"),
    Column("oven_c", "stretching", "air of the last zone"),
    Column("draw_c", "stretching", "temperature when drawn"),
    Column("recovered_percent", "stretching", "thickness that came back in the oven"),
    Column("ratio_md", "stretching", "ratio in machine direction"),
    Column("ratio_td", "stretching", "ratio in transverse direction"),
    Column("load_percent", "stretching", "largest stress, of the strength"),
    Column("bath_ns", "desolvation", "when it came into the first bath", whole=True),
    Column("wash_s", "desolvation", "time in baths"),
    Column("dryer_s", "desolvation", "time in the dryer"),
    Column("dry_thickness_percent", "desolvation", "thickness dry, of that wet"),
    Column("set_ns", "heat treatment", "when it came into the clip oven", whole=True),
    Column("set_s", "heat treatment", "time in the clip oven"),
    Column("set_c", "heat treatment", "air in the clip oven"),
    Column("conversion_percent", "heat treatment", "double bonds that have reacted, curing included"),
    *(Column(name, "film", kind.title) for name, kind in FILM_PROPERTIES.items()),
    Column("thickness_spread_percent", "film", "spread of its thickness across the width"),
)

ROW: Final = np.dtype([(column.name, np.int64 if column.whole else np.float64) for column in COLUMNS])
