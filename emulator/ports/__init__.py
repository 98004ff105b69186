"""Ways to the bus: `emu://` in this process, pseudo-terminal and TCP from other processes.

`register()` makes `serial.serial_for_url("emu://")` work; it is all that a program needs.
"""

import serial

__all__ = ["register"]


def register() -> None:
    """Tell pyserial about `emu://`; calling it again does nothing."""
    if __name__ not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(__name__)
