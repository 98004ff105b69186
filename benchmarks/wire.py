"""The wire: a request and its answer."""

from __future__ import annotations

import time

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadInputRegistersRequest, ReadInputRegistersResponse

from rig.bench import open_press
from rig.protocol import (
    ReadInputRegisters,
    decode_request,
    decode_response,
    encode_frame,
)
from rig.protocol import (
    ReadInputRegistersResponse as Answer,
)

COUNT = 60
REPEATS = 2000
VALUES = tuple(range(1000, 1000 + COUNT))


def exchange() -> float:
    """Microseconds of wall time per 60-register read on `emu://`, the node's scans not counted."""
    with open_press("emu://", record=False) as bench:
        request = ReadInputRegisters(0, COUNT)
        world = bench.virtual.world
        start_ns = world.now_ns
        start = time.perf_counter()
        for _ in range(REPEATS):
            bench.master.exchange(request, 1)
        busy = time.perf_counter() - start
        spent_ns = world.now_ns - start_ns
        start = time.perf_counter()
        world.run_until(world.now_ns + spent_ns)
        scans = time.perf_counter() - start
    return (busy - scans) / REPEATS * 1e6


def codec() -> float:
    """Microseconds for encoding and decoding request and answer."""
    request, answer = ReadInputRegisters(0, COUNT), Answer(VALUES)
    start = time.perf_counter()
    for _ in range(REPEATS):
        asked = decode_request(encode_frame(1, request)[1:-2])
        decode_response(encode_frame(1, answer)[1:-2], asked)
    return (time.perf_counter() - start) / REPEATS * 1e6


def pymodbus_codec() -> float:
    """The same with pymodbus' framer and messages."""
    server, client = FramerRTU(DecodePDU(True)), FramerRTU(DecodePDU(False))
    request = ReadInputRegistersRequest(address=0, count=COUNT, dev_id=1)
    answer = ReadInputRegistersResponse(registers=list(VALUES), dev_id=1)
    start = time.perf_counter()
    for _ in range(REPEATS):
        server.handleFrame(server.buildFrame(request), 1, 0)
        client.handleFrame(client.buildFrame(answer), 1, 0)
    return (time.perf_counter() - start) / REPEATS * 1e6
