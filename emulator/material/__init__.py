"""The gel sheet: its definition as data, and its thermal and mechanical laws."""

from emulator.material.definition import Material

__all__ = ["Material"]
