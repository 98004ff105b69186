"""The checks of `rig.testing.check_link`: each a function, together the table `CHECKS`.

A check gets an open port in a known state and raises `AssertionError` if it finds something. It may
leave the port in any state but closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from serial import SerialException

from rig.testing.link_probe import SECOND_NS, SHORT_S, Link

__all__ = ["CHECKS"]

GARBAGE = b"\x01\x03garbage"


# -- exchanges and reads ---------------------------------------------------------------------------


def answers(link: Link) -> None:
    """A request is answered, and answered again."""
    link.expect_answer()
    link.expect_answer()


def write_counts(link: Link) -> None:
    """`write` takes bytes-like objects and returns how many bytes it took; text is refused."""
    for data in (link.exchange.request, bytearray(link.exchange.request), memoryview(link.exchange.request)):
        count = link.port.write(data)
        assert count == len(data), f"write of {len(data)} bytes as {type(data).__name__} returned {count}"
        got = link.port.read(len(link.exchange.response))
        assert got == link.exchange.response, f"the answer is {got.hex(' ')}"
    _expect_error(TypeError, "write('text')", lambda: link.port.write("text"))


def read_returns_at_last_byte(link: Link) -> None:
    """A read that gets what it wants does not wait for its timeout."""
    link.port.timeout = 20 * link.answer_s
    _, took_s = link.timed(link.expect_answer)
    assert took_s < link.answer_s, f"an exchange took {took_s:.6f} s with a timeout of {link.port.timeout} s"


def read_times_out(link: Link) -> None:
    """A read of a silent line ends empty after its timeout."""
    link.port.timeout = SHORT_S
    got, took_s = link.timed(lambda: link.port.read(1))
    assert got == b"", f"read {got!r} from a silent line"
    link.expect_duration(SHORT_S, took_s)


def read_does_not_block(link: Link) -> None:
    """A read with timeout 0 of a silent line ends empty, and soon."""
    link.port.timeout = 0
    got, took_s = link.timed(lambda: link.port.read(1))
    assert got == b"", f"read {got!r} from a silent line"
    assert took_s <= max(link.can.lateness_ns / SECOND_NS, 0.03), f"timeout 0 took {took_s:.6f} s"


def read_blocks(link: Link) -> None:
    """A read without timeout ends when the bytes are there."""
    link.port.timeout = None
    link.expect_answer()


def read_gives_what_came(link: Link) -> None:
    """A read of more than comes gives what has come, when its timeout is over."""
    link.request()
    got, took_s = link.timed(lambda: link.port.read(len(link.exchange.response) + 10))
    assert got == link.exchange.response, f"read {got.hex(' ')}, expected the whole answer"
    link.expect_duration(link.answer_s, took_s)


def read_in_parts(link: Link) -> None:
    """What one read leaves, the next one finds."""
    link.request()
    parts = [link.port.read(1), link.port.read(3), link.port.read(len(link.exchange.response) - 4)]
    assert b"".join(parts) == link.exchange.response, f"read {[part.hex(' ') for part in parts]}"


def read_nothing(link: Link) -> None:
    """A read of no bytes gives none and does not wait."""
    got, took_s = link.timed(lambda: link.port.read(0))
    assert got == b"", f"read(0) gave {got!r}"
    assert took_s <= link.can.lateness_ns / SECOND_NS, f"read(0) took {took_s:.6f} s"


def read_into_buffer(link: Link) -> None:
    """`readinto` fills a buffer and says how far."""
    buffer = bytearray(len(link.exchange.response))
    link.request()
    count = link.port.readinto(buffer)
    assert count == len(buffer), f"readinto returned {count}, expected {len(buffer)}"
    assert bytes(buffer) == link.exchange.response, f"readinto gave {buffer.hex(' ')}"


def inter_byte_timeout_ends_read(link: Link) -> None:
    """A pause longer than the inter-byte timeout ends a read that has begun."""
    link.port.inter_byte_timeout = SHORT_S
    link.request()
    got, took_s = link.timed(lambda: link.port.read(len(link.exchange.response) + 10))
    assert got == link.exchange.response, f"read {got.hex(' ')}, expected the whole answer"
    if link.can.inter_byte_timeout:
        assert took_s < link.answer_s, f"the inter-byte timeout of {SHORT_S} s did not end a read: {took_s:.6f} s"


def read_until_finds_end(link: Link) -> None:
    """`read_until` ends with what it looks for, with its size, or with the timeout."""
    response = link.exchange.response
    link.request()
    got = link.port.read_until(response[-2:])
    end = response.index(response[-2:]) + 2
    assert got == response[:end], f"read_until({response[-2:]!r}) gave {got!r}, expected {response[:end]!r}"
    link.settle()
    link.request()
    got = link.port.read_until(b"\xff" * 9, size=3)
    assert got == response[:3], f"read_until(…, size=3) gave {got!r}, expected {response[:3]!r}"
    link.settle()
    link.port.timeout = SHORT_S
    got, took_s = link.timed(lambda: link.port.read_until(b"\n"))
    assert got == b"", f"read_until gave {got!r} on a silent line"
    link.expect_duration(SHORT_S, took_s)


# -- buffers ------------------------------------------------------------------------------------------


def in_waiting_grows(link: Link) -> None:
    """`in_waiting` is 0 before an answer, then counts it (or says that there is something)."""
    assert link.port.in_waiting == 0, f"in_waiting is {link.port.in_waiting} on a silent line"
    link.request()
    link.wait_for_input()
    if link.can.counts_input:
        expected, seen, start_ns = len(link.exchange.response), 0, link.clock(link.port)
        while seen < expected and link.clock(link.port) - start_ns < link.answer_s * SECOND_NS:
            seen = link.port.in_waiting
        assert seen == expected, f"in_waiting ended at {seen}, expected {expected}"
        got = link.port.read_all()
    else:
        got = link.port.read(len(link.exchange.response))
    assert got == link.exchange.response, f"read {got.hex(' ')}"


def reset_input_forgets(link: Link) -> None:
    """What has arrived is gone after `reset_input_buffer`, and the port works on."""
    link.request()
    link.port.read(len(link.exchange.response) - 1)
    link.wait_for_input()
    link.port.reset_input_buffer()
    link.port.timeout = SHORT_S
    got = link.port.read(1)
    assert got == b"", f"read {got!r} after reset_input_buffer"
    link.port.timeout = link.answer_s
    link.expect_answer()


def reset_output_is_harmless(link: Link) -> None:
    """`reset_output_buffer` with nothing to send does nothing."""
    link.port.reset_output_buffer()
    link.expect_answer()


def flush_waits(link: Link) -> None:
    """After `flush` nothing waits to be sent."""
    link.request()
    link.port.flush()
    if link.can.counts_output:
        assert link.port.out_waiting == 0, f"out_waiting is {link.port.out_waiting} after flush"
    got = link.port.read(len(link.exchange.response))
    assert got == link.exchange.response, f"the answer after flush is {got.hex(' ')}"


# -- the line -----------------------------------------------------------------------------------------


def garbage_is_not_answered(link: Link) -> None:
    """A frame with a wrong CRC gets no answer and does no harm."""
    link.port.timeout = SHORT_S
    link.port.write(GARBAGE)
    got = link.port.read(1)
    assert got == b"", f"{GARBAGE!r} was answered with {got!r}"
    link.port.timeout = link.answer_s
    link.expect_answer()


def break_passes(link: Link) -> None:
    """A break ends, and does no harm."""
    _, took_s = link.timed(lambda: link.port.send_break(SHORT_S))
    if not link.can.lateness_ns:
        link.expect_duration(SHORT_S, took_s)
    link.settle()
    link.expect_answer()


def modem_lines_are_there(link: Link) -> None:
    """Status lines are booleans; control lines can be set."""
    if not link.can.modem_lines:
        return
    for name in ("cts", "dsr", "ri", "cd"):
        value = getattr(link.port, name)
        assert isinstance(value, bool), f"{name} is {value!r}, expected a bool"
    for name in ("rts", "dtr"):
        setattr(link.port, name, False)
        setattr(link.port, name, True)
    link.expect_answer()


# -- settings -----------------------------------------------------------------------------------------


def settings_survive(link: Link) -> None:
    """`apply_settings` brings back what `get_settings` gave."""
    before = link.port.get_settings()
    link.port.timeout = 0.123
    if link.can.write_timeout:
        link.port.write_timeout = 1.5
    link.port.apply_settings(before)
    after = link.port.get_settings()
    assert after == before, f"settings are {after}, expected {before}"
    if link.can.parity:
        parity = link.port.parity
        link.port.parity = "O" if parity != "O" else "E"
        link.port.parity = parity
    link.expect_answer()


def bad_settings_are_refused(link: Link) -> None:
    """Values that cannot be raise `ValueError` and change nothing."""
    for name, value in (("baudrate", -1), ("bytesize", 9), ("parity", "X"), ("stopbits", 3), ("timeout", -1)):
        before = getattr(link.port, name)
        _expect_error(ValueError, f"{name} = {value!r}", lambda n=name, v=value: setattr(link.port, n, v))  # type: ignore[misc]
        assert getattr(link.port, name) == before, f"{name} is {getattr(link.port, name)!r} after a refused value"
    if link.can.checks_settings:
        _expect_error(ValueError, "baudrate=0", lambda: link.open_port(baudrate=0))
    link.expect_answer()


def write_timeout_is_kept(link: Link) -> None:
    """A write that fits into the buffer does not time out."""
    if not link.can.write_timeout:
        return
    link.port.write_timeout = SHORT_S
    link.expect_answer()
    link.port.write_timeout = 0
    link.expect_answer()
    link.port.write_timeout = None


# -- open and close -----------------------------------------------------------------------------------


def open_twice_is_refused(link: Link) -> None:
    """An open port cannot be opened."""
    assert link.port.is_open, "is_open is False on an open port"
    _expect_error(SerialException, "open() on an open port", link.port.open)


def closed_port_says_so(link: Link) -> None:
    """A closed port refuses everything; closing it again does nothing; it can be opened again."""
    port = link.port
    port.close()
    port.close()
    try:
        assert not port.is_open, "is_open is True on a closed port"
        calls: dict[str, Callable[[], object]] = {
            "read(1)": lambda: port.read(1),
            "write(b'x')": lambda: port.write(b"x"),
            "reset_input_buffer()": port.reset_input_buffer,
            "reset_output_buffer()": port.reset_output_buffer,
            "send_break()": port.send_break,
        }
        if link.can.checks_closed:
            calls["in_waiting"] = lambda: port.in_waiting
            calls["read_until()"] = port.read_until
            calls["cts"] = lambda: port.cts
        if link.can.checks_closed and link.can.counts_output:
            calls["out_waiting"] = lambda: port.out_waiting
            calls["flush()"] = port.flush
        for text, call in calls.items():
            _expect_error(SerialException, f"{text} on a closed port", call)
    finally:
        port.open()
    link.settle()
    link.expect_answer()


def context_manager_closes(link: Link) -> None:
    """`with` gives the open port, opens a closed one, and closes it at the end."""
    with link.port as port:
        assert port is link.port, "`with port` gives another object"
        link.expect_answer()
    try:
        assert not link.port.is_open, "the port is open after `with`"
    finally:
        link.port.open()


def _expect_error(kind: type[Exception], what: str, call: Callable[[], object]) -> None:
    try:
        result = call()
    except kind:
        return
    except Exception as error:
        raise AssertionError(f"{what} raised {error!r}, expected {kind.__name__}") from error
    raise AssertionError(f"{what} returned {result!r}, expected {kind.__name__}")


CHECKS: Final[Mapping[str, Callable[[Link], None]]] = {
    check.__name__: check
    for check in (
        answers,
        write_counts,
        read_returns_at_last_byte,
        read_times_out,
        read_does_not_block,
        read_blocks,
        read_gives_what_came,
        read_in_parts,
        read_nothing,
        read_into_buffer,
        inter_byte_timeout_ends_read,
        read_until_finds_end,
        in_waiting_grows,
        reset_input_forgets,
        reset_output_is_harmless,
        flush_waits,
        garbage_is_not_answered,
        break_passes,
        modem_lines_are_there,
        settings_survive,
        bad_settings_are_refused,
        write_timeout_is_kept,
        open_twice_is_refused,
        closed_port_says_so,
        context_manager_closes,
    )
}
