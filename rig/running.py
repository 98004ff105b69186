"""Presses in full production, one for every test or example, in milliseconds.

    with running_press() as bench:            # sheet all through, at the recipe's steady state
        bench.virtual.disturb(coolant_flow_scale=0.0)
        bench.clock.sleep_until(bench.clock.now_ns + 10 * SECOND_NS)

    with producing_press() as runner:         # the same, driven by the reference controller in state `produce`
        runner.run_for(10)

What such a press begins from is made once per process and forked. The controller's moment takes a whole start-up
to reach; it is kept in the user's cache folder by the contents of everything that it depends on.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from importlib import resources
from pathlib import Path

from rig.bench import Bench, open_press
from rig.controller import make_controller
from rig.controller.api import Controller
from rig.controller.reference import ReferenceController
from rig.controller.runner import Runner, runner_for
from rig.errors import UsageError
from rig.hil import make_controller as made_by
from rig.hil import with_query
from rig.recipe import load_recipe
from rig.virtual import copied, decode, encode, read_shelf, sources_digest, store_on_shelf

__all__ = ["producing_press", "running_press"]

SETTLE_S = 60.0
"""Production runs so long before the moment is caught."""
START_UP_S = 3600.0
REFERENCE: Callable[..., Controller] = make_controller


@contextmanager
def running_press(
    *, recipe: str = "reference", machine: str = "reference", material: str = "g20", seed: int = 0, record: bool = True
) -> Iterator[Bench]:
    """A press of one's own at the recipe's steady state, sheet all through.

    Args:
        recipe: name or path.
        machine: name or path.
        material: name or path.
        seed: of the noise from now on; the state that it begins from is the same for all.
        record: keep a recording.

    Raises:
        UsageError: one of these does not exist.
    """
    origin = _running(recipe, machine, material)
    with origin.fork(seed=seed, record=record) as bench:
        yield bench


@contextmanager
def producing_press(
    controller: Callable[..., Controller] = REFERENCE,
    *,
    recipe: str = "reference",
    machine: str = "reference",
    material: str = "g20",
    seed: int = 0,
    record: bool = True,
) -> Iterator[Runner]:
    """A press of one's own in full production, driven by a controller.

    Args:
        controller: what makes it; it is brought to state `produce` once, then copied.
        recipe: as in `running_press`, like all that follow.
        machine: name or path.
        material: name or path.
        seed: of the noise from now on.
        record: keep a recording.

    Raises:
        UsageError: one of these does not exist.
        AssertionError: the controller never came to `produce`.
    """
    origin, driver = _producing(controller, recipe, machine, material)
    with origin.fork(seed=seed, record=record) as bench, runner_for(bench, _twin(driver)) as runner:
        yield runner


@functools.lru_cache(maxsize=8)
def _running(recipe: str, machine: str, material: str) -> Bench:
    return open_press(with_query("emu://", start="running", recipe=recipe, machine=machine, material=material))


@functools.lru_cache(maxsize=8)
def _producing(
    controller: Callable[..., Controller], recipe: str, machine: str, material: str
) -> tuple[Bench, Controller]:
    """A press and its controller, caught in production; they stay as they are."""
    bench = open_press(with_query("emu://", start="warm", recipe=recipe, machine=machine, material=material))
    name = _name(bench) if controller is REFERENCE else ""
    if name and (kept := read_shelf(name)) is not None:
        with suppress(UsageError):  # damaged, or of another time: made again and replaced below
            return Bench.restore(kept[0]), decode(kept[1], ReferenceController)
    driver = made_by(controller, load_recipe(recipe))
    runner = runner_for(bench, driver)
    runner.run_for(0.5)
    runner.request("start")
    runner.run_until_state("produce", within_s=START_UP_S)
    runner.run_for(SETTLE_S)
    caught = bench.fork()
    bench.close()
    if name:
        store_on_shelf(name, caught.snapshot(), encode(driver))
    return caught, driver


def _twin(driver: Controller) -> Controller:
    """A copy of a controller; the reference controller is plain state, others are what they are."""
    return copied(driver) if isinstance(driver, ReferenceController) else copy.deepcopy(driver)


def _name(bench: Bench) -> str:
    """What the moment is kept under: everything that it depends on."""
    digest = blake2b(_rig_sources() + sources_digest() + bench.virtual.world.definitions.fingerprint(), digest_size=16)
    return f"produce-{digest.hexdigest()}"


@functools.cache
def _rig_sources() -> bytes:
    """Contents of everything in the rig that a production run is made of."""
    digest = blake2b(digest_size=16)
    folder = Path(str(resources.files("rig")))
    for path in sorted([*folder.glob("*.py"), *folder.glob("controller/**/*"), *folder.glob("protocol/*")]):
        if path.suffix in {".py", ".toml"}:
            digest.update(path.read_bytes())
    return digest.digest()
