"""`emu://`: a pyserial port with a virtual press behind it, in virtual time.

    from emulator.ports import register
    register()
    port = serial.serial_for_url("emu://?start=warm", timeout=0.5)

Every call that would wait on a real port runs the simulation exactly that far: to the arrival of the
last byte asked for, or to the timeout, to the nanosecond. Nothing else moves time, with one exception:
looking twice in a row and finding nothing new (`in_waiting`, `out_waiting`, a read with timeout 0) takes
one character, the shortest time in which a UART could have something new to tell. Without it a client
that polls would wait for ever. Input that is looked at in vain again and again takes twice as long every
time, up to a millisecond: such clients sleep between looks, in real time, so few looks have to do.

Each port object has a world of its own, made when the port is first opened, or given by `attach`.
Closing the port does not switch the press off: the same object, opened again at the same URL, finds the
press as it was.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from serial import PortNotOpenError, SerialBase, SerialException, SerialTimeoutException

from emulator.bus import Bus, BusState, LineSettings
from emulator.ports.url import UrlError, device_in, is_same_press, parse_url, snapshot_in

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from emulator.agenda import Agenda
    from emulator.world import World, WorldConfig

__all__ = ["PortState", "Serial", "port_on"]

SECOND_NS = 1_000_000_000
OUTPUT_BUFFER = 4096
"""Bytes that `write` takes before it has to wait for the line."""
NOT_ASKED = -1
LONGEST_LOOK_NS = 1_000_000
"""What looking at the input in vain takes at most, unless a character is longer."""
FIRST_DEVICE = "ttyUSB0"
"""What the adapter is called before it was put back under another name."""
UNPLUGGED = "device reports readiness to read but returned no data (device disconnected or multiple access on port?)"
"""What pyserial says on Linux when an adapter has been pulled, word for word: programs look for it."""
WRITE_FAILED = "write failed: [Errno 5] Input/output error"


def make_world(config: WorldConfig) -> World:
    """Make the virtual press of an `emu://` port."""
    from emulator.world import World  # noqa: PLC0415 - a closed port needs no world

    return World(config)


def restore_world(path: str) -> World:
    """Make the virtual press of a port from a snapshot; whoever was at the other end has gone."""
    from emulator.world import World  # noqa: PLC0415 - a closed port needs no world

    world = World.restore(Path(path).read_bytes())
    world.bus.forget_master()
    return world


@dataclass(slots=True)
class PortState:
    """All that makes the future of an open port, apart from the world behind it."""

    line: LineSettings
    timeout: float | None
    write_timeout: float | None
    inter_byte_timeout: float | None
    breaking: bool
    in_seen: int
    look_ns: int
    out_seen: int
    plugging: int = 0
    device: str = ""


def port_on(world: World, state: PortState | None = None, **settings: Any) -> Serial:
    """Open a port on a world that exists already.

    Args:
        world: a virtual press.
        state: how a port stood on this world or the one it was copied from, to go on there; without it the port is
            opened anew, and whoever had one before has gone.
        settings: as for `serial.Serial`, for a new one.
    """
    if state is not None:
        return Serial._standing(world, state)
    port = Serial(None, **settings)
    port.port = "emu://"
    port.attach(world)
    port.open()
    return port


class Serial(SerialBase):
    """The port.

    Attributes:
        world_factory: makes a world from what the URL says.
        patience_s: press time after which a read without a timeout is given up with an exception,
            because nothing will ever end it.
    """

    world_factory: ClassVar[Callable[[WorldConfig], World]] = staticmethod(make_world)
    patience_s: float = 600.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._world: World | None = None
        self._world_url: str | None = None
        self._bus: Bus | None = None
        self._line = LineSettings()
        self._look_ns = 0
        self._in_seen = self._out_seen = NOT_ASKED
        self._plugging = 0
        super().__init__(*args, **kwargs)

    # -- open and close ------------------------------------------------------------------------------

    @property
    def world(self) -> World:
        """The virtual press behind the port; it stays reachable when the port is closed.

        Raises:
            PortNotOpenError: the port was never open, so there is none yet.
        """
        if self._world is None:
            raise PortNotOpenError
        return self._world

    def attach(self, world: World) -> None:
        """Put another world behind the port, for example a restored one; open or closed."""
        self._world = world
        self._world_url = self.portstr
        self._bus = world.bus
        self._look_anew()
        if self.is_open:
            world.bus.retune(self._line)

    def open(self) -> None:
        """Open the port, and make its world if it has none.

        Raises:
            UrlError: the URL is wrong, or names something that does not exist.
            SerialException: no URL was set, or the port is open already.
        """
        if self.portstr is None:
            raise SerialException("Port must be configured before it can be used.")
        if self.is_open:
            raise SerialException("Port is already open.")
        self._line = self._settings()
        if self._world is None or not is_same_press(self.portstr, self._world_url):
            self.attach(self._make_world(self.portstr))
        bus_state, wanted = self.world.bus.state, device_in(self.portstr)
        if not bus_state.plugged or not fnmatchcase(bus_state.device or FIRST_DEVICE, wanted or "*"):
            missing = f"could not open port {self.portstr}: [Errno 2] No such file or directory: {self.portstr!r}"
            raise SerialException(errno.ENOENT, missing)
        self._plugging = self.world.bus.state.counters.unplugged
        self.world.bus.retune(self._line)
        self.world.bus.discard_input()
        self.is_open = True

    def _make_world(self, url: str) -> World:
        path = snapshot_in(url)
        try:
            return type(self).world_factory(parse_url(url)) if path is None else restore_world(path)
        except UrlError:
            raise
        except ValueError as error:
            raise UrlError(f"{url!r}: {error}") from error
        except OSError as error:
            raise UrlError(f"{url!r}: the snapshot cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """Close the port; bytes that were written still leave."""
        # io.RawIOBase.close() is not called: it is final, and a port can be opened again
        if self.is_open:
            if not self._gone(self.world.bus.state):
                self.break_condition = False
            self.is_open = False

    @property
    def state(self) -> PortState:
        """How the port stands now."""
        return PortState(
            line=self._line,
            timeout=self.timeout,
            write_timeout=self.write_timeout,
            inter_byte_timeout=self.inter_byte_timeout,
            breaking=bool(self.break_condition),
            in_seen=self._in_seen,
            look_ns=self._look_ns,
            out_seen=self._out_seen,
            plugging=self._plugging,
            device=device_in(self.portstr or ""),
        )

    @classmethod
    def _standing(cls, world: World, state: PortState) -> Serial:
        """An open port that stands on a world as another stood on its origin."""
        line = state.line
        port = cls(
            None,
            baudrate=line.baud,
            bytesize=line.data_bits,
            parity=line.parity,
            stopbits=line.stop_bits,
            timeout=state.timeout,
            write_timeout=state.write_timeout,
            inter_byte_timeout=state.inter_byte_timeout,
        )
        port.port = f"emu://#{state.device}" if state.device else "emu://"
        port._line = line
        port._break_state = state.breaking  # type: ignore[attr-defined]  # pyserial's own
        port._world, port._world_url, port._bus = world, port.portstr, world.bus
        port._in_seen, port._look_ns, port._out_seen = state.in_seen, state.look_ns, state.out_seen
        port._plugging = state.plugging
        port.is_open = True
        return port

    def _settings(self) -> LineSettings:
        if self.baudrate <= 0:
            raise ValueError(f"Invalid baud rate: {self.baudrate!r}")
        return LineSettings(self.baudrate, self.bytesize, self.parity, self.stopbits)

    def _reconfigure_port(self) -> None:
        """A setting was changed while the port is open."""
        line = self._settings()
        if line != self._line:
            self._line = line
            self._opened().retune(line)

    def _opened(self, unplugged: str = UNPLUGGED) -> Bus:
        if not self.is_open or self._bus is None:
            raise PortNotOpenError
        if self._gone(self._bus.state):
            raise SerialException(unplugged)
        return self._bus

    def _gone(self, state: BusState) -> bool:
        """Whether the adapter was pulled since the port was opened: then the port is dead, also when it is back."""
        return state.counters.unplugged != self._plugging

    # -- time ----------------------------------------------------------------------------------------

    def _run_until(self, time_ns: int) -> None:
        """Let the caller wait, who is not a part of the world."""
        self._from_outside().run_until(time_ns)

    def _from_outside(self) -> Agenda:
        """The agenda that a caller may run who is not a part of the world.

        Raises:
            SerialException: the caller is a part of it.
        """
        assert self._bus is not None  # a port that is open has one
        agenda = self._bus.agenda
        if agenda.running:
            raise SerialException(
                "a port of a virtual press was asked to wait from inside its simulation, which waits for the "
                "caller; let the process or callback end, and talk to the port from outside"
            )
        return agenda

    def _wait(self, bus: Bus, count: int, limit_ns: int) -> None:
        """Run until `count` bytes have arrived, the inter-byte timeout has passed, or `limit_ns`."""
        pause_s: float | None = self._inter_byte_timeout  # type: ignore[attr-defined]  # pyserial's own
        if pause_s is not None:
            self._wait_for_pause(bus, count, limit_ns, round(pause_s * SECOND_NS))
            return
        now_ns = bus.agenda.now_ns
        ready_ns = bus.arrival_ns(count)
        if now_ns >= limit_ns or (ready_ns is not None and ready_ns <= now_ns):
            return
        agenda = self._from_outside()
        while now_ns < limit_ns and (ready_ns is None or ready_ns > now_ns):
            # whatever comes next may send what is not on its way yet
            next_ns = agenda.next_ns() if ready_ns is None else ready_ns
            now_ns = limit_ns if next_ns is None or next_ns > limit_ns else next_ns
            agenda.run_until(now_ns)
            ready_ns = bus.arrival_ns(count)
            if ready_ns is None and self._gone(bus.state):
                return

    def _wait_for_pause(self, bus: Bus, count: int, limit_ns: int, pause_ns: int) -> None:
        """The same, ended by a pause of this length."""
        start_ns = now_ns = bus.agenda.now_ns
        while now_ns < limit_ns:
            ready = bus.arrived(now_ns)
            if ready >= count:
                return
            until_ns, next_ns = limit_ns, bus.arrival_ns(ready + 1)
            if ready:
                last_ns = bus.arrival_ns(ready)
                assert last_ns is not None
                over_ns = max(last_ns, start_ns) + pause_ns
                if over_ns <= now_ns:
                    return
                until_ns = min(limit_ns, over_ns)
            if next_ns is None:
                next_ns = bus.agenda.next_ns()
            now_ns = until_ns if next_ns is None or next_ns > until_ns else next_ns
            self._run_until(now_ns)
            if self._gone(bus.state):
                return

    # -- reading -------------------------------------------------------------------------------------

    def read(self, size: int = 1, /) -> bytes:
        """Read up to `size` bytes: fewer if the timeout or the inter-byte timeout ends the wait.

        Raises:
            SerialException: there is no timeout and nothing came for `patience_s`; the port was asked to
                wait from inside the simulation.
        """
        bus = self._opened()
        if size <= 0:
            return b""
        timeout = self._timeout  # type: ignore[attr-defined]  # pyserial's own
        if timeout is None:
            self._wait_for_ever(bus, size)
        elif timeout > 0:
            self._wait(bus, size, bus.agenda.now_ns + round(timeout * SECOND_NS))
        elif bus.arrived(bus.agenda.now_ns) == 0:
            self._run_until(bus.agenda.now_ns + self._look_in_vain())
        return self._take(bus, size)

    def _take(self, bus: Bus, size: int) -> bytes:
        data = bus.read(size)
        if self._gone(bus.state):
            raise SerialException(UNPLUGGED)
        if data:
            self._in_seen, self._look_ns = NOT_ASKED, 0
        return data

    def _wait_for_ever(self, bus: Bus, size: int) -> None:
        world = self.world
        limit_ns = world.now_ns + round(self.patience_s * SECOND_NS)
        self._wait(bus, size, limit_ns)
        ready = bus.arrived(world.now_ns)
        if ready < size and world.now_ns >= limit_ns:
            raise SerialException(
                f"read({size}) without a timeout: {ready} bytes have arrived in {self.patience_s:g} s of "
                "press time and no more are on their way; set a timeout"
            )

    def read_until(self, expected: bytes = b"\n", size: int | None = None) -> bytes:
        """Read up to and including `expected`, up to `size` bytes, or until the timeout for all of it."""
        bus, world = self._opened(), self.world
        limit_ns = None if self.timeout is None else world.now_ns + round(self.timeout * SECOND_NS)
        line = bytearray()
        while size is None or len(line) < size:
            if bus.arrived(world.now_ns) == 0:
                if limit_ns is None:
                    self._wait_for_ever(bus, 1)
                elif self.timeout == 0 and not line:
                    self._run_until(world.now_ns + self._line.char_ns)
                else:
                    self._wait(bus, 1, limit_ns)
            byte = self._take(bus, 1)
            line += byte
            if not byte or line.endswith(expected):
                break
        return bytes(line)

    def read_all(self) -> bytes:
        """Read what has arrived."""
        return self.read(self.in_waiting)

    def _look_in_vain(self) -> int:
        """How long it takes, ns, to look at the input where nothing new is."""
        char_ns = self._line.char_ns
        look_ns = max(self._look_ns, char_ns)
        self._look_ns = min(2 * look_ns, max(LONGEST_LOOK_NS, char_ns))
        return look_ns

    def _look_anew(self) -> None:
        self._in_seen = self._out_seen = NOT_ASKED
        self._look_ns = 0

    @property
    def in_waiting(self) -> int:
        """How many bytes have arrived; asked again with nothing new, one character later, or more each time."""
        if self._bus and self.is_open and self._gone(self._bus.state):
            raise OSError(errno.EIO, os.strerror(errno.EIO))  # as the ioctl does, which pyserial leaves as it is
        bus, world = self._opened(), self.world
        count = bus.arrived(world.now_ns)
        if count == self._in_seen:
            self._run_until(world.now_ns + self._look_in_vain())
            count = bus.arrived(world.now_ns)
        self._in_seen = count
        return count

    def reset_input_buffer(self) -> None:
        """Forget what has arrived; what is still on its way comes."""
        self._opened().discard_input()
        self._in_seen, self._look_ns = NOT_ASKED, 0

    # -- writing -------------------------------------------------------------------------------------

    def write(self, b: ReadableBuffer, /) -> int:
        """Buffer bytes for sending; waits only while the output buffer is full.

        Returns:
            How many were buffered: all, or fewer if `write_timeout` is 0.

        Raises:
            SerialTimeoutException: the buffer was full for `write_timeout`.
        """
        bus = self._opened(WRITE_FAILED)
        data = bytes(b)
        self._look_anew()
        if len(data) + bus.out_waiting(bus.agenda.now_ns) <= OUTPUT_BUFFER:
            bus.transmit(data, self._line)
            return len(data)
        world = self.world
        timeout = self.write_timeout
        limit_ns = None if timeout is None else world.now_ns + round(timeout * SECOND_NS)
        done = 0
        while True:
            room = OUTPUT_BUFFER - bus.out_waiting(world.now_ns)
            sent_ns = bus.transmit(data[done : done + room], self._line)
            done += min(room, len(data) - done)
            if done == len(data) or timeout == 0:
                return done
            # until there is room for the rest, or half the buffer
            room = min(len(data) - done, OUTPUT_BUFFER // 2)
            free_ns = sent_ns - self._line.span_ns(OUTPUT_BUFFER - room)
            if limit_ns is not None and free_ns > limit_ns:
                self._run_until(limit_ns)
                raise SerialTimeoutException("Write timeout")
            self._run_until(max(free_ns, world.now_ns))

    def exchange(self, request: bytes, length: int, patience_ns: int) -> bytes:
        """Write a request and read its answer in one go, where nothing can come in between.

        Args:
            request: what is written.
            length: bytes of the answer that is waited for.
            patience_ns: for how long, ns of press time.

        Returns:
            The answer; nothing if anything else may come of it: the request is written, and that is to be read.
        """
        bus = self._opened(WRITE_FAILED)
        self._look_anew()
        return bus.exchange(request, self._line, length, bus.agenda.now_ns + patience_ns)

    def flush(self) -> None:
        """Wait until everything has left."""
        bus, world = self._opened(), self.world
        if bus.state.sent_ns > world.now_ns:
            self._run_until(bus.state.sent_ns)

    @property
    def out_waiting(self) -> int:
        """How many bytes have not left; asked again with nothing new, one character later."""
        bus, world = self._opened(), self.world
        count = bus.out_waiting(world.now_ns)
        if count and count == self._out_seen:
            self._run_until(world.now_ns + self._line.char_ns)
            count = bus.out_waiting(world.now_ns)
        self._out_seen = count
        return count

    def reset_output_buffer(self) -> None:
        """Forget the bytes that have not begun to leave."""
        self._opened().discard_output()
        self._out_seen = NOT_ASKED

    def send_break(self, duration: float = 0.25) -> None:
        """Hold a break for `duration` seconds of press time."""
        self._opened()
        self.break_condition = True
        self._run_until(self.world.now_ns + round(duration * SECOND_NS))
        self.break_condition = False

    def _update_break_state(self) -> None:
        bus = self._opened()
        if self.break_condition:
            bus.begin_break()
        else:
            bus.end_break()

    # -- modem lines: a two-wire line has none ---------------------------------------------------------

    def _update_rts_state(self) -> None:
        """RTS goes nowhere."""

    def _update_dtr_state(self) -> None:
        """DTR goes nowhere."""

    @property
    def cts(self) -> bool:
        """Always clear to send."""
        self._opened()
        return True

    @property
    def dsr(self) -> bool:
        """Always ready."""
        self._opened()
        return True

    @property
    def ri(self) -> bool:
        """Never ringing."""
        self._opened()
        return False

    @property
    def cd(self) -> bool:
        """Always a carrier."""
        self._opened()
        return True
