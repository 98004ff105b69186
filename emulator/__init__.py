"""The virtual press: machine, material, node, bus and ports."""

from emulator.compile_cache import use_cache_of_these_sources

use_cache_of_these_sources()
