"""Roll maps as files: one zip archive with a header for people and a table for NumPy.

`header.json` has the product, the rolls, the lots, the source and the names of the columns; `pieces.npy` is the table
as a structured array. `numpy.load(path)["pieces"]` reads it without us. Equal maps give equal bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from rig.products import Product
from rig.rolls.columns import COLUMNS, ROW, SCRAP_REASONS
from rig.rolls.rollmap import Lot, Roll, RollMap, RollsError

__all__ = ["FORMAT", "SUFFIX", "read_rolls", "write_rolls"]

FORMAT: Final = 1
SUFFIX: Final = ".rolls.npz"
HEADER, PIECES = "header.json", "pieces.npy"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DAMAGED = (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, ValidationError)


def write_rolls(rolls: RollMap, path: str | Path) -> Path:
    """Write a map; returns the path.

    Raises:
        RollsError: the map contradicts itself, or the file cannot be written.
    """
    rolls.check()
    header = {
        "format": FORMAT,
        "source": rolls.source,
        "product": rolls.product.model_dump(exclude_none=True),
        "rolls": [asdict(roll) for roll in rolls.rolls],
        "lots": [asdict(lot) for lot in rolls.lots],
        "scrap_reasons": list(SCRAP_REASONS),
        "columns": {column.name: {"unit": column.unit, "meaning": column.meaning} for column in COLUMNS},
    }
    table = io.BytesIO()
    np.save(table, rolls.pieces, allow_pickle=False)
    target = Path(path)
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            text = json.dumps(header, indent=1, ensure_ascii=False).encode()
            for name, data in ((HEADER, text), (PIECES, table.getvalue())):
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    except OSError as error:
        raise RollsError(f"{target} cannot be written: {error.strerror}; choose another folder") from error
    return target


def read_rolls(path: str | Path) -> RollMap:
    """Read a map.

    Raises:
        RollsError: no such file, no roll map, one of another format, or one that contradicts itself.
    """
    place = Path(path)
    try:
        with zipfile.ZipFile(place) as archive:
            header: dict[str, Any] = json.loads(archive.read(HEADER))
            if (found := header["format"]) != FORMAT:
                raise RollsError(
                    f"{place} has format {found}, this rig reads {FORMAT}; open it with the rig that made it"
                )
            pieces = np.load(io.BytesIO(archive.read(PIECES)), allow_pickle=False)
        _check_columns(pieces)
        rolls = RollMap(
            Product.model_validate(header["product"]),
            tuple(Roll(**roll) for roll in header["rolls"]),
            tuple(Lot(**lot) for lot in header["lots"]),
            _as_ours(pieces, header["scrap_reasons"]),
            dict(header["source"]),
        )
        rolls.check()
    except RollsError as error:
        raise error if str(place) in str(error) else RollsError(f"{place}: {error}") from error
    except OSError as error:
        raise RollsError(f"{place} cannot be read: {error.strerror or error}") from error
    except _DAMAGED as error:
        detail = " ".join(str(error).split())[:160]
        raise RollsError(f"{place} is not a roll map ({detail}); such files are called NAME{SUFFIX}") from error
    return rolls


def _check_columns(pieces: np.ndarray[Any, Any]) -> None:
    names = pieces.dtype.names or ()
    if missing := [column.name for column in COLUMNS if column.name not in names]:
        raise RollsError(f"the table of pieces lacks the column {', '.join(missing[:3])} ({len(missing)} in all)")


def _as_ours(pieces: np.ndarray[Any, Any], reasons: list[str]) -> np.ndarray[Any, Any]:
    """In our columns, byte order and numbers of scrap reasons; columns that we do not know are left out."""
    ours = np.zeros(pieces.shape, ROW)
    for column in COLUMNS:
        ours[column.name] = pieces[column.name]
    known = list(SCRAP_REASONS)
    if strange := [reason for reason in reasons if reason not in known]:
        raise RollsError(f"scrap for the reason {strange[0]!r}, which this rig does not know; open it with a newer rig")
    if len(pieces) and not 0 <= int(pieces["scrap"].min()) <= int(pieces["scrap"].max()) < len(reasons):
        raise RollsError("there is scrap for a reason that the header does not list")
    numbers = np.array([known.index(reason) for reason in reasons], np.int64)
    ours["scrap"] = numbers[pieces["scrap"]]
    return ours
