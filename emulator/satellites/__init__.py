"""Nodes beside the press's I/O node: temperature controllers and the thickness gauge of a multi-drop wiring.

Each has its own registers, sensors, scan period, turnaround time, supply and counters. With the I/O node they share
nothing but hard wires (`emulator.node.state.WIRES`): run contacts towards them, relays and drive lines back.
"""

from emulator.satellites.config import SatelliteConfig, WiringFile, load_wiring
from emulator.satellites.satellite import Satellite, make_satellites
from emulator.satellites.state import SatelliteState

__all__ = ["Satellite", "SatelliteConfig", "SatelliteState", "WiringFile", "load_wiring", "make_satellites"]
