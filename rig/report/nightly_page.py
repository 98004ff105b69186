"""The nights as one HTML page: what is new, what is known, and how margins, coverage and speed went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rig.report import colours
from rig.report.figures import drawing, legend, new_figure, to_svg
from rig.report.plots import Plot
from rig.requirements import load_rules

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
    if len(nights.nights) < 2:
        return ()
    with drawing():
        return (_trend(nights),)


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
