"""Asking whoever answers on a port what it is, before anything else is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import serial

from rig.client import TagClient
from rig.errors import BusError, OtherRegisterMap, PortError, RequestRefused
from rig.protocol.registers import RegisterMap, Value

__all__ = ["check_register_map", "identify"]


KNOWN_IDENTITIES: Final = ("virtual", "real")
"""What every version of the register map has called a press."""


def identify(client: TagClient, registers: RegisterMap, port: serial.SerialBase, url: str) -> Mapping[str, Value]:
    """Ask the press what it is.

    Raises:
        BusError: it does not answer, or not as a press.
        PortError: the port went away meanwhile.
    """
    address = registers.main.address
    try:
        return client.read(registers.expand(["identification"]))
    except RequestRefused as error:
        raise RequestRefused(
            f"what answers on {url} does not say what it is, so it is no press that this rig knows ({error}). "
            f"Check that node address {address} on this line is the press"
        ) from error
    except PortError as error:
        if "://" not in url:
            raise
        raise PortError(
            f"whoever listens at {url} has hung up ({error}). A serial server lets in one program at a time: end the "
            "other one, or start the server again"
        ) from error
    except BusError as error:
        settings = f"{port.baudrate} baud, {port.bytesize}{port.parity}{port.stopbits}"
        raise type(error)(
            f"no press answers on {url} ({error}). Check that it is switched on, the wiring, the node address "
            f"{address}, and the line settings: the bench uses {settings}"
        ) from error


def check_register_map(identification: Mapping[str, Value], registers: RegisterMap, url: str) -> None:
    """Nothing but the identification may be asked of, or written to, a node whose registers mean something else.

    Raises:
        OtherRegisterMap: the node has another version.
    """
    theirs, ours = identification["register_map_version"], registers.format
    if theirs == ours:
        return
    identity = str(identification["press_identity"])
    if identity not in KNOWN_IDENTITIES:
        address = registers.main.address
        raise OtherRegisterMap(
            f"what answers on {url} is no press that this rig knows: its press_identity is {identity}, and not "
            f"{' or '.join(KNOWN_IDENTITIES)}. Nothing else was read, and nothing written; check that node address "
            f"{address} on this line is the press"
        )
    who = f"{identification['press_model']}, node version {identification['node_version']}"
    raise OtherRegisterMap(
        f"the press on {url} ({who}) has register map version {theirs}, and this rig wants version {ours}: "
        f"nothing was read or written. Bring the node's program to version {ours}, or use the press-rig that was "
        f"made with version {theirs} (`format` in its rig/protocol/registers.toml)"
    )
