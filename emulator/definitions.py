"""What a world is made from, read and checked: machine, gel, recipe, instruments and the settings of the nodes.

A definition is known by its contents, not by its name: `fingerprint` changes when any number does. Shipped
definitions are named in a snapshot; those that came from a file of one's own travel in it, so that it opens where
that file does not exist.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from importlib import resources
from typing import TYPE_CHECKING

from pydantic import BaseModel

from emulator.config import Machine, Material, is_path, load_machine, load_material
from emulator.line.plan import LinePlan, load_line
from emulator.node.config import NodeConfig, load_node
from emulator.satellites.config import WiringFile, load_wiring
from emulator.sensors import SensorFile, load_sensors
from rig.products import Product, load_product
from rig.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from emulator.world import WorldConfig

__all__ = ["KINDS", "Definitions"]

KINDS: Mapping[str, type[BaseModel]] = {
    "machine": Machine,
    "material": Material,
    "recipe": Recipe,
    "sensors": SensorFile,
    "node": NodeConfig,
    "wiring": WiringFile,
    "line": LinePlan,
    "product": Product,
}
"""What can stand in a `WorldConfig` by name or path."""


@dataclass(frozen=True, slots=True)
class Definitions:
    """The definitions of one world.

    Attributes:
        material: the gel as its file has it; `gel` is what this recipe makes of it.
        line: the stations around the press, in the order of the product; None where it stands alone.
        product: what the line is built for; None where that is the recipe's alone to say.
    """

    machine: Machine
    material: Material
    recipe: Recipe
    sensors: SensorFile
    node: NodeConfig
    wiring: WiringFile
    line: LinePlan | None = None
    product: Product | None = None

    @classmethod
    def load(cls, config: WorldConfig, given: Mapping[str, BaseModel] | None = None) -> Definitions:
        """Read what a configuration names.

        Args:
            config: names and paths.
            given: definitions that are at hand already, by kind.

        Raises:
            ConfigError, RecipeError: one that does not exist or cannot be.
        """
        loaders = {
            "machine": load_machine,
            "material": load_material,
            "recipe": load_recipe,
            "sensors": load_sensors,
            "node": load_node,
            "wiring": load_wiring,
            "line": load_line,
            "product": load_product,
        }
        named = {kind: load for kind, load in loaders.items() if getattr(config, kind)}
        at_hand = given or {}
        # the loaders' types differ, and a dict has one type for all of them
        found = cls(
            **{kind: at_hand.get(kind) or load(getattr(config, kind)) for kind, load in named.items()}  # type: ignore[arg-type] # see above
        )
        return found if found.product is None or found.line is None else _built_for(found, found.product, found.line)

    @property
    def gel(self) -> Material:
        """The gel at the recipe's solids fraction."""
        return _at_solids(self.material, self.recipe.composition.solids_fraction)

    def own(self, config: WorldConfig) -> dict[str, BaseModel]:
        """Those that are not shipped with the rig, by kind."""
        return {kind: getattr(self, kind) for kind in KINDS if is_path(getattr(config, kind))}

    def fingerprint(self) -> bytes:
        """Sixteen bytes that change with any number of the definitions or of the register map."""
        return _fingerprint(self)


def _built_for(definitions: Definitions, product: Product, line: LinePlan) -> Definitions:
    """The same with what a product says: what sheet comes, in which order stations stand, what is in the baths."""
    washing = product.desolvation
    return replace(
        definitions,
        recipe=product.press_recipe(definitions.recipe.sheet.length_m),
        line=line.model_copy(update={"order": washing.order, "extractant": washing.extractant}),
    )


@functools.lru_cache(maxsize=64)
def _at_solids(material: Material, solids_fraction: float) -> Material:
    return material.at_solids(solids_fraction)


@functools.lru_cache(maxsize=64)
def _fingerprint(definitions: Definitions) -> bytes:
    digest = blake2b(_register_map(), digest_size=16)
    for kind in KINDS:
        definition = getattr(definitions, kind)
        if definition is not None:
            digest.update(definition.model_dump_json().encode())
    return digest.digest()


@functools.cache
def _register_map() -> bytes:
    return (resources.files("rig.protocol") / "registers.toml").read_bytes()
