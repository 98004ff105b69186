"""The roll map as one HTML page: where every metre of sheet went, and the film along each roll."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rig.products import FILM_PROPERTIES
from rig.report import colours
from rig.report.figures import INK, MUTED, PAPER, drawing, legend, new_figure, thin, to_svg
from rig.report.plots import Plot
from rig.rolls import SCRAP_REASONS, Roll, RollMap

__all__ = ["roll_map_plots", "write_roll_map"]

SHOWN = ("thickness_um", "gurley_s", "porosity_percent", "meltdown_c")
"""Properties with a panel of their own; the table of rolls has the means of all."""


def write_roll_map(rolls: RollMap, path: str | Path) -> Path:
    """Write the page; returns its path."""
    environment = Environment(
        loader=PackageLoader("rig.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    film_m = sum(rolls.length_m(roll.number) for roll in rolls.rolls)
    scrap_m = float(rolls.scrapped["sheet_length_m"].sum())
    page = environment.get_template("rolls.html.j2").render(
        product=rolls.product,
        source=rolls.source,
        film_m=film_m,
        scrap_m=scrap_m,
        rows=[_row(rolls, roll) for roll in rolls.rolls],
        titles=[(kind.title, str(target), kind.unit)
                for (_, target), kind in zip(rolls.product.film.items(), FILM_PROPERTIES.values(), strict=True)],
        scrap=_scrap(rolls),
        plots=[(plot.title, plot.caption, Markup(plot.svg)) for plot in roll_map_plots(rolls)],
    )  # fmt: skip
    target = Path(path)
    target.write_text(page, encoding="utf-8")
    return target


def roll_map_plots(rolls: RollMap) -> tuple[Plot, ...]:
    """Where the sheet went, and the film along the rolls; nothing where there are no pieces."""
    if not len(rolls.pieces):
        return ()
    with drawing():
        return (_fate(rolls), _film(rolls)) if rolls.rolls else (_fate(rolls),)


def _fate(rolls: RollMap) -> Plot:
    figure, (axes,) = new_figure(1.5)
    axes.grid(visible=False)
    pieces = rolls.pieces[np.argsort(rolls.pieces["sheet_m"], kind="stable")]
    reasons, named = list(SCRAP_REASONS), set()
    end_m = 0.0
    for (number, reason), run in groupby(pieces, lambda piece: (int(piece["roll"]), int(piece["scrap"]))):
        stretch = list(run)
        start_m = float(stretch[0]["sheet_m"])
        end_m = float(stretch[-1]["sheet_m"] + stretch[-1]["sheet_length_m"])
        colour = colours.SERIES[reason % len(colours.SERIES)] if reason else colours.STATES[4 + number % 2 * 4]
        label = reasons[reason].replace("_", " ") if reason and reason not in named else None
        named.add(reason)
        axes.broken_barh([(start_m, end_m - start_m)], (0.0, 1.0), facecolors=colour, edgecolor=PAPER, label=label)
        if number and end_m - start_m > 0.015 * float(pieces["sheet_m"][-1] - pieces["sheet_m"][0]):
            axes.text((start_m + end_m) / 2, 0.5, str(number), ha="center", va="center", color=colours.ink_on(colour))
    axes.set(ylim=(0.0, 1.1), xlim=(float(pieces["sheet_m"][0]), end_m), yticks=[], xlabel="Sheet as cast in m")
    axes.spines["left"].set_visible(False)
    legend(axes)
    caption = (
        "Every metre of sheet in the order in which it was cast: the number of the roll it is on, or why it is scrap."
    )
    return Plot("Where the sheet went", caption, to_svg(figure, "fate", "Rolls and scrap along the sheet"))


def _film(rolls: RollMap) -> Plot:
    figure, panels = new_figure(1.7 * len(SHOWN) + 0.6, [1.0] * len(SHOWN))
    begin_m = 0.0
    edges = []
    parts = []
    for roll in rolls.rolls:
        wound = rolls.wound(roll.number)
        parts.append((begin_m + wound["film_m"], wound))
        edges.append((begin_m, roll))
        begin_m += rolls.length_m(roll.number)
    x = np.concatenate([part[0] for part in parts])
    for axes, name, colour in zip(panels, SHOWN, colours.SERIES, strict=False):
        kind, target = FILM_PROPERTIES[name], getattr(rolls.product.film, name)
        y = np.concatenate([part[1][name] for part in parts])
        axes.plot(*thin(x, np.where(np.isfinite(y), y, np.nan)), color=colour)
        low, high = max(target.low, -1e9), min(target.high, 1e9)
        bottom, top = axes.get_ylim()
        bottom, top = (min(bottom, low) if low > -1e9 else bottom), (max(top, high) if high < 1e9 else top)
        axes.axhspan(max(low, bottom), min(high, top), color=colours.SERIES[2], alpha=0.12, linewidth=0)
        room = 0.08 * (top - bottom) or 1.0
        axes.set(ylim=(bottom - room, top + room), xlim=(0.0, begin_m))
        axes.set_ylabel(
            f"{kind.title.split(' (')[0]} in {kind.unit}" if len(kind.title) < 16 else f"Gurley in {kind.unit}"
        )
        for edge_m, _ in edges:
            axes.axvline(edge_m, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
    for edge_m, roll in edges:
        panels[0].annotate(
            str(roll.number), (edge_m, 1.0), xycoords=("data", "axes fraction"), xytext=(3, 3),
            textcoords="offset points", fontsize=8.5, color=INK,
        )  # fmt: skip
    panels[-1].set_xlabel("Film in m, roll after roll")
    caption = "Film along the rolls (dotted: a new one begins). Shaded: what the product wants."
    return Plot("Film along the rolls", caption, to_svg(figure, "film", "Properties of the film along all rolls"))


def _row(rolls: RollMap, roll: Roll) -> dict[str, object]:
    wound = rolls.wound(roll.number)
    cells = []
    for name, target in rolls.product.film.items():
        mean = float(np.mean(wound[name]))
        outside = float(np.mean([target.miss(float(value)) != 0.0 for value in wound[name]]))
        cells.append((FILM_PROPERTIES[name].text(mean), f"{outside:.0%} outside" if outside else ""))
    return {
        "number": roll.number, "grade": roll.grade, "reason": roll.reason,
        "length": f"{rolls.length_m(roll.number):.1f} m",
        "splices": int(wound["splice"].sum()), "cells": cells,
    }  # fmt: skip


def _scrap(rolls: RollMap) -> list[tuple[str, str]]:
    """Reason and length of sheet, the most first."""
    scrap = rolls.scrapped
    lengths = {
        text: float(scrap["sheet_length_m"][scrap["scrap"] == place].sum())
        for place, text in enumerate(SCRAP_REASONS.values())
    }
    return [(text, f"{m:.1f} m") for text, m in sorted(lengths.items(), key=lambda item: -item[1]) if m > 0.0]
