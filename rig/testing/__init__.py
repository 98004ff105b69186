"""Conformance suites: what any port, node or controller has to do to be used with the rig."""

from rig.testing.link import (
    DEVICE,
    EMU,
    PTY,
    RFC2217,
    SOCKET,
    Exchange,
    Finding,
    LinkCapabilities,
    check_link,
    examine_link,
)

__all__ = [
    "DEVICE",
    "EMU",
    "PTY",
    "RFC2217",
    "SOCKET",
    "Exchange",
    "Finding",
    "LinkCapabilities",
    "check_link",
    "examine_link",
]
