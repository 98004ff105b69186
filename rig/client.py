"""The rig's Modbus master: requests through any pyserial port, and tags on top of them.

`Master` drives the sans-I/O client of `rig.protocol` over a port: timeouts, retries, and one typed
exception per kind of trouble. `TagClient` merges tags into few requests and turns registers into
engineering values. Neither knows what kind of port it has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

import serial

from rig.clock import SECOND_NS, Clock
from rig.errors import BadAnswer, BusError, NoAnswer, NodeBusy, PortError, RequestRefused, UsageError
from rig.protocol import (
    MAX_FRAME,
    BadFrame,
    BytesDiscarded,
    Client,
    ExceptionCode,
    ExceptionReceived,
    LineTiming,
    ReadCoils,
    ReadCoilsResponse,
    ReadDiscreteInputs,
    ReadDiscreteInputsResponse,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    ReadInputRegisters,
    ReadInputRegistersResponse,
    Request,
    Response,
    ResponseBroken,
    ResponseReceived,
    ResponseTimeout,
    WriteMultipleCoils,
    WriteMultipleRegisters,
    encode_frame,
    response_length,
)
from rig.protocol.blocks import Block, Decoded
from rig.protocol.pdu import awaited_after
from rig.protocol.registers import BIT_TABLES, RegisterMap, Table, Tag, Value

Direction = Literal["request", "response", "unknown"]

READ_ANSWERS = (
    ReadCoilsResponse,
    ReadDiscreteInputsResponse,
    ReadInputRegistersResponse,
    ReadHoldingRegistersResponse,
)

__all__ = ["FrameSink", "Master", "PlannedRead", "TagClient"]

FrameSink = Callable[[int, int, Direction, bytes, str], None]
"""Called with start (ns), end (ns), `request` or `response`, bytes and a comment for every frame."""

SLACK_NS = 25_000_000
"""For the node to answer, a USB adapter's latency timer and an operating system that has something else to do."""
ASK_AGAIN = (ExceptionCode.ACKNOWLEDGE, ExceptionCode.SERVER_DEVICE_BUSY)
"""A node that declines with these would do it later (V1.1b3, section 7)."""
SMALLEST_ANSWER = 5
"""Bytes of an exception answer with address and CRC: no answer is shorter."""
READ_GAP = 8
"""Registers that a merged read may read along without need: cheaper than another request."""
WRITE_GAP = 16
"""The same for writes, over registers that are known to hold what is written."""
NOTHING = object()
"""Is no value."""
LARGEST_WRITE = 120
LARGEST_BIT_WRITE = 1900
Read = ReadCoils | ReadDiscreteInputs | ReadInputRegisters | ReadHoldingRegisters
READS: dict[Table, type[Read]] = {
    "coil": ReadCoils,
    "discrete": ReadDiscreteInputs,
    "input": ReadInputRegisters,
    "holding": ReadHoldingRegisters,
}


class Master:
    """One master on one port, one request at a time.

    Args:
        port: an open port. Its read timeout is what `open_press` set, the grain of all waiting; it is not changed
            here, as some kinds of port take 100 ms for that.
        clock: the bench's clock.
        timeout_s: how long an answer may take, s of press time.
        retries: how often a request is sent again after no answer or a bad one.
        on_frame: told about every frame that this master sends or takes.
    """

    def __init__(
        self,
        port: serial.SerialBase,
        clock: Clock,
        *,
        timeout_s: float,
        retries: int,
        on_frame: FrameSink | None = None,
    ) -> None:
        self.port = port
        self.timeout_s = timeout_s
        self.retries = retries
        self.requests = 0
        self.repeated = 0
        self._clock = clock
        self._on_frame = on_frame
        self._timing = LineTiming(baudrate=port.baudrate)
        self._patience_ns = round(timeout_s * SECOND_NS)
        self._client = Client(self._timing, response_timeout_ns=self._patience_ns)
        self._least: dict[tuple[type, int], int] = {}

    def exchange(self, request: Request, unit: int, until_ns: int | None = None) -> Response:
        """Send a request and wait for its answer.

        Args:
            request: what to ask.
            unit: whom.
            until_ns: bench time at which to give up and not to ask again, ns, if that leaves an answer the time that
                it takes on the line; None for the response timeout and all retries.

        Raises:
            NoAnswer: silence, every time.
            BadAnswer: something came that is no answer to the request, every time.
            RequestRefused: the node answered with a Modbus exception (not repeated but where it was
                busy: it would again).
            PortError: the port went away.
        """
        trouble: NoAnswer | BadAnswer | NodeBusy | None = None
        patience_ns = self._patience_ns
        for attempt in range(1 + self.retries):
            if until_ns is not None:
                least_ns = self._least_ns(request, unit)
                left_ns = until_ns - self._clock.now_ns
                if attempt and left_ns < least_ns:
                    break
                patience_ns = min(max(left_ns, least_ns), self._patience_ns)
            if attempt:
                self.repeated += 1
            try:
                return self._once(request, unit, patience_ns)
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
        tries = f" in {1 + self.retries} tries" if self.retries and until_ns is None else ""
        raise type(trouble)(f"{trouble}{tries}")

    def _least_ns(self, request: Request, unit: int) -> int:
        """How long request and answer take on the line, and the node and an adapter to pass them on, ns."""
        kind = type(request), getattr(request, "count", 0) or len(getattr(request, "values", ()))
        known = self._least.get(kind)
        if known is None:
            awaited = awaited_after(unit, request)
            answer = MAX_FRAME if awaited is None else awaited.length
            asked = len(encode_frame(unit, request))
            known = self._least[kind] = self._timing.frame_ns(asked) + self._timing.frame_ns(answer) + SLACK_NS
        return known

    def _once(self, request: Request, unit: int, patience_ns: int) -> Response:
        client, clock, port = self._client, self._clock, self.port
        sent_ns = clock.now_ns
        while (stale := client.next_event()) is not None:
            if isinstance(stale, BytesDiscarded):  # what came after the last request had been given up
                self._note(stale.now_ns, stale.now_ns, stale.raw, "late or unasked")
        frame = client.send(request, unit, sent_ns)
        self.requests += 1
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
                data = port.read(SMALLEST_ANSWER)
            now = clock.now_ns
            if not received and (missing := client.missing(data, now)) > 0:
                # the awaited answer begins: as a rule the rest is on its heels, and that is all there is to it
                rest = port.read(missing)
                rest_ns = clock.now_ns
                answer = client.take_answer(data + rest, rest_ns)
                if answer is not None:
                    self._note(answer[1], rest_ns, data + rest, trouble)
                    return answer[0]
                client.receive(data, now)
                received, data, now = data, rest, rest_ns
            if data:
                received += data
                client.receive(data, now)
            elif now - sent_ns >= patience_ns:
                client.expire(max(now, client.deadline() or now))
            else:
                continue  # a read ends sooner than patience does
            while (event := client.next_event()) is not None:
                match event:
                    case ResponseReceived():
                        self._note(event.start_ns, event.end_ns, received, trouble)
                        return event.response
                    case ExceptionReceived():
                        self._note(event.start_ns, event.end_ns, received, trouble)
                        code = event.response.code
                        name = getattr(code, "name", str(code)).replace("_", " ").lower()
                        kind = NodeBusy if code in ASK_AGAIN else RequestRefused
                        raise kind(f"the node refused {request}: {name} (exception {int(code)})")
                    case BadFrame():
                        trouble = event.detail
                        received = b""
                        self._note(event.start_ns, event.end_ns, event.raw, trouble)
                    case ResponseBroken():
                        raise BadAnswer(f"bad answer to {request}: {trouble or 'damaged on the way'}")
                    case BytesDiscarded():
                        self._note(now, now, event.raw, "late or unasked")
                        received = b""
                    case ResponseTimeout():
                        if trouble or received:
                            raise BadAnswer(f"bad answer to {request}: {trouble or f'{len(received)} stray bytes'}")
                        raise NoAnswer(f"no answer within {patience_ns * 1e-6:.3g} ms to {request}")

    def _note(self, start_ns: int, end_ns: int, data: bytes, comment: str) -> None:
        if self._on_frame is not None and data:
            self._on_frame(start_ns, end_ns, "response", data, comment)


class PlannedRead(NamedTuple):
    """A block and the request that reads it."""

    request: Request
    unit: int
    block: Block


class PlannedWrite(NamedTuple):
    """A block to be written, and where in it the tags stand that get a new value."""

    block: Block
    unit: int
    fresh: tuple[tuple[Tag, slice], ...]


class TagClient:
    """Tags in engineering units over a master.

    A write reaches over holding registers that are not to be changed where that saves a request, if it
    was this client that wrote them last: they get what they have.

    Args:
        master: who asks.
        registers: the register map.
    """

    def __init__(self, master: Master, registers: RegisterMap) -> None:
        self._master = master
        self._registers = registers
        self._writes: dict[tuple[Tag, ...], tuple[PlannedWrite, ...]] = {}
        # what the press holds as this client wrote it last: as values, and raw by node, table and address
        self._held: dict[Tag, Value] = {}
        self._raw: dict[tuple[str, Table], list[int]] = {}

    def plan(self, tags: Iterable[Tag]) -> tuple[PlannedRead, ...]:
        """The requests that read `tags`."""
        return _planned_reads(self._registers, tuple(tags))

    def read(self, tags: Sequence[Tag]) -> dict[str, Value]:
        """Engineering values by tag name, in the order asked for.

        Raises:
            BusError: no usable answer.
        """
        values = self.poll(self.plan(tags)).values
        return {tag.name: values[tag.name] for tag in tags}

    def poll(self, plan: Iterable[PlannedRead], until_ns: int | None = None) -> Decoded:
        """All tags of a plan: engineering values, and numbers in the order of the plan's blocks.

        Args:
            plan: what to ask.
            until_ns: when to give up; see `Master.exchange`.

        Raises:
            BusError: no usable answer.
        """
        parts = []
        for request, unit, block in plan:
            answer = self._master.exchange(request, unit, until_ns)
            assert isinstance(answer, READ_ANSWERS)  # the codec lets nothing else answer a read
            parts.append(block.decode(answer.payload))
        if len(parts) == 1:
            return parts[0]
        values: dict[str, Value] = {}
        numbers: list[float] = []
        for part in parts:
            values.update(part.values)
            numbers += part.numbers
        return Decoded(values, numbers)

    def write(self, values: Mapping[Tag, Value], until_ns: int | None = None) -> None:
        """Write tags; neighbours go out together. A node that fails keeps nothing from the others.

        Args:
            values: engineering values by tag.
            until_ns: when to give up; see `Master.exchange`.

        Raises:
            TagValueError: a value that its tag cannot hold.
            BusError: no usable answer from a node; `held` tells what the others have taken.
        """
        failed: dict[str, BusError] = {}
        held = self._held
        # a refresh writes the very objects that were written before: they need no second encoding
        fresh = {tag: tag.encode(value) for tag, value in values.items() if held.get(tag, NOTHING) is not value}
        for block, unit, places in self._write_plan(tuple(values)):
            if block.node in failed:
                self._forget(block.tags)
                continue
            table, span = self._table(block), slice(block.address, block.address + block.count)
            raw = table[span]
            for tag, place in places:
                if tag in fresh:
                    raw[place] = fresh[tag]
            request: Request = (
                WriteMultipleCoils(block.address, tuple(map(bool, raw)))
                if block.table == "coil"
                else WriteMultipleRegisters(block.address, tuple(raw))
            )
            try:
                self._master.exchange(request, unit, until_ns)
            except PortError:
                self._forget(block.tags)
                raise
            except BusError as error:
                self._forget(block.tags)
                names = ", ".join(tag.name for tag in block.tags)
                refused = isinstance(error, RequestRefused)
                failed[block.node] = RequestRefused(f"{error}; the request was to write {names}") if refused else error
                continue
            table[span] = raw
            for tag, _ in places:
                if tag not in held:
                    self._writes.clear()  # more is held now that a write may reach over
                held[tag] = values[tag]
        if failed:
            raise next(iter(failed.values()))

    def forget(self) -> None:
        """Nobody knows what the press holds any more: it was away, or has started anew."""
        self._held.clear()
        self._writes.clear()

    def held(self) -> dict[Tag, Value]:
        """What the press is known to hold, as this client wrote it last."""
        return self._held.copy()

    def hold(self, values: Mapping[Tag, Value]) -> None:
        """Take over what another client knows."""
        self._held.update(values)
        for tag, value in values.items():
            self._table(tag)[tag.address : tag.address + tag.count] = tag.encode(value)
        self._writes.clear()

    def _table(self, where: Tag | Block) -> list[int]:
        """Raw contents of a table of a node; what is not held means nothing."""
        table = self._raw.get((where.node, where.table))
        if table is None:
            ends = [tag.address + tag.count for tag in self._registers.tags.values() if tag.table == where.table]
            table = self._raw[where.node, where.table] = [0] * max(ends)
        return table

    def _write_plan(self, tags: tuple[Tag, ...]) -> tuple[PlannedWrite, ...]:
        plan = self._writes.get(tags)
        if plan is None:
            plan = self._writes[tags] = _planned_writes(self._registers, tags, frozenset(self._held))
        return plan

    def _forget(self, tags: Iterable[Tag]) -> None:
        """Nobody knows what these hold now."""
        for tag in tags:
            self._held.pop(tag, None)
        self._writes.clear()


def _unit(registers: RegisterMap, node: str) -> int:
    try:
        return registers.nodes[node].address
    except KeyError:
        raise UsageError(f"no node {node!r} in the register map") from None


@lru_cache(maxsize=128)
def _planned_reads(registers: RegisterMap, tags: tuple[Tag, ...]) -> tuple[PlannedRead, ...]:
    """Shared by all clients, with the tables that the blocks have made for decoding."""
    return tuple(
        PlannedRead(READS[block.table](block.address, block.count), _unit(registers, block.node), block)
        for block in registers.reads(tags, gap=READ_GAP)
    )


@lru_cache(maxsize=128)
def _planned_writes(registers: RegisterMap, tags: tuple[Tag, ...], held: frozenset[Tag]) -> tuple[PlannedWrite, ...]:
    """The same for writes, which may reach over what is held."""
    wanted = (*tags, *_bridges(tags, held))
    blocks = registers.blocks(wanted, longest=LARGEST_WRITE, longest_bits=LARGEST_BIT_WRITE)
    fresh = set(tags)
    return tuple(
        PlannedWrite(block, _unit(registers, block.node), _places(block, fresh))
        # coils last: a setpoint must be there before what acts on it is enabled
        for block in sorted(blocks, key=lambda block: block.table in BIT_TABLES)
    )


def _bridges(tags: Iterable[Tag], held: Collection[Tag]) -> Iterator[Tag]:
    """Holding registers between `tags` that can be written along, as it is known what they hold."""
    holding = sorted((tag for tag in tags if tag.table == "holding"), key=lambda tag: (tag.node, tag.address))
    for left, right in pairwise(holding):
        start, end = left.address + left.count, right.address
        if left.node != right.node or not 0 < end - start <= WRITE_GAP:
            continue
        between = [
            tag for tag in held if (tag.node, tag.table) == (left.node, left.table) and start <= tag.address < end
        ]
        if sum(tag.count for tag in between) == end - start:
            yield from between


def _places(block: Block, tags: Container[Tag]) -> tuple[tuple[Tag, slice], ...]:
    """Those of `tags` that are in a block, and where in it."""
    return tuple(
        (tag, slice(tag.address - block.address, tag.address - block.address + tag.count))
        for tag in block.tags
        if tag in tags
    )
