"""Which nodes a press has on the line: what was asked for, and whether that is what is there."""

from __future__ import annotations

from rig.client import TagClient
from rig.errors import BusError, NoAnswer, OtherWiring, RequestRefused, UsageError
from rig.protocol.registers import RegisterMap
from rig.protocol.registers_file import RegisterMapError, default_registers

__all__ = ["check_wiring", "registers_of"]


def registers_of(wiring: str) -> RegisterMap:
    """The register map of a wiring; of the usual one if the name is empty.

    Raises:
        UsageError: there is none of this name.
    """
    try:
        return default_registers(wiring)
    except RegisterMapError:
        known = ", ".join(default_registers().wirings)
        raise UsageError(f"there is no wiring {wiring!r}; it is one of {known} (docs/wirings.md)") from None


def check_wiring(client: TagClient, registers: RegisterMap, url: str) -> None:
    """Find out whether all nodes of a wiring are there; nothing else may be asked of a press wired otherwise.

    Raises:
        OtherWiring: the press says that it is wired otherwise, or another node is at an address.
        BusError: a node does not answer.
    """
    theirs = client.read([registers["wiring"]])["wiring"]
    if theirs != registers.wiring:
        raise OtherWiring(
            f"the press on {url} is wired {theirs}, and this rig was told {registers.wiring}: nothing was written. "
            f"Open it with --wiring {theirs}, or open_press(…, wiring={theirs!r})"
        )
    missing: dict[str, BusError] = {}
    for node in registers.satellites:
        role = f"{node.name}_role"
        try:
            found = client.read([registers[role]])[role]
        except RequestRefused as error:
            raise OtherWiring(
                _not_it(url, node.name, node.address, f"it refuses to say what it is: {error}")
            ) from error
        except BusError as error:
            missing[f"{node.name} at address {node.address}"] = error
            continue
        if found != node.name:
            raise OtherWiring(_not_it(url, node.name, node.address, f"it says that it is {found}"))
    if missing:
        first = next(iter(missing.values()))
        kind = NoAnswer if all(isinstance(error, NoAnswer) for error in missing.values()) else type(first)
        raise kind(
            f"on {url} the press answers, but of its nodes (wiring {registers.wiring}) {' and '.join(missing)} "
            f"{'does' if len(missing) == 1 else 'do'} not ({first}). Check supply, address and wiring of the node"
        ) from first


def _not_it(url: str, name: str, address: int, why: str) -> str:
    return f"on {url} the node at address {address} is not the {name}: {why}. Check the addresses of the nodes"
