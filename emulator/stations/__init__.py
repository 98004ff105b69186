"""Nodes of the stations of a line: each reads its own instruments, and tells its station what it was told.

Each has an address, registers, sensors, turnaround time, supply and counters of its own. They scan when the line has
gone a step (`emulator.line.line.PERIOD_NS`), so what is written counts from the next step on.
"""

from emulator.stations.config import StationConfig
from emulator.stations.node import StationNode, StationState, make_stations
from emulator.stations.tables import STATIONS

__all__ = ["STATIONS", "StationConfig", "StationNode", "StationState", "make_stations"]
