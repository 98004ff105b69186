"""Whole products: recipes from the extruder to the film's oven, with what the film shall be.

A vocabulary like `rig.recipe`, of which it is the larger whole: `load_product` reads one, `check_product` holds it
against the claims. It imports nothing of ours but `rig.recipe`. docs/products.md
"""

from __future__ import annotations

from pathlib import Path

from rig.products.claims import check_product, film_thickness_um, stretched_melting_point_c
from rig.products.definition import FILM_PROPERTIES, FilmProperty, FilmTargets, Product, Target
from rig.products.separator import SEPARATOR, SHUTDOWN_WINDOW_K, UNCROSSLINKED_MELTDOWN_ABOVE_K, room_percent
from rig.recipe import list_shipped, load_toml

__all__ = [
    "FILM_PROPERTIES",
    "SEPARATOR",
    "SHUTDOWN_WINDOW_K",
    "UNCROSSLINKED_MELTDOWN_ABOVE_K",
    "FilmProperty",
    "FilmTargets",
    "Product",
    "Target",
    "check_product",
    "film_thickness_um",
    "list_products",
    "load_product",
    "room_percent",
    "stretched_melting_point_c",
]

_FOLDER = "products"


def list_products() -> tuple[str, ...]:
    """Names of the products that come with the rig."""
    return list_shipped(_FOLDER)


def load_product(name_or_path: str | Path) -> Product:
    """Read a product by name (one that comes with the rig) or by path.

    Raises:
        RecipeError: no such product, malformed TOML, or a value that cannot be; says where and what to do.
    """
    return load_toml(name_or_path, Product, kind="product", folder=_FOLDER)
