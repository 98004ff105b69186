"""What a pyserial port with a press node behind it has to do, whatever kind of port it is.

    check_link(
        lambda **settings: serial.serial_for_url("socket://127.0.0.1:5020", **settings),
        exchange=Exchange(request, response),
        capabilities=SOCKET,
    )

pyserial's kinds of port differ, and some differences cannot be helped. Each has a name in
`LinkCapabilities`, and each kind of port a value: `EMU`, `PTY`, `SOCKET`, `RFC2217`, `DEVICE`. What is not
named there must hold on every kind. docs/ports.md has the table.

The exchange is made about fifty times, with a break and garbage between: it must only read, and the
press should not be doing anything that a few seconds without its controller would disturb.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from serial import SerialBase

from rig.clock import HardwareClock
from rig.testing.link_checks import CHECKS
from rig.testing.link_kinds import DEVICE, EMU, PTY, RFC2217, SOCKET, LinkCapabilities
from rig.testing.link_probe import Exchange, Link

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


class Finding(NamedTuple):
    """Something that a port does not do as it should.

    Attributes:
        check: name of the check, a key of `rig.testing.link_checks.CHECKS`.
        problem: what was done, what came of it, what was expected.
    """

    check: str
    problem: str


def examine_link(
    open_port: Callable[..., SerialBase],
    *,
    exchange: Exchange,
    capabilities: LinkCapabilities,
    clock: Callable[[SerialBase], int] | None = None,
    answer_s: float = 0.5,
) -> list[Finding]:
    """Make all checks on one port and say what was found.

    Args:
        open_port: opens the port, with pyserial's settings as keywords.
        exchange: a request that reads constants, and its answer.
        capabilities: what this kind of port can do.
        clock: the time that the port's timeouts are measured by, ns; None for the wall clock.
        answer_s: the longest time that the exchange takes, s.

    Returns:
        One finding per check that failed; none if the port is as it should be.
    """
    wall = HardwareClock()
    findings: list[Finding] = []
    port: Any = open_port(timeout=answer_s)
    link = Link(port, open_port, exchange, capabilities, clock or (lambda _: wall.now_ns), answer_s)
    try:
        for name, check in CHECKS.items():
            try:
                if not port.is_open:
                    port.open()
                link.settle()
                check(link)
            except Exception as error:
                said = str(error) if isinstance(error, AssertionError) else repr(error)
                findings.append(Finding(name, said))
    finally:
        port.close()
    return findings


def check_link(
    open_port: Callable[..., SerialBase],
    *,
    exchange: Exchange,
    capabilities: LinkCapabilities,
    clock: Callable[[SerialBase], int] | None = None,
    answer_s: float = 0.5,
) -> None:
    """Make all checks on one port; arguments as for `examine_link`.

    Raises:
        AssertionError: with everything that was found.
    """
    findings = examine_link(open_port, exchange=exchange, capabilities=capabilities, clock=clock, answer_s=answer_s)
    if findings:
        lines = [f"{finding.check}: {finding.problem}" for finding in findings]
        raise AssertionError(f"{len(lines)} of {len(CHECKS)} checks failed:\n  " + "\n  ".join(lines))
