"""The virtual press: machine, material, node, bus and ports."""

from emulator.compile_cache import use_cache_of_these_sources

COMPILES = use_cache_of_these_sources()
"""True where the kernels have to be compiled first, once for these sources: some 20 seconds."""
