"""What the tests of the embedded controller share: boards, and boards whose sources were broken on purpose."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from emulator.firmware.build import build, out_folder
from emulator.firmware.node_map import FIRMWARE
from rig.bench import Bench
from rig.controller.runner import Runner, runner_for
from rig.embedded import EmbeddedController, embedded_factory
from rig.recipe import load_recipe

CONTROLLER = FIRMWARE / "controller"
Change = tuple[str, str, str]
"""A file of the sources, a place that it has once, and what stands there instead."""


@functools.cache
def factory(path: Path) -> Callable[..., EmbeddedController]:
    """What makes controllers from the program at a path."""
    return embedded_factory(f"firmware:{path}")


def controller(
    path: Path = CONTROLLER, recipe: str = "reference", *, enforce_claims: bool = True
) -> EmbeddedController:
    """A controller from the program at a path."""
    return factory(path)(load_recipe(recipe), enforce_claims=enforce_claims)


def started(bench: Bench, path: Path = CONTROLLER) -> Runner:
    """A runner whose controller has begun to heat a warm press."""
    runner = runner_for(bench, controller(path))
    runner.run_for(0.5)
    runner.request("start")
    runner.run_until_state("preheat", within_s=1)
    return runner


@functools.cache
def broken(*changes: Change) -> Path:
    """The program with places of its sources changed; built once for all runs of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / FIRMWARE.name
        shutil.copytree(FIRMWARE, root)
        for file, before, after in changes:
            source = root / file
            text = source.read_text(encoding="utf-8")
            assert text.count(before) == 1, f"{file} has {before!r} {text.count(before)} times"
            source.write_text(text.replace(before, after), encoding="utf-8")
        name = blake2b(repr(changes).encode(), digest_size=8).hexdigest()
        return build("controller-lm3s6965", root, out_folder() / f"broken-{name}")
