"""The bench: an opened press, virtual or real, with everything a test needs around the port.

    bench = open_press("emu://?start=warm")
    bench.read("zone_temperatures")              # a dict of engineering values
    bench.write(belt_upper_speed_setpoint_m_min=1.0)
    bench.clock.sleep_until(...)                 # virtual time jumps, real time passes

What stands behind the URL shows in one place only, `bench.can`. A bench is a context manager: every
way out of it commands the press's safe state if anything was written.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import serial

from rig.abilities import Abilities
from rig.bench_state import BenchState
from rig.client import TagClient
from rig.clock import SECOND_NS, Clock, HardwareClock, VirtualClock
from rig.envelope import Envelope
from rig.errors import PortError, RigError, UnknownTag, UsageError
from rig.health import NodeHealth
from rig.identify import check_register_map, identify
from rig.master import READ_GRAIN_NS, Master
from rig.polling import Known, Poller
from rig.port import WIRED_SCHEMES, open_again, open_port
from rig.protocol.registers import RegisterMap, Value
from rig.schedule import PollSchedule
from rig.trace import Recorder
from rig.wiring import check_wiring, registers_of

if TYPE_CHECKING:
    from rig.virtual import VirtualPress

__all__ = ["DEFAULT_BAUDRATE", "Abilities", "Bench", "open_press"]

DEFAULT_BAUDRATE = 115_200
"""bit/s; a poll of all tags takes 19 ms of line time at this rate, and must fit into a 100 ms scan."""
RESPONSE_TIMEOUT_S = 0.25
"""Silence after a request for so long counts as no answer: ten times the longest exchange at 115200."""
RETRIES = 2
ASIDE_SHARE_NS = 25_000_000
"""The same in a scan of the usual period; what there is no time for waits for the next."""
BENCH = "bench"
"""Name of what a bench keeps with a snapshot."""


class Bench:
    """An opened press. Made by `open_press`.

    Attributes:
        aside_share_ns: groups on request may take so much of a scan beside the poll, ns.
        on_request: called before every poll, read or write, between two requests; for observers of the press.
        polling: of what every poll reads.
        aside: of what is read on request as a rule, and that a schedule has asked for; None without such a schedule.
    """

    def __init__(
        self,
        port: serial.SerialBase,
        url: str,
        *,
        clock: Clock,
        virtual: VirtualPress | None,
        armed: bool = False,
        timeout_s: float = RESPONSE_TIMEOUT_S,
        retries: int = RETRIES,
        record: bool = True,
        identification: Mapping[str, Value] | None = None,
        wiring: str = "",
    ) -> None:
        self.url = url
        self.port = port
        self.clock = clock
        self.registers: RegisterMap = registers_of(wiring)
        self._virtual = virtual
        present = virtual is not None
        self.can = Abilities(present, present, present, present, present)
        self.recorder = Recorder(self.registers, virtual.channels if virtual else ()) if record else None
        on_frame = self.recorder.frame if self.recorder else None
        if virtual is not None:
            # the line itself knows the time of every byte
            virtual.world.bus.on_frame = on_frame
        self.master = Master(
            port,
            clock,
            timeout_s=timeout_s,
            retries=retries,
            on_frame=None if virtual else on_frame,
            names={node.address: name for name, node in self.registers.nodes.items()},
            on_change=self._note_health,
        )
        self.client = TagClient(self.master, self.registers)
        self.polling = Poller(self.client, self.master, clock, self.registers, self.registers.polled, self.recorder)
        self.aside: Poller | None = None
        self.aside_share_ns = ASIDE_SHARE_NS
        self._written: dict[str, Value] = {}
        self._unsafe = False
        self._closed = False
        self.on_request: Callable[[], object] | None = None
        self.identification = identification or identify(self.client, self.registers, port, url)
        check_register_map(self.identification, self.registers, url)
        if identification is None:
            check_wiring(self.client, self.registers, url)
        self.envelope = Envelope(self.registers, str(self.identification["press_identity"]), armed)
        atexit.register(self.close)

    # -- who is there ---------------------------------------------------------------------------------

    @property
    def identity(self) -> str:
        """What the press says it is: `virtual`, `real`, or `unknown(…)`."""
        return self.envelope.identity

    @property
    def virtual(self) -> VirtualPress:
        """Truth and hands on a virtual press in this process.

        Raises:
            UsageError: there is none; ask `bench.can` first.
        """
        if self._virtual is None:
            raise UsageError(
                f"the press at {self.url} is only reachable over the wire: no truth, no disturbances. "
                "Ask bench.can.see_truth first"
            )
        return self._virtual

    def arm(self) -> None:
        """Allow writes to a press that is not virtual, inside the safe ranges."""
        self.envelope = Envelope(self.registers, self.envelope.identity, armed=True)

    # -- tags -----------------------------------------------------------------------------------------

    def read(self, *names: str) -> dict[str, Value]:
        """Read tags and tag groups, in as few requests as possible.

        Returns:
            Engineering values by tag name.

        Raises:
            UnknownTag: a name that is neither tag nor group.
            BusError: no usable answer.
        """
        try:
            tags = self.registers.expand(names)
        except KeyError as error:
            raise UnknownTag(str(error.args[0])) from None
        if self.on_request is not None:
            self.on_request()
        values = self.client.read(tags)
        self.polling.note_read(values)
        return values

    def value(self, name: str) -> Value:
        """Read one tag."""
        return self.read(name)[name]

    def number(self, name: str) -> float:
        """Read one numeric tag."""
        value = self.value(name)
        if isinstance(value, (str, frozenset)):
            raise UsageError(f"{name} is not a number but {value!r}")
        return float(value)

    def poll(self, until_ns: int | None = None) -> dict[str, Value]:
        """Read what is due of all that the press senses, and record it; one call per scan.

        Where the line has the time that is everything; see `rig.schedule` for where it has not. `age_s` tells how old
        a value is.

        Args:
            until_ns: bench time at which to give up, ns, where an answer cannot come any more; None to read everything
                and to wait and to ask again as often as the bench was told.

        Returns:
            The last known value of everything polled so far, by tag name.

        Raises:
            BusError: no usable answer from the press's own node, or from nobody.
        """
        if self.on_request is not None:
            self.on_request()
        values = self.polling.poll(until_ns)
        if self.aside is not None:
            values = {**values, **self._poll_aside(self.aside, until_ns)}
        if self.recorder is not None and self._virtual is not None:
            self._virtual.vector(self.recorder.truth_row(self.clock.now_ns))
        return values

    def _poll_aside(self, aside: Poller, until_ns: int | None) -> dict[str, Value]:
        """What of the groups on request is due, as far as the poll has left time for it."""
        now_ns = self.clock.now_ns
        if until_ns is None:
            return aside.poll()
        return aside.poll(min(until_ns, now_ns + self.aside_share_ns)) if until_ns > now_ns else aside.known.values

    @property
    def schedule(self) -> PollSchedule:
        """How often each group is polled; may be set between two polls. Those on request are polled once it names them.

        Raises:
            UsageError: of a schedule that cannot be, when it is set.
        """
        every = self.aside.schedule.every if self.aside is not None else {}
        return PollSchedule({**self.polling.schedule.every, **every}, self.polling.schedule.spare)

    @schedule.setter
    def schedule(self, schedule: PollSchedule) -> None:
        schedule.check(self.registers)
        asked = {group: scans for group, scans in schedule.every.items() if group in self.registers.on_request}
        self.polling.schedule = PollSchedule(
            {group: scans for group, scans in schedule.every.items() if group not in asked}, schedule.spare
        )
        if self.aside is not None and self.aside.schedule.every == asked:
            return  # what is known of them stays known
        self.aside = None
        if asked:
            tags = [tag for tag in self.registers.expand(list(asked)) if not tag.writable]
            self.aside = Poller(self.client, self.master, self.clock, self.registers, tags, self.recorder, aside=True)
            self.aside.schedule = PollSchedule(asked, spare=False)

    def known(self) -> Known:
        """What is known of everything that is polled; whoever asks goes on with it, and its age counts from then on."""
        self.polling.note_ages()
        state = self.polling.known
        if self.aside is None:
            return Known(state.values, state.time_ns, state.times_ns, state.restarts)
        other = self.aside.known
        return Known(
            {**state.values, **other.values},
            state.time_ns,
            {**state.times_ns, **other.times_ns},
            state.restarts + other.restarts,
        )

    def age_s(self, name: str) -> float:
        """How old the last value of a tag is that was polled or read, s; infinity if it never was.

        Raises:
            UnknownTag: no such tag.
        """
        if name not in self.registers.tags:
            raise UnknownTag(self.registers.explain_unknown(name))
        age_s = self.polling.age_s(name)
        return age_s if self.aside is None else min(age_s, self.aside.age_s(name))

    @property
    def health(self) -> Mapping[str, NodeHealth]:
        """How the nodes that were asked are doing, by name: counters, response times, condition."""
        return {health.name: health for health in self.master.health.values() if health.requests}

    def write(
        self, values: Mapping[str, Value] | None = None, /, *, until_ns: int | None = None, **more: Value
    ) -> None:
        """Write tags, in engineering units.

        Args:
            values: by tag name.
            until_ns: as for `poll`.
            more: the same as `values`, as keyword arguments.

        Raises:
            UnknownTag, UsageError, WriteRefused: see `rig.envelope`.
            BusError: no usable answer; how much was written is not known.
        """
        wanted = {**(values or {}), **more}
        checked = self.envelope.check(wanted)
        if self.on_request is not None:
            self.on_request()
        self._unsafe = True
        self.client.write(checked, until_ns)
        self._note_written(wanted)

    def safe_state(self) -> bool:
        """Command the press's safe state, as far as it can be reached.

        Does nothing where nothing was ever written. Never raises for a press that does not answer:
        its own watchdog is the last line then.

        Returns:
            True if all nodes of the press took the commands.
        """
        if not self._unsafe:
            return True
        values, reached = self.envelope.safe_state(), True
        # node by node: one that does not answer keeps nothing from the others
        for node in self.registers.nodes:
            tags = {tag: value for name, value in values.items() if (tag := self.registers[name]).node == node}
            try:
                self.client.write(tags)
            except RigError as error:
                reached = False
                where = f"node {node} " if len(self.registers.nodes) > 1 else ""
                self.record_event("safe_state", f"{where}not reached: {error}")
            else:
                self._note_written({tag.name: value for tag, value in tags.items()})
        if reached:
            self._unsafe = False
            self.record_event("safe_state", "commanded")
        return reached

    def note_commanded(self, values: Mapping[str, Value]) -> None:
        """Another master has commanded this: it belongs into the recording, and the press is to be left safe."""
        self._unsafe = True
        self.forget_written()
        self._note_written(values)

    def reopen(self) -> None:
        """Open the port again after it went away; from then on everything has to be written anew.

        Raises:
            PortError: it is not there (yet), or another press is there now.
            BusError: the port is there, and no press answers.
        """
        with suppress(serial.SerialException, OSError):
            self.port.close()
        open_again(self.port, self.url)
        self.forget_written()
        found = identify(self.client, self.registers, self.port, self.url)
        if found != self.identification:
            changed = ", ".join(name for name, value in found.items() if self.identification.get(name) != value)
            raise PortError(f"another press answers on {self.url} than before it went away: {changed} differ")

    def forget_written(self) -> None:
        """The press may hold something else than what was written: nothing is left out of the next write."""
        self.client.forget()

    # -- the record -----------------------------------------------------------------------------------

    def record_event(self, kind: str, text: str) -> None:
        """Note something in the recording, now."""
        if self.recorder is not None:
            self.recorder.event(self.clock.now_ns, kind, text)

    def _note_health(self, health: NodeHealth) -> None:
        self.record_event("health", str(health))

    def _note_written(self, values: Mapping[str, Value]) -> None:
        known = self._written.get
        news = {name: value for name, value in values.items() if known(name) is not value}
        self._written.update(news)
        if self.recorder is not None:
            self.recorder.commanded(news)

    # -- copies ---------------------------------------------------------------------------------------

    def fork(self, *, seed: int | None = None, record: bool | None = None) -> Bench:
        """A bench on a copy of this virtual press, as it stands now, with a recording of its own.

        Args:
            seed: of the copy's noise from now on; None to go on exactly as this press will.
            record: keep a recording; None for what this bench does.

        Raises:
            UsageError: the press cannot be copied (ask `bench.can.fork` first), or not a seed.
        """
        from rig.virtual import fork_port  # noqa: PLC0415 - only virtual presses fork

        assert self.virtual is not None
        state = self._state()
        state.record = state.record if record is None else record
        return self._standing(fork_port(self.virtual, self.port, seed), state)

    def snapshot(self, notes: Mapping[str, str] | None = None) -> bytes:
        """This bench between two requests, as bytes that `Bench.restore` makes a bench of, in any process.

        Args:
            notes: what people will want to know of it.

        Raises:
            UsageError: the press cannot be copied; ask `bench.can.fork` first.
        """
        from rig.virtual import NOTES, encode, save  # noqa: PLC0415

        assert self.virtual is not None
        return save(self.virtual, self.port, {BENCH: encode(self._state()), NOTES: encode(dict(notes or {}))})

    @classmethod
    def restore(cls, data: bytes) -> Bench:
        """A bench that goes on from a snapshot exactly as its origin did, with a recording of its own.

        Raises:
            UsageError: not a snapshot, damaged, or of another version.
        """
        from rig.virtual import decode, load  # noqa: PLC0415

        port, kept = load(data)
        try:
            return cls._standing(port, decode(kept.get(BENCH), BenchState))
        except (KeyError, ValueError) as error:
            raise UsageError(f"the snapshot is malformed: {error}") from error

    def _state(self) -> BenchState:
        return BenchState(
            url=self.url,
            armed=self.envelope.armed,
            timeout_s=self.master.timeout_s,
            retries=self.master.retries,
            record=self.recorder is not None,
            identification=dict(self.identification),
            written=dict(self._written),
            held={tag.name: value for tag, value in self.client.held().items()},
            unsafe=self._unsafe,
            every=dict(self.schedule.every),
            spare=self.schedule.spare,
            polling=self.polling.copied(),
            aside=self.aside.copied() if self.aside is not None else None,
        )

    @classmethod
    def _standing(cls, port: serial.SerialBase, state: BenchState) -> Bench:
        """A bench on a port that is open already, as another stood on its origin."""
        from rig.virtual import virtual_press  # noqa: PLC0415

        press = virtual_press(port)
        assert press is not None
        other = cls(
            port,
            state.url,
            clock=VirtualClock(press.world),
            virtual=press,
            armed=state.armed,
            timeout_s=state.timeout_s,
            retries=state.retries,
            record=state.record,
            identification=state.identification,
            wiring=press.world.config.wiring,
        )
        other._note_written(state.written)
        other.client.hold({other.registers[name]: value for name, value in state.held.items()})
        other._unsafe = state.unsafe
        if state.every or not state.spare:
            other.schedule = PollSchedule(state.every, state.spare)
        other.polling.go_on_from(state.polling)
        if other.aside is not None and state.aside is not None:
            other.aside.go_on_from(state.aside)
        return other

    # -- the end --------------------------------------------------------------------------------------

    def close(self) -> None:
        """Command the safe state if anything was written since, and close the port."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        try:
            self.safe_state()
        finally:
            self.port.close()

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_press(
    url: str = "emu://",
    *,
    armed: bool = False,
    speed: float = 1.0,
    baudrate: int = DEFAULT_BAUDRATE,
    timeout_s: float = RESPONSE_TIMEOUT_S,
    retries: int = RETRIES,
    record: bool = True,
    wiring: str = "",
) -> Bench:
    """Open a press by URL.

    Args:
        url: `emu://…` (virtual press in this process), a device path or a pattern of which one is there
            (`/dev/ttyUSB*`), `socket://HOST:PORT` or `rfc2217://HOST:PORT`.
        armed: allow writes to a press that is not virtual.
        speed: press seconds per wall second of the press at the other end (`press-rig emulate --speed`);
            has no meaning for `emu://`.
        baudrate: line rate, bit/s; 8 data bits, no parity, 1 stop bit.
        timeout_s: silence after a request that counts as no answer, s of press time.
        retries: how often a request is sent again after no answer or a bad one.
        record: keep a recording.
        wiring: which nodes the press has on the line (docs/wirings.md); an `emu://` URL says so itself.

    Raises:
        UsageError: the URL, or what it names (machine, recipe, wiring, …), does not exist.
        PortError: the port is missing, busy, or not to be opened.
        BusError: nothing at the other end answers as a press, or one with another register map
            (`OtherRegisterMap`) or wired otherwise (`OtherWiring`).
    """
    if speed <= 0.0:
        raise UsageError(f"speed is {speed:g}; it must be above 0")
    scheme = urlsplit(url).scheme if "://" in url else ""
    if scheme and scheme not in (*WIRED_SCHEMES, "emu"):
        raise UsageError(
            f"{url!r}: unknown scheme {scheme!r}; a press is emu://, a device path such as /dev/ttyUSB0, "
            "socket://HOST:PORT or rfc2217://HOST:PORT"
        )
    registers_of(wiring)
    port = open_port(url, scheme, baudrate, min(timeout_s, READ_GRAIN_NS / SECOND_NS) / speed)
    try:
        virtual = None
        clock: Clock = HardwareClock(speed)
        if scheme == "emu":
            from rig.virtual import virtual_press  # noqa: PLC0415

            virtual = virtual_press(port)
            assert virtual is not None
            clock = VirtualClock(virtual.world)
            theirs = virtual.world.config.wiring
            if wiring not in ("", theirs):
                raise UsageError(f"the press of {url!r} is wired {theirs}, and not {wiring}; say so in its URL alone")
            wiring = theirs
        more: Any = {"armed": armed, "timeout_s": timeout_s, "retries": retries, "record": record, "wiring": wiring}
        return Bench(port, url, clock=clock, virtual=virtual, **more)
    except BaseException:
        port.close()
        raise
