"""The press, from the bare plant to the whole loop, on a running press."""

from __future__ import annotations

import time

from benchmarks.errors import Unable
from emulator.firmware.build import has_compiler
from emulator.firmware.chip import has_engine
from emulator.line.start import Downstream, begin, begin_behind, upstream
from emulator.world import World, WorldConfig
from rig.bench import open_press
from rig.controller import make_controller
from rig.controller.runner import Runner
from rig.recipe import load_recipe

SECONDS = 120
FILLING_S = 480
"""For sheet to come to the press."""
LONGEST_MIN = 60
SCAN_NS = 50_000_000


def closed_loop() -> float:
    """Virtual seconds per wall second of a producing press with the reference controller."""
    return _production("emu://?start=warm")


def firmware_loop() -> float:
    """The same with the node's firmware executed."""
    if not (has_compiler() and has_engine()):
        raise Unable("executing the firmware takes pip install ziglang unicorn")
    return _production("emu://?start=warm&node=firmware")


def _production(url: str) -> float:
    with open_press(url) as bench:
        runner = Runner(bench, make_controller(load_recipe("reference")))
        runner.run_for(1)
        runner.request("start")
        runner.run_until_state("produce", within_s=7200)
        start = time.perf_counter()
        runner.run_for(SECONDS)
        return SECONDS / (time.perf_counter() - start)


def line_closed_loop() -> float:
    """The same with the line around it, film all through; the line's own stations are told once and then left alone."""
    with open_press("emu://line?start=warm") as bench:
        assert bench.virtual is not None
        line, recipe = bench.virtual.world.line, load_recipe("reference")
        recipe = recipe.model_copy(update={"sheet": recipe.sheet.model_copy(update={"length_m": 1000.0})})
        assert line is not None
        point = upstream(line, recipe)
        begin(line, point)
        begin_behind(line, Downstream(point.speed_m_s))
        line.caster.commands.thread = True
        runner = Runner(bench, make_controller(recipe))
        runner.run_for(FILLING_S)
        runner.request("start")
        runner.run_until_state("produce", within_s=7200)
        for _ in range(LONGEST_MIN):
            if line.tail.winder.winding is not None:
                break
            runner.run_for(60)
        else:
            raise RuntimeError(f"no film after {LONGEST_MIN} min of production: the line does not run")
        start = time.perf_counter()
        runner.run_for(SECONDS)
        return SECONDS / (time.perf_counter() - start)


def plant() -> float:
    """The same press without node and bus, advanced scan by scan."""
    world = _running()
    world.run_until(SCAN_NS)
    press, commands = world.press, world.node.commands
    start = time.perf_counter()
    for _ in range(SECONDS * 20):
        press.advance(SCAN_NS, commands)
    return SECONDS / (time.perf_counter() - start)


def plant_passes_per_s() -> float:
    """Parcels of sheet that pass the same press, per virtual second."""
    world = _running()
    return world.recipe.press.speed_m_min / 60.0 / (world.machine.sheet.parcel_length_mm * 1e-3)


def node() -> float:
    """Press, sensors and node; requests only as often as the watchdog wants them."""
    with open_press("emu://?start=running", record=False) as bench:
        start = time.perf_counter()
        for _ in range(SECONDS):
            bench.clock.sleep_until(bench.clock.now_ns + 1_000_000_000)
            bench.value("mode")
        return SECONDS / (time.perf_counter() - start)


def _running() -> World:
    return World(WorldConfig(start="running"))
