"""Where the time goes, part by part, measured; writes out/bench/profile.json.

Two profiles. The loop: every part of a production run is timed while it runs (`benchmarks.parts`). The press: compiled
code cannot be timed from inside without changing it, so its parts are what a press costs more with them than
without: sheet or none, a longer table or a shorter, one scan per call or many, more layers or fewer. The loop is wall
time, the press CPU time, the least of several each; measure on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.parts import PARTS
from benchmarks.parts import profile as cycle_profile
from benchmarks.results import make_writable
from benchmarks.scaling import variant
from emulator.config import Machine, load_machine, load_material
from emulator.press import Commands, OperatingPoint, Press
from emulator.press.constants import TICK_NS
from rig.running import producing_press

__all__ = ["loop_profile", "press_profile"]

SCAN_NS = 50_000_000
CYCLES_PER_S = 10
PRESS_S = 10
REPEATS = 7
LAYERS, FEWER_LAYERS = 11, 5
TABLE_FACTOR = 2.0


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print both profiles; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.profile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("out/bench/profile.json"), help="default: %(default)s")
    out: Path = parser.parse_args(words).out
    console = Console()
    profiles: dict[str, Mapping[str, float]] = {}
    try:
        make_writable(out)
        for name, measure in (("loop", loop_profile), ("press", press_profile)):
            with console.status(f"measuring the {name} ..."):
                profiles[name] = measure()
            _show(console, f"The {name}, µs per virtual second", profiles[name])
        out.write_text(json.dumps(profiles, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        print(f"{out} cannot be written: {error.strerror}; choose another --out", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; {out} has no new profile", file=sys.stderr)
        return 130
    console.print(f"written: {out}")
    return 0


def loop_profile() -> dict[str, float]:
    """Wall time of a production run in closed loop by part, of the median cycle, µs per virtual second."""
    with producing_press() as runner:
        runner.run_for(5)
        spent_us = cycle_profile(runner)
    parts = {f"{part}: {what}": spent_us[part] * CYCLES_PER_S for part, what in PARTS.items()}
    return parts | {"the closed loop": sum(parts.values())}


def press_profile() -> dict[str, float]:
    """CPU time of the press alone by part, µs per virtual second; the last entry is the press in production."""
    machine, material, point = load_machine("reference"), load_material("g20"), OperatingPoint()
    full = Press.running(machine, material, point)
    bare = Press.warm(machine, material, point)
    long_table = _with_table(machine, TABLE_FACTOR)
    few = Press.running(variant(machine.sheet.parcel_length_mm, FEWER_LAYERS), material, point)
    # layers that strain together, as below the speed at which each carries its own strain
    many = Press.running(variant(machine.sheet.parcel_length_mm, LAYERS), material, point)
    with_sheet, without = _cost(full, full.holding), _cost(bare, bare.holding)
    in_few_calls = _cost(full, full.holding, scan_ns=20 * SCAN_NS)
    longer = Press.running(long_table, material, point)
    table = (_cost(longer, longer.holding) - with_sheet) / (TABLE_FACTOR - 1.0)
    per_layer = (_cost(many, many.holding) - _cost(few, few.holding)) / (LAYERS - FEWER_LAYERS)
    call = (with_sheet - in_few_calls) * 20 / 19
    heat = per_layer * LAYERS
    return {
        "20 calls and their signals": call,
        "actuators, drives, plates, belts": without - call,
        "sheet on the table behind the press": table,
        "sheet between the belts, what grows with layers (heat)": heat,
        "sheet between the belts, what does not (mechanics)": with_sheet - without - table - heat,
        "the press in production": with_sheet,
    }


def _with_table(machine: Machine, factor: float) -> Machine:
    sheet = machine.sheet.model_copy(update={"runout_length_mm": factor * machine.sheet.runout_length_mm})
    return machine.model_copy(update={"sheet": sheet})


def _cost(press: Press, commands: Commands, scan_ns: int = SCAN_NS) -> float:
    assert scan_ns % TICK_NS == 0
    least = float("inf")
    for _ in range(REPEATS):
        begun = time.process_time()
        for _ in range(PRESS_S * 1_000_000_000 // scan_ns):
            press.advance(scan_ns, commands)
        least = min(least, time.process_time() - begun)
    return least / PRESS_S * 1e6


def _show(console: Console, title: str, profile: Mapping[str, float]) -> None:
    table = Table("part", title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("µs", justify="right")
    table.add_column("%", justify="right")
    *parts, (whole, cost) = profile.items()
    summed = sum(value for _, value in parts)
    for part, value in parts:
        table.add_row(part, f"{value:.0f}", f"{100 * value / summed:.0f}")
    table.add_row(whole, f"{cost:.0f}", "")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
