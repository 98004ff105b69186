"""Makes a controller of a mutant: the modules of the reference controller once more, one with the mistake in it.

The sound ones stay as they are, for everybody else.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import rig.controller
from tests.mutants.catalogue import Mutant

__all__ = ["CONTROLLER", "factory_of"]

CONTROLLER = Path(rig.controller.__file__).parent
PACKAGE = "rig.controller"
SHARED = frozenset({"api", "runner", "__init__"})
"""What controller and rig say to one another is the same for all."""


class _Patched(MetaPathFinder, Loader):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        if package != PACKAGE or name in SHARED or not (CONTROLLER / f"{name}.py").is_file():
            return None
        return spec_from_loader(fullname, self, origin=str(CONTROLLER / f"{name}.py"))

    def exec_module(self, module: ModuleType) -> None:
        path = CONTROLLER / f"{module.__name__.rpartition('.')[2]}.py"
        source = path.read_text(encoding="utf-8")
        if path.name == self._mutant.file:
            source = self._mutant.applied(source)
        exec(compile(source, path, "exec"), module.__dict__)


@contextmanager
def _instead_of_the_sound_ones(mutant: Mutant) -> Iterator[None]:
    names = [path.stem for path in CONTROLLER.glob("*.py") if path.stem not in SHARED]
    kept = {name: sys.modules.pop(f"{PACKAGE}.{name}") for name in names if f"{PACKAGE}.{name}" in sys.modules}
    finder = _Patched(mutant)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in names:
            sys.modules.pop(f"{PACKAGE}.{name}", None)
            vars(rig.controller).pop(name, None)
        for name, module in kept.items():
            sys.modules[f"{PACKAGE}.{name}"] = module
            setattr(rig.controller, name, module)


@cache
def factory_of(mutant: Mutant) -> Callable[..., Any]:
    """What makes controllers with this mistake."""
    with _instead_of_the_sound_ones(mutant):
        reference = importlib.import_module(f"{PACKAGE}.reference")
        facts = importlib.import_module(f"{PACKAGE}.machine_facts")

    def make(recipe: Any, *, enforce_claims: bool = True) -> Any:
        return reference.ReferenceController(recipe, facts.load_machine_facts(), enforce_claims)

    make.__name__ = make.__qualname__ = mutant.name
    make.__module__ = "tests.mutants"
    return make
