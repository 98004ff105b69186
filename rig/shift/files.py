"""What a shift leaves behind: the roll map, its page, and a summary for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageError
from rig.report.roll_map import write_roll_map
from rig.rolls import SCRAP_REASONS, SUFFIX, RollMap, write_rolls
from rig.shift.run import Shift

__all__ = ["LATEST", "ROLLS_FILE", "scrap_m", "summary", "write_shift"]

LATEST: Final = Path("out/make")
"""Where a shift goes if nothing is said, and where it is looked for."""
ROLLS_FILE: Final = f"shift{SUFFIX}"
PAGE: Final = "rolls.html"
SUMMARY: Final = "shift.json"


def write_shift(shift: Shift, folder: Path) -> tuple[Path, ...]:
    """Write everything into a folder; returns the files, the page first.

    Raises:
        UsageError: it cannot be written.
    """
    if shift.map is None:
        raise UsageError("this shift has not been run: there is nothing to write")
    paths = folder / PAGE, folder / ROLLS_FILE, folder / SUMMARY
    write_rolls(shift.map, paths[1])
    try:
        write_roll_map(shift.map, paths[0])
        paths[2].write_text(json.dumps(summary(shift), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}; choose another --out") from error
    return paths


def scrap_m(rolls: RollMap) -> dict[str, float]:
    """Sheet that became scrap, m, by reason; the longest first."""
    scrapped = rolls.scrapped
    lengths = {
        reason: float(scrapped["sheet_length_m"][scrapped["scrap"] == place].sum())
        for place, reason in enumerate(SCRAP_REASONS)
    }
    return {reason: length for reason, length in sorted(lengths.items(), key=lambda item: -item[1]) if length > 0.0}


def summary(shift: Shift) -> dict[str, Any]:
    """A shift in numbers; lengths in m, times in s of press time."""
    rolls = shift.map
    assert rolls is not None
    film = rolls.pieces[rolls.pieces["roll"] > 0]
    cast_m = float(rolls.pieces["sheet_length_m"].sum())
    released = [roll.number for roll in shift.rolls if roll.grade == "released"]
    return {
        "product": shift.plan.product.name,
        "press": shift.plan.url,
        "hours": shift.plan.hours,
        "ending": shift.ending,
        "press_s": shift.press_s,
        "wall_s": shift.wall_s,
        "sheet_ended_m": cast_m,
        "sheet_in_film_m": float(film["sheet_length_m"].sum()),
        "film_m": float(film["film_length_m"].sum()),
        "film_released_m": sum(rolls.length_m(roll.number) for roll in rolls.rolls if roll.number in released),
        "scrap_m": scrap_m(rolls),
        "rolls": [
            {
                "number": roll.number,
                "length_m": roll.length_m,
                "lots": list(roll.lots),
                "grade": roll.grade,
                "reason": roll.reason,
                "measured": dict(roll.sample.values) if roll.sample else {},
                "uncertainty": dict(roll.sample.uncertainties) if roll.sample else {},
            }
            for roll in shift.rolls
        ],
        "lots": [{"number": lot.number, "opened_ns": lot.opened_ns, "material": lot.material} for lot in rolls.lots],
    }
