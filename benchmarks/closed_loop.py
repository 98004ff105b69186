"""The press, from the bare plant to the whole loop, on a running press."""

from __future__ import annotations

import time

from emulator.world import World, WorldConfig
from rig.bench import open_press
from rig.controller import make_controller
from rig.controller.runner import Runner
from rig.recipe import load_recipe

SECONDS = 120
SCAN_NS = 50_000_000


def closed_loop() -> float:
    """Virtual seconds per wall second of a producing press with the reference controller."""
    with open_press("emu://?start=warm") as bench:
        runner = Runner(bench, make_controller(load_recipe("reference")))
        runner.run_for(1)
        runner.request("start")
        runner.run_until_state("produce", within_s=7200)
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
