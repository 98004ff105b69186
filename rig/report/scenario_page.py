"""A scenario as one HTML page: what happened, what the controller saw, what was true, and what broke when."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rig.report import colours
from rig.report.figures import INK, MUTED, PAPER, drawing, legend, new_figure, thin, to_svg
from rig.report.plots import Plot
from rig.requirements import load_rules

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rig.scenario import Played
    from rig.trace import Samples

__all__ = ["write_scenario_page"]

SHOWN_EVENTS = ("fault", "hand", "operator")
MOST_PANELS = 6
TRUTH = "true."
USUAL = ("heat_1_upper_temperature_c", "belt_upper_speed_m_min", "entry_left_line_force_kn")
"""Shown where nothing is broken, or a requirement names no signal."""
WORDS = ("alarm_word", "warning_word")


def write_scenario_page(played: Played, path: Path) -> Path:
    """Write the page; returns its path."""
    environment = Environment(
        loader=PackageLoader("rig.report"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    rules = load_rules()
    page = environment.get_template("scenario.html.j2").render(
        scenario=played.scenario,
        state=played.state,
        ended=played.ended,
        broken=[
            (
                name,
                rules[name].title if name in rules else "",
                rules[name].text if name in rules else "",
                played.why(name),
            )
            for name in played.broken
        ],
        happened=list(_happened(played)),
        plots=[(plot.title, plot.caption, Markup(plot.svg)) for plot in _plots(played)],
    )
    path.write_text(page, encoding="utf-8")
    return path


def _happened(played: Played) -> Iterator[tuple[str, str, str]]:
    """Time, kind and text of everything that people or the controller did, and of alarms that came."""
    begun_ns = played.begun_ns
    told = [
        (event.time_ns, event.kind, event.text)
        for event in played.recording.events
        if event.kind in (*SHOWN_EVENTS, "state", "port", "node")
    ]
    told += [(time_ns, "alarm" if word == WORDS[0] else "warning", bit) for time_ns, word, bit in _bits(played)]
    told += [
        (round(verdict.time_s * 1e9), "broken", verdict.rule)
        for verdict in played.verdicts
        if verdict.status == "fail" and verdict.time_s is not None
    ]
    for time_ns, kind, text in sorted(told):
        yield f"{(time_ns - begun_ns) * 1e-9:.1f} s", kind, text


def _bits(played: Played) -> Iterator[tuple[int, str, str]]:
    """When alarms and warnings of the press came: time, word, bit."""
    tags = played.recording.tags
    for word in WORDS:
        if word not in tags or not len(tags):
            continue
        values = np.nan_to_num(tags[word]).astype(np.int64)
        for place, bit in enumerate(tags.channel(word).bits):
            on = (values >> place) & 1
            for row in np.flatnonzero(np.diff(on, prepend=0) > 0):
                yield int(tags.time_ns[row]), word, bit


def _plots(played: Played) -> tuple[Plot, ...]:
    if not len(played.recording.tags):
        return ()
    with drawing():
        return _timeline(played), _signals(played)


def _timeline(played: Played) -> Plot:
    figure, (axes,) = new_figure(1.9)
    axes.grid(visible=False)
    begun_ns, events = played.begun_ns, played.recording.events
    changes = [event for event in events if event.kind == "state"]
    edges = [(event.time_ns - begun_ns) * 1e-9 for event in changes] + [played.lasted_s]
    for place, (event, (start_s, stop_s)) in enumerate(zip(changes, pairwise(edges), strict=True)):
        colour = colours.STATES[place % len(colours.STATES)]
        axes.broken_barh([(start_s, stop_s - start_s)], (0.0, 1.0), facecolors=colour, edgecolor=PAPER)
        if stop_s - start_s > 0.0095 * played.lasted_s * len(event.text):
            middle_s = (start_s + stop_s) / 2
            axes.text(
                middle_s, 0.5, event.text.replace("_", " "), ha="center", va="center", color=colours.ink_on(colour)
            )
    marks = zip(SHOWN_EVENTS, ("D", "s", "v"), (colours.SERIES[3], colours.SERIES[1], INK), strict=True)
    for kind, marker, colour in marks:
        times_s = [(event.time_ns - begun_ns) * 1e-9 for event in events if event.kind == kind]
        if times_s:
            axes.plot(times_s, [1.35] * len(times_s), marker, color=colour, label=kind, clip_on=False)
    _violations(axes, played)
    axes.set(ylim=(0.0, 1.6), xlim=(0.0, max(played.lasted_s, 0.1)), yticks=[], xlabel="Time in s")
    axes.spines["left"].set_visible(False)
    legend(axes)
    caption = "States of the controller, and what happened. Red: a requirement breaks."
    return Plot("What happened", caption, to_svg(figure, "timeline", "States, events and violations over time"))


def _violations(axes: Axes, played: Played) -> None:
    for verdict in played.verdicts:
        if verdict.status == "fail" and verdict.time_s is not None:
            at_s = verdict.time_s - played.begun_ns * 1e-9
            axes.axvline(at_s, color=colours.SERIES[0], linewidth=1.4)
            axes.annotate(
                verdict.rule, (at_s, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -9),
                textcoords="offset points", fontsize=8, color=colours.SERIES[0],
            )  # fmt: skip


def _signals(played: Played) -> Plot:
    names = _of_interest(played)
    figure, panels = new_figure(1.3 * len(names) + 0.6, [1.0] * len(names))
    figure.subplots_adjust(hspace=0.5)
    recording, begun_ns = played.recording, played.begun_ns
    for axes, name in zip(panels, names, strict=True):
        bare = name.removeprefix(TRUTH)
        for table, label, colour in (
            (recording.tags, "seen", colours.SERIES[1]),
            (recording.truth, "true", MUTED),
        ):
            if bare in table and len(table):
                axes.plot(
                    *thin(np.asarray((table.time_ns - begun_ns) * 1e-9, np.float64), table[bare]),
                    color=colour,
                    label=label,
                )
        axes.set_title(f"{bare} {_unit(bare, recording.tags, recording.truth)}", loc="left", fontsize=8.5, pad=3)
        _violations(axes, played)
        legend(axes)
    panels[-1].set(xlabel="Time in s", xlim=(0.0, max(played.lasted_s, 0.1)))
    caption = "What the controller saw and commanded, and what was true."
    return Plot("What was seen and what was true", caption, to_svg(figure, "signals", "Signals over time"))


def _of_interest(played: Played) -> list[str]:
    """Signals of what is broken, as many as there is room for."""
    rules, recording = load_rules(), played.recording
    names = [
        name.removeprefix(TRUTH).partition(".")[0]
        for broken in played.broken
        if broken in rules
        for case in rules[broken].cases
        for name in sorted(case.signals)
    ]
    there = [name for name in dict.fromkeys([*names, *USUAL]) if name in recording.tags or name in recording.truth]
    return there[:MOST_PANELS] if names else there[: len(USUAL)]


def _unit(name: str, *tables: Samples) -> str:
    return next((table.channel(name).unit for table in tables if name in table), "")
