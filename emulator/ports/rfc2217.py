"""A serial port over the network: telnet with the serial line's settings in it, RFC 2217.

    press-rig emulate --rfc2217 127.0.0.1:2217    →    serial.serial_for_url("rfc2217://127.0.0.1:2217", 19200)

Baud rate, data bits, parity, stop bits and break of the client reach the virtual line, so that a wrong rate is not
understood there either. The protocol is pyserial's own `PortManager`; one client at a time.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from serial import rfc2217

from emulator.bus import Bus, LineSettings
from emulator.ports.listener import IDLE_NS, LOCAL, Access, Listener, OneClient
from rig.protocol.timing import FASTEST_BAUD, SLOWEST_BAUD

__all__ = ["Rfc2217Endpoint"]

IAC: Final = b"\xff"
LONGEST_OPTION: Final = 256
"""Bytes of one telnet option; the longest of RFC 2217 has seven."""
LONGEST_UNSENT: Final = 65_536
"""Bytes that wait for a client which does not read; then it is hung up on."""


class _VirtualPort:
    """What `PortManager` takes for the serial port: settings that can be read and set, and modem lines that stand.

    Setting what cannot be raises ValueError; the client is then told what still holds.
    """

    cts = dsr = cd = True
    ri = False
    xonxoff = rtscts = False
    rts = dtr = True
    break_condition = False

    def __init__(self) -> None:
        self._line = LineSettings()

    @property
    def line(self) -> LineSettings:
        """The settings as they stand."""
        return self._line

    def _set(self, **changes: Any) -> None:
        now = {"baud": self.baudrate, "data_bits": self.bytesize, "parity": self.parity, "stop_bits": self.stopbits}
        self._line = LineSettings(**{**now, **changes})

    @property
    def baudrate(self) -> int:
        """Bit/s."""
        return self._line.baud

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        if not SLOWEST_BAUD <= baud <= FASTEST_BAUD:
            raise ValueError(f"no such baud rate: {baud}")
        self._set(baud=baud)

    @property
    def bytesize(self) -> int:
        """Data bits."""
        return self._line.data_bits

    @bytesize.setter
    def bytesize(self, bits: int) -> None:
        if not 5 <= bits <= 8:
            raise ValueError(f"no such number of data bits: {bits}")
        self._set(data_bits=bits)

    @property
    def parity(self) -> str:
        """`N`, `E`, `O`, `M` or `S`."""
        return self._line.parity

    @parity.setter
    def parity(self, parity: str) -> None:
        self._set(parity=parity)

    @property
    def stopbits(self) -> float:
        """1, 1.5 or 2."""
        return self._line.stop_bits

    @stopbits.setter
    def stopbits(self, bits: float) -> None:
        self._set(stop_bits=bits)

    def reset_input_buffer(self) -> None:
        """What has arrived has been sent on already."""

    def reset_output_buffer(self) -> None:
        """What the client has sent is on the line already."""


class Rfc2217Endpoint(OneClient):
    """A listening socket for a remote serial port.

    Args:
        host: an IP address, or `localhost`; None for that of `access`.
        port: TCP port; 0 for any that is free.
        access: where clients may come in, and from where.
        idle_ns: wall time after which a client that says nothing is hung up on.

    Raises:
        EndpointError: clients must not come in there, or the port is taken.
    """

    speaks = "Modbus RTU over RFC 2217"

    def __init__(self, host: str | None = None, port: int = 0, access: Access = LOCAL, idle_ns: int = IDLE_NS) -> None:
        super().__init__(Listener(host, port, access), idle_ns)
        self._port = _VirtualPort()
        self._unsent = bytearray()
        self._telnet: rfc2217.PortManager | None = None

    @property
    def url(self) -> str:
        """`rfc2217://` with the port that is listened on."""
        return f"rfc2217://{self._listener.place}"

    def _greet(self) -> None:
        """Begin to negotiate; the port is as after power-on."""
        self._port = _VirtualPort()
        self._unsent.clear()
        self._telnet = rfc2217.PortManager(self._port, self)  # type: ignore[arg-type] # the stubs want ports for both

    def receive(self) -> bytes | None:
        """Let clients in, or not; what the one that is in sends, without telnet's own."""
        data = self._take()
        if not data or self._telnet is None:
            self._flush()
            return data
        try:
            plain = b"".join(self._telnet.filter(data))
        except (ValueError, TypeError, LookupError, struct.error):
            plain = None  # not telnet: nothing that comes after it can be trusted
        if plain is None or len(self._telnet.suboption or b"") > LONGEST_OPTION:
            self._hang_up()
            self._gone = False
            return None
        self._flush()
        return plain

    def line(self, node_baud: int | None) -> LineSettings:
        """As the client has set them."""
        return self._port.line

    def write(self, data: bytes) -> None:
        """What telnet has to say; called by `PortManager`."""
        self._unsent += data

    def send(self, data: bytes) -> int:
        """Hand bytes of the line to the client."""
        if self._client is None:
            return 0
        self._unsent += data.replace(IAC, IAC + IAC)
        self._flush()
        return len(data)

    def _flush(self) -> None:
        if self._unsent:
            del self._unsent[: self._give(bytes(self._unsent))]
        if len(self._unsent) > LONGEST_UNSENT:
            # half of a telnet command would never be understood again
            self._hang_up()

    def _hang_up(self) -> None:
        super()._hang_up()
        self._telnet = None
        self._unsent.clear()
        self._port.break_condition = False

    def turn(self, bus: Bus, wall_ns: int) -> int | None:
        """Hold and release the line as the client wants it."""
        super().turn(bus, wall_ns)
        self._flush()
        if self._port.break_condition and not bus.state.master_breaks:
            bus.begin_break()
            self._breaks = True
        elif self._breaks and not self._port.break_condition:
            bus.end_break()
            self._breaks = False
        return None

    _breaks = False
    """The break that is on the line is this client's."""
