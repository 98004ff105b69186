"""`press-rig explore` from words to files, with a progress bar."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from rig.errors import UsageError
from rig.explore.data import write_map
from rig.explore.plan import make_plan
from rig.explore.plot import draw_map
from rig.explore.sweep import compute, cores
from rig.explore.variables import parse_axis, parse_setting
from rig.virtual import COMPILE_NOTE, compile_press

__all__ = ["Request", "explore"]

DEFAULT_AXES = ("hot_temperature_c", "speed_m_min")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, as words; `workers` None means one per core."""

    axes: tuple[str, ...]
    held: tuple[str, ...]
    machine: str
    material: str
    recipe: str
    workers: int | None
    out: Path


def explore(request: Request) -> bool:
    """Compute, write and draw; False if Ctrl-C came before the end.

    Raises:
        UsageError: something that cannot be; nothing was computed.
    """
    words = request.axes or DEFAULT_AXES
    if len(words) != 2:
        raise UsageError(
            f"a map has two axes, {len(words)} given: name two variables, such as {' '.join(DEFAULT_AXES)}, or none"
        )
    plan = make_plan(
        parse_axis(words[0]),
        parse_axis(words[1]),
        machine=request.machine,
        material=request.material,
        recipe=request.recipe,
        held=[parse_setting(word) for word in request.held],
    )
    _make_writable(request.out)
    workers = min(request.workers or cores(), len(plan.points))
    console = Console(soft_wrap=True)
    console.print(
        f"{plan.x.name} x {plan.y.name}: {len(plan.points)} settled presses in {workers} "
        f"{'process' if workers == 1 else 'processes'}; Ctrl-C keeps what is there"
    )
    if COMPILE_NOTE:
        console.print(COMPILE_NOTE)
        compile_press(plan.machine, plan.material)  # once, not in each worker
    with _progress(console) as progress:
        task = progress.add_task("points", total=len(plan.points))
        result = compute(plan, workers, lambda: progress.advance(task))
    if not result.complete:
        console.print(f"interrupted: {int(result.computed.sum())} of {len(plan.points)} points are there")
    for path in (*write_map(result, request.out), draw_map(result, request.out)):
        console.print(str(path), highlight=False)
    return result.complete


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )


def _make_writable(folder: Path) -> None:
    """Find out before minutes are spent, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}; choose another --out") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be written to: permission denied; choose another --out")
