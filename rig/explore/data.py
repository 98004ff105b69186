"""The map as data: arrays over two axes, and the two files that keep it.

`operating-window.csv` has one line per computed point, units in the column names. `operating-window.json` says
what was computed: machine, gel, recipe, axes, limits and versions. Equal inputs give equal bytes: there is no date.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rig.errors import UsageError
from rig.explore.plan import Plan, own_value
from rig.explore.variables import VARIABLES, Axis
from rig.recipe import COLD_LIMIT_C, HOT_WINDOW_BELOW_MELTING_K
from rig.requirements import CLAIMS
from rig.virtual import HELD_WITHIN_K, Outcome

__all__ = ["COLUMNS", "DATA_FILE", "HEADER_FILE", "OperatingMap", "read_map", "write_map"]

DATA_FILE, HEADER_FILE = "operating-window.csv", "operating-window.json"
COLUMNS = tuple(field.name for field in fields(Outcome))
FLAGS = ("pressure_released", "held")
FORMAT = 1
Floats = NDArray[np.float64]


@dataclass(slots=True)
class OperatingMap:
    """Outcomes over two axes.

    Attributes:
        x, y: the axes.
        values: column -> array [y, x]; NaN where nothing was computed or nothing came out; flags are 0 or 1.
        computed: [y, x], where a point is there.
        header: what was computed, as in the JSON file.
    """

    x: Axis
    y: Axis
    values: dict[str, Floats]
    computed: NDArray[np.bool_]
    header: dict[str, Any]

    @classmethod
    def empty(cls, plan: Plan) -> Self:
        """A map without points yet."""
        return cls._blank(plan.x, plan.y, _header(plan))

    @classmethod
    def _blank(cls, x: Axis, y: Axis, header: dict[str, Any]) -> Self:
        shape = (len(y.values), len(x.values))
        return cls(x, y, {name: np.full(shape, np.nan) for name in COLUMNS}, np.zeros(shape, np.bool_), header)

    def put(self, index: int, outcome: Outcome) -> None:
        """Enter one point; x runs fastest."""
        place = divmod(index, len(self.x.values))
        for name in COLUMNS:
            self.values[name][place] = float(getattr(outcome, name))
        self.computed[place] = True

    @property
    def complete(self) -> bool:
        """Whether all points are there."""
        return bool(self.computed.all())

    @property
    def hot_window_c(self) -> tuple[float, float]:
        """CLM-5: where heat rolling must happen, by the recipe's polyolefin."""
        low, high = self.header["limits"]["hot_window_c"]
        return float(low), float(high)

    @property
    def design_pressure_mpa(self) -> float:
        """Above it the hydraulics give way."""
        return float(self.header["limits"]["design_pressure_mpa"])

    @property
    def own_point(self) -> tuple[float, float]:
        """Where the recipe itself stands on x and y."""
        x, y = self.header["own_point"]
        return float(x), float(y)

    def margins(self, values: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
        """How far each claim is on its good side, in its unit; of other values than the map's own if given.

        CLM-4 is +1 where the pressure held from nip to nip and -1 where it did not.
        """
        values = self.values if values is None else values
        low_c, high_c = self.hot_window_c
        hot = np.fmin(values["hot_min_c"] - low_c, high_c - values["hot_max_c"])
        return {
            "CLM-1": CLAIMS["CLM-1"].limit - values["r_percent"],
            "CLM-2": values["k_times_min"] - CLAIMS["CLM-2"].limit,
            "CLM-4": 1.0 - 2.0 * values["pressure_released"],
            "CLM-5": np.minimum(hot, COLD_LIMIT_C - values["exit_temperature_c"]),
        }

    def all_claims(self) -> NDArray[np.bool_]:
        """Where all claims hold; [y, x]."""
        good = np.ones(self.computed.shape, np.bool_)
        for margin in self.margins().values():
            good &= margin >= 0.0
        return good


def write_map(result: OperatingMap, folder: Path) -> tuple[Path, Path]:
    """Write data and header; returns their paths.

    Raises:
        UsageError: the folder cannot be written to.
    """
    good = result.all_claims()
    header = result.header | {"points": {"computed": int(result.computed.sum()), "of": result.computed.size}}
    data_path, header_path = folder / DATA_FILE, folder / HEADER_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with data_path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([result.x.name, result.y.name, *COLUMNS, "all_claims"])
            for place in zip(*np.nonzero(result.computed), strict=True):
                row = [f"{result.x.values[place[1]]:.10g}", f"{result.y.values[place[0]]:.10g}"]
                row += [f"{result.values[name][place]:.7g}" for name in COLUMNS]
                table.writerow([*row, int(good[place])])
        header_path.write_text(json.dumps(header, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{error.filename or folder} cannot be written: {error.strerror}; choose another --out"
        ) from error
    return data_path, header_path


def read_map(folder: Path) -> OperatingMap:
    """Read what `write_map` wrote.

    Raises:
        UsageError: no map there, or one of another format.
    """
    try:
        header = json.loads((folder / HEADER_FILE).read_text(encoding="utf-8"))
        rows = list(csv.DictReader((folder / DATA_FILE).read_text(encoding="utf-8").splitlines()))
        if header["format"] != FORMAT:
            raise UsageError(f"{folder} holds a map of format {header['format']}; this version reads format {FORMAT}")
        axes = [Axis(VARIABLES[header[side]["name"]], tuple(header[side]["values"])) for side in ("x", "y")]
        del header["points"]
        result = OperatingMap._blank(axes[0], axes[1], header)
        for row in rows:
            place = (axes[1].values.index(float(row[axes[1].name])), axes[0].values.index(float(row[axes[0].name])))
            for name in COLUMNS:
                result.values[name][place] = float(row[name])
            result.computed[place] = True
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}") from error
    except (KeyError, ValueError) as error:
        raise UsageError(f"{folder} holds no map that can be read: {error}") from error
    return result


def _header(plan: Plan) -> dict[str, Any]:
    melting_c = plan.recipe.composition.polyolefin_melting_point_c
    return {
        "format": FORMAT,
        "what": "settled virtual press at each point; the clearance stays as set",
        "versions": {name: metadata.version(name) for name in ("press-rig", "numba", "numpy")}
        | {"python": sys.version.split()[0]},
        "x": {"name": plan.x.name, "values": list(plan.x.values)},
        "y": {"name": plan.y.name, "values": list(plan.y.values)},
        "set": dict(plan.held),
        "own_point": [own_value(axis.name, plan.machine, plan.recipe) for axis in (plan.x, plan.y)],
        "limits": {
            "r_percent": CLAIMS["CLM-1"].limit,
            "k_times_min": CLAIMS["CLM-2"].limit,
            "exit_temperature_c": COLD_LIMIT_C,
            "hot_window_c": [melting_c - below for below in HOT_WINDOW_BELOW_MELTING_K],
            "design_pressure_mpa": plan.machine.geometry.design_pressure_mpa,
            "held_within_k": HELD_WITHIN_K,
        },
        "flags": dict.fromkeys((*FLAGS, "all_claims"), "0 or 1"),
        "machine": plan.machine.model_dump(mode="json"),
        "material": plan.material.model_dump(mode="json"),
        "recipe": plan.recipe.model_dump(mode="json"),
    }
