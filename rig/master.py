"""The rig's Modbus master: requests through any pyserial port, one at a time.

`Master` drives the sans-I/O client of `rig.protocol` over a port: pauses between frames, timeouts, retries, one typed
exception per kind of trouble, and the health of every node that it asks. It does not know what kind of port it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import serial

from rig.clock import SECOND_NS, Clock
from rig.errors import BadAnswer, NoAnswer, NodeBusy, PortError, RequestRefused
from rig.health import NodeHealth
from rig.protocol import (
    MAX_FRAME,
    BadFrame,
    BytesDiscarded,
    Client,
    ExceptionCode,
    ExceptionReceived,
    FrameFault,
    LineTiming,
    Request,
    Response,
    ResponseBroken,
    ResponseReceived,
    ResponseTimeout,
    encode_frame,
    response_length,
)
from rig.protocol.pdu import awaited_after

__all__ = ["READ_GRAIN_NS", "SLACK_NS", "FrameSink", "Master"]

Direction = Literal["request", "response", "unknown"]
FrameSink = Callable[[int, int, Direction, bytes, str], None]
"""Called with start (ns), end (ns), `request` or `response`, bytes and a comment for every frame."""

SLACK_NS = 25_000_000
"""For the node to answer, a USB adapter's latency timer and an operating system that has something else to do."""
READ_GRAIN_NS = 20_000_000
"""A read that nothing answers ends after so long, to look whether it is time to give up."""
ASK_AGAIN = (ExceptionCode.ACKNOWLEDGE, ExceptionCode.SERVER_DEVICE_BUSY)
"""A node that declines with these would do it later (V1.1b3, section 7)."""
SMALLEST_ANSWER = 5
"""Bytes of an exception answer with address and CRC: no answer is shorter."""


class Master:
    """One master on one port, one request at a time.

    Args:
        port: an open port. Its read timeout is what `open_press` set, the grain of all waiting; it is not changed
            here, as some kinds of port take 100 ms for that.
        clock: the bench's clock.
        timeout_s: how long an answer may take, s of press time.
        retries: how often a request is sent again after no answer or a bad one.
        on_frame: told about every frame that this master sends or takes.
        names: of the nodes, by address.
        on_change: told when a node becomes better or worse.

    Attributes:
        health: of every node that was asked, by its address.
    """

    def __init__(
        self,
        port: serial.SerialBase,
        clock: Clock,
        *,
        timeout_s: float,
        retries: int,
        on_frame: FrameSink | None = None,
        names: Mapping[int, str] | None = None,
        on_change: Callable[[NodeHealth], object] | None = None,
    ) -> None:
        self.port = port
        self.timeout_s = timeout_s
        self.retries = retries
        self.health = {unit: NodeHealth(name, unit, on_change=on_change) for unit, name in (names or {}).items()}
        self._on_change = on_change
        self._clock = clock
        self._on_frame = on_frame
        self._timing = LineTiming(baudrate=port.baudrate)
        self._patience_ns = round(timeout_s * SECOND_NS)
        self._client = Client(self._timing, response_timeout_ns=self._patience_ns)
        self._wire: dict[tuple[type, int], int] = {}
        self._silence_ns = self._timing.t3_5_ns
        self._quiet_ns = 0  # until then the line has to be silent, so that the end of the last frame is seen
        self._asked: NodeHealth | None = None
        # a virtual line may know at once what will be answered (`emulator.ports.protocol_emu`)
        self._in_one_go: Callable[[bytes, int, int], bytes] | None = getattr(port, "exchange", None)

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return sum(health.requests for health in self.health.values())

    @property
    def timing(self) -> LineTiming:
        """The line as this master uses it."""
        return self._timing

    def health_of(self, unit: int) -> NodeHealth:
        """How a node is doing, by its address."""
        health = self.health.get(unit)
        if health is None:
            health = self.health[unit] = NodeHealth(f"unit {unit}", unit, on_change=self._on_change)
        return health

    def exchange(
        self,
        request: Request,
        unit: int,
        until_ns: int | None = None,
        *,
        tries: int | None = None,
        floor_ns: int | None = None,
    ) -> Response:
        """Send a request and wait for its answer.

        Args:
            request: what to ask.
            unit: whom.
            until_ns: bench time at which to give up and not to ask again, ns, if that leaves an answer the time that
                it takes on the line; None for the response timeout and all retries.
            tries: how often to ask at the most; None for once and all retries.
            floor_ns: time that an answer gets even beyond `until_ns`, ns; None for what it takes on the line, and
                some for node and adapter.

        Raises:
            NoAnswer: silence, every time.
            BadAnswer: something came that is no answer to the request, every time.
            RequestRefused: the node answered with a Modbus exception (not repeated but where it was
                busy: it would again).
            PortError: the port went away.
        """
        trouble: NoAnswer | BadAnswer | NodeBusy | None = None
        patience_ns = self._patience_ns
        wire_ns = self.wire_ns(request, unit)
        health = self.health.get(unit) or self.health_of(unit)
        most = 1 + self.retries if tries is None else tries
        for attempt in range(most):
            if until_ns is not None:
                least_ns = wire_ns + SLACK_NS if floor_ns is None else floor_ns
                left_ns = until_ns - self._clock.now_ns
                if attempt and left_ns < least_ns:
                    break
                patience_ns = min(max(left_ns, least_ns), self._patience_ns)
            if attempt:
                health.retries += 1
            try:
                return self._once(request, unit, patience_ns, health, wire_ns)
            except (NoAnswer, BadAnswer, NodeBusy) as error:
                trouble = error
            except (serial.SerialException, OSError) as error:
                # whatever was out is lost with the port
                self._client = Client(self._timing, response_timeout_ns=self._patience_ns)
                raise PortError(f"port {self.port.port} went away: {error}") from error
            except BaseException:
                # Ctrl-C, or the timer that stops a controller: the request is given up with its answer still out, so
                # that the safe state can be commanded; what comes of it is late
                self._client = Client(self._timing, response_timeout_ns=self._patience_ns)
                raise
        assert trouble is not None
        told = f" in {most} tries" if most > 1 and until_ns is None else ""
        raise type(trouble)(f"{trouble}{told}")

    def wire_ns(self, request: Request, unit: int) -> int:
        """How long a request and its answer take on the line, ns."""
        kind = type(request), getattr(request, "count", 0) or len(getattr(request, "values", ()))
        known = self._wire.get(kind)
        if known is None:
            awaited = awaited_after(unit, request)
            answer = MAX_FRAME if awaited is None else awaited.length
            asked = len(encode_frame(unit, request))
            known = self._wire[kind] = self._timing.frame_ns(asked) + self._timing.frame_ns(answer)
        return known

    def _once(self, request: Request, unit: int, patience_ns: int, health: NodeHealth, wire_ns: int) -> Response:
        client, clock, port = self._client, self._clock, self.port
        sent_ns = clock.now_ns
        if sent_ns < self._quiet_ns:
            sent_ns = self._quiet_ns + clock.sleep_until(self._quiet_ns)
        while (stale := client.next_event()) is not None:
            if isinstance(stale, BytesDiscarded):  # what came after the last request had been given up
                (self._asked or health).discarded(len(stale.raw))
                self._note(stale.now_ns, stale.now_ns, stale.raw, "late or unasked")
        self._asked = health
        frame = client.send(request, unit, sent_ns)
        health.requests += 1
        whole = b""
        if self._in_one_go is not None and (length := client.awaited_length):
            whole = self._in_one_go(frame, length, patience_ns)
        else:
            port.write(frame)
        if self._on_frame is not None:
            self._on_frame(sent_ns, sent_ns + self._timing.frame_ns(len(frame)), "request", frame, "")
        received = b""
        trouble = ""
        while True:
            # ask for exactly what is missing, so that the read ends with the last byte and not with a timeout
            if received:
                expected = response_length(received) if len(received) >= 3 else SMALLEST_ANSWER
                data = port.read(max(expected - len(received), 1))
            else:
                data, whole = whole or port.read(SMALLEST_ANSWER), b""
            now = clock.now_ns
            if not received and (missing := client.missing(data, now)) is not None:
                # the awaited answer begins: as a rule the rest is on its heels, and that is all there is to it
                rest = port.read(missing) if missing else b""
                rest_ns = clock.now_ns
                answer = client.take_answer(data + rest, rest_ns)
                if answer is not None:
                    self._quiet_ns = rest_ns + self._silence_ns
                    health.answered(rest_ns - sent_ns, wire_ns, rest_ns)
                    self._note(answer[1], rest_ns, data + rest, trouble)
                    return answer[0]
                client.receive(data, now)
                received, data, now = data, rest, rest_ns
            if data:
                received += data
                client.receive(data, now)
                self._quiet_ns = now + self._silence_ns
            elif now - sent_ns >= patience_ns:
                client.expire(max(now, client.deadline() or now))
            else:
                continue  # a read ends sooner than patience does
            while (event := client.next_event()) is not None:
                match event:
                    case ResponseReceived():
                        health.answered(now - sent_ns, wire_ns, now)
                        self._note(event.start_ns, event.end_ns, received, trouble)
                        return event.response
                    case ExceptionReceived():
                        health.declined(now)
                        self._note(event.start_ns, event.end_ns, received, trouble)
                        code = event.response.code
                        name = getattr(code, "name", str(code)).replace("_", " ").lower()
                        kind = NodeBusy if code in ASK_AGAIN else RequestRefused
                        raise kind(f"the node refused {request}: {name} (exception {int(code)})")
                    case BadFrame():
                        trouble = event.detail
                        received = b""
                        health.crc_errors += event.fault is FrameFault.CRC
                        health.discarded_bytes += len(event.raw)
                        self._note(event.start_ns, event.end_ns, event.raw, trouble)
                    case ResponseBroken():
                        health.crc_errors += 1  # what is wrong with it, by its meaning
                        health.discarded_bytes += len(event.raw)
                        health.failed(now, bad=True)
                        raise BadAnswer(f"bad answer to {request}: {trouble or 'damaged on the way'}")
                    case BytesDiscarded():
                        health.discarded(len(event.raw))
                        self._note(now, now, event.raw, "late or unasked")
                        received = b""
                    case ResponseTimeout():
                        bad = bool(trouble or received)
                        health.failed(now, bad=bad)
                        if bad:
                            raise BadAnswer(f"bad answer to {request}: {trouble or f'{len(received)} stray bytes'}")
                        raise NoAnswer(f"no answer within {patience_ns * 1e-6:.3g} ms to {request}")

    def _note(self, start_ns: int, end_ns: int, data: bytes, comment: str) -> None:
        if self._on_frame is not None and data:
            self._on_frame(start_ns, end_ns, "response", data, comment)
