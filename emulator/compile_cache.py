"""Where compiled kernels are kept: one folder per state of the sources.

numba notices when a function's own file changes, but not when a function that it calls in another
file does, and would go on with the old machine code. So the cache is named after the contents of all
sources of this package; any edit, and any other numba, begins a new one.
"""

from __future__ import annotations

import os
import shutil
import sys
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

__all__ = ["use_cache_of_these_sources"]

PREFIX = "numba-"
VARIABLE = "NUMBA_CACHE_DIR"
LEVEL = "NUMBA_OPT"
"""How hard LLVM tries. The kernels say themselves what is a vector, so level 1 gives the same speed in less time."""


def use_cache_of_these_sources() -> bool:
    """Point numba to the cache folder of the sources as they are; a cache set by the user stands.

    Returns:
        True if the cache is new, so that kernels are about to be compiled.
    """
    if "numba" not in sys.modules:
        os.environ.setdefault(LEVEL, "1")
    if VARIABLE in os.environ:
        kept = Path(os.environ[VARIABLE])
        return not (kept.is_dir() and any(kept.iterdir()))
    package = Path(__file__).parent
    digest = blake2b(version("numba").encode(), digest_size=8)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    place = package / "__pycache__"
    if not os.access(place if place.exists() else package, os.W_OK):
        place = Path.home() / ".cache" / "press-rig"
    folder = place / f"{PREFIX}{digest.hexdigest()}"
    is_new = not folder.exists()
    if is_new:
        for outdated in place.glob(f"{PREFIX}*"):
            shutil.rmtree(outdated, ignore_errors=True)
    os.environ[VARIABLE] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    return is_new
