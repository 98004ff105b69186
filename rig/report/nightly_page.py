"""The nights as one HTML page: what is new, what is known, and how margins, coverage and speed went."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rig.report import colours
from rig.report.figures import MUTED, PAPER, drawing, legend, new_figure, to_svg
from rig.report.plots import Plot
from rig.requirements import load_rules
from rig.search.envelope import AXES, GROUPS, boxes, labels
from rig.search.nightly import KEY

if TYPE_CHECKING:
    from rig.search.nightly import Nights

__all__ = ["write_nightly_page"]

SHOWN = 5
"""So many requirements have their margins drawn: those with the smallest."""


def write_nightly_page(nights: Nights, path: Path) -> Path:
    """Write the page; returns its path."""
    environment = Environment(
        loader=PackageLoader("rig.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    last = nights.nights[-1] if nights.nights else None
    rules = load_rules()
    margins = sorted(last.margins.items(), key=lambda item: item[1]) if last else []
    page = environment.get_template("nightly.html.j2").render(
        last=last,
        new=[nights.found[key] for key in last.new] if last else [],
        known=last.known if last else [],
        found=list(nights.found.values()),
        margins=[(name, rules[name].title if name in rules else "", margin) for name, margin in margins[:20]],
        never=[rule for rule in rules.values() if last and rule.id not in last.margins],
        plots=[(plot.title, plot.caption, Markup(plot.svg)) for plot in _plots(nights)],
    )
    path.write_text(page, encoding="utf-8")
    return path


def _plots(nights: Nights) -> tuple[Plot, ...]:
    with drawing():
        trend = (_trend(nights),) if len(nights.nights) > 1 else ()
        return (*trend, _envelope(nights)) if nights.nights else ()


def _envelope(nights: Nights) -> Plot:
    """Of all nights: seconds by kind of fault over heat and speed, pressure side by side in each box."""
    seconds: Counter[tuple[str, ...]] = Counter()
    for night in nights.nights:
        seconds.update({tuple(box.split(KEY)): count for box, count in night.boxes.items()})
    heat, speed, force = (labels(edges) for _, _, edges in AXES)
    figure, panels = new_figure(1.5 * len(GROUPS) + 0.6, [1.0] * len(GROUPS))
    for axes, group in zip(panels, GROUPS, strict=True):
        table = np.array([[seconds[group, h, v, f] for h in heat for f in force] for v in speed], np.float64)
        axes.imshow(np.log10(1.0 + table), cmap="YlGnBu", aspect="auto", vmin=0.0, vmax=5.0, origin="lower")
        for row, column in np.argwhere(table == 0.0):
            axes.plot(column, row, "x", color=MUTED, markersize=3)
        axes.grid(visible=False)
        axes.set_yticks(range(len(speed)), speed, fontsize=6.5)
        axes.set_title(group, loc="left", fontsize=8.5, pad=3)
        for edge in range(1, len(heat)):
            axes.axvline(edge * len(force) - 0.5, color=PAPER, linewidth=2.0)
    middles = [(place + 0.5) * len(force) - 0.5 for place in range(len(heat))]
    panels[-1].set_xticks(middles, heat)
    panels[-1].set_xlabel(
        f"Heat zone in {AXES[0][1]}; in each, force of the entry group from {force[0]} to {force[-1]} {AXES[2][1]}"
    )
    never = sum(not seconds[box] for box in boxes())
    caption = (
        f"Speed in {AXES[1][1]} over heat, by what was wrong; the darker, the longer (seconds, logarithmic). "
        f"Crosses: nobody has been there, {never} of {len(boxes())} boxes."
    )
    return Plot("Where the search has been", caption, to_svg(figure, "envelope", "Coverage of the operating envelope"))


def _trend(nights: Nights) -> Plot:
    figure, (margins, pairs, speed) = new_figure(5.0, [2.0, 1.0, 1.0])
    count = range(1, len(nights.nights) + 1)
    last = nights.nights[-1].margins
    for name, colour in zip(sorted(last, key=lambda name: last[name])[:SHOWN], colours.SERIES, strict=False):
        margins.plot(
            count, [night.margins.get(name, float("nan")) for night in nights.nights], "o-", color=colour, label=name
        )
    margins.set_ylabel("smallest margin")
    legend(margins)
    pairs.plot(count, [night.pairs for night in nights.nights], "o-", color=colours.SERIES[1])
    pairs.set_ylabel("pairs tried")
    rates = [night.virtual_s / max(night.seconds, 1e-9) for night in nights.nights]
    speed.plot(count, rates, "o-", color=colours.SERIES[2])
    speed.set(ylabel="× real time", xlabel="Night")
    caption = "Smallest margins, pairs of state and event that one seed has tried, press time per time of one core."
    return Plot("Over the nights", caption, to_svg(figure, "trend", "Margins, coverage and speed over the nights"))
