"""The I/O node of the press: what a serial bus sees of the machine.

Every 50 ms the node senses, closes the zone temperature loops, judges the hard interlocks, drives
the actuators and publishes one consistent image of its registers. It answers requests from that
image, so a 32-bit value never tears.
"""

from emulator.node.bank import Bank
from emulator.node.node import Node
from emulator.node.state import NodeState

__all__ = ["Bank", "Node", "NodeState"]
