"""Failure modes and effects as one HTML page: a table of faults over phases, coloured by what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from rig.search.fmea import Row

__all__ = ["write_fmea_page"]


def write_fmea_page(rows: Sequence[Row], controller: str, path: Path) -> Path:
    """Write the page; returns its path."""
    environment = Environment(
        loader=PackageLoader("rig.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    phases = list(dict.fromkeys(row.phase for row in rows))
    cells = {(row.fault, row.phase): row for row in rows}
    kinds = list(dict.fromkeys(row.fault for row in rows))
    page = environment.get_template("fmea.html.j2").render(
        controller=controller,
        phases=phases,
        table=[(kind, [cells.get((kind, phase)) for phase in phases]) for kind in kinds],
        unnoticed=sum(not row.noticed_by and row.showed for row in rows),
        broken=[row for row in rows if row.broken],
        count=len(rows),
    )
    path.write_text(page, encoding="utf-8")
    return path
