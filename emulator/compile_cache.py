"""Where compiled kernels are kept: one folder per state of the sources.

numba notices when a function's own file changes, but not when a function that it calls in another
file does, and would go on with the old machine code. So the cache is named after the contents of all
sources of this package; any edit, and any other numba, begins a new one. Where the user says with NUMBA_CACHE_DIR
where caches are to be, the folder stands there.
"""

from __future__ import annotations

import os
import shutil
import sys
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

__all__ = ["use_cache_of_these_sources"]

PREFIX = "press-rig-numba-"
VARIABLE = "NUMBA_CACHE_DIR"
LEVEL = "NUMBA_OPT"
"""How hard LLVM tries. The kernels say themselves what is a vector, so level 1 gives the same speed in less time."""


def use_cache_of_these_sources() -> bool:
    """Point numba to the cache folder of the sources as they are.

    Returns:
        True if the cache is new, so that kernels are about to be compiled.
    """
    if "numba" not in sys.modules:
        os.environ.setdefault(LEVEL, "1")
    package = Path(__file__).parent
    digest = blake2b(version("numba").encode(), digest_size=8)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    place = _place(package)
    folder = place / f"{PREFIX}{digest.hexdigest()}"
    is_new = not folder.exists()
    if is_new:
        for outdated in place.glob(f"{PREFIX}*"):
            shutil.rmtree(outdated, ignore_errors=True)
    os.environ[VARIABLE] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    return is_new


def _place(package: Path) -> Path:
    """The folder that holds caches."""
    if wanted := os.environ.get(VARIABLE):
        given = Path(wanted)
        return given.parent if given.name.startswith(PREFIX) else given  # set by the process that started this one
    place = package / "__pycache__"
    writable = os.access(place if place.exists() else package, os.W_OK)
    return place if writable else Path.home() / ".cache" / "press-rig"
