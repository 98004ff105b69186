"""Controllers that were broken on purpose: the reference controller with one mistake of the kind that people make.

They are the proof that the rig finds what it is for (`make mutants`). A mutant is data: a file of `rig/controller` and
what is replaced there, in the TOML files beside this one, one per kind of mistake. One of them as any controller:

    press-rig search --controller tests.mutants:heat_in_cool
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.catalogue import Mutant, load_mutants
from tests.mutants.loader import factory_of

__all__ = ["Mutant", "load_mutants"]


def __getattr__(name: str) -> Callable[..., Any]:
    """The factory of a mutant, by its name."""
    mutant = load_mutants().get(name)
    if mutant is None:
        raise AttributeError(f"there is no mutant {name!r}")
    return factory_of(mutant)
