"""The one place where the rig reaches the virtual press.

`VirtualPress` is what a bench offers
beyond the wire when a virtual press is at the other end in this process: truth, hands on the
machine, disturbances, and copies. Code that uses it asks `bench.can` first.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import serial

from emulator import COMPILES, codec, user_cache
from emulator.codec import encode
from emulator.config import ConfigError, Machine, Material, load_machine, load_material
from emulator.faults import FaultAccount, described_kinds, fault_from
from emulator.faults.places import ALL, SENSOR_SETS, partner_of
from emulator.firmware.build import build
from emulator.firmware.chip_master import ChipMaster
from emulator.firmware.elf import Program
from emulator.firmware.fault import FirmwareFault
from emulator.line.casting import PIECE_LENGTH_M
from emulator.node.config import FIRMWARE
from emulator.operating_map import HELD_WITHIN_K, Outcome, check_point, outcome, with_roller_pitch
from emulator.ports.serve import (
    EndpointError,
    Places,
    check_control,
    main_loop,
    open_control,
    open_endpoints,
)
from emulator.press import InputError, Press
from emulator.saved import Description, describe, extras_of
from emulator.snapshot import Kind, SnapshotError, seal, sources_digest, unseal
from emulator.state import StateTypeError, classes_of, copied
from emulator.truth import released_between
from emulator.wire.faults import FaultError
from emulator.world import START_STATES, World, WorldConfig
from rig.clock import SECOND_NS
from rig.control import default_control
from rig.errors import PortError, UsageError
from rig.requirements.film import FilmTruth
from rig.requirements.rules import EVERY_SENSOR, ActingFault
from rig.rolls import rows_of_line
from rig.trace.channels import ChannelInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emulator.line.line import Line
    from emulator.line.settled import Settled
    from rig.products import Product

__all__ = [
    "FAULT_KINDS",
    "HELD_WITHIN_K",
    "NOTES",
    "START_STATES",
    "ConfigError",
    "FirmwareFault",
    "Machine",
    "Material",
    "Outcome",
    "Places",
    "Serving",
    "VirtualPress",
    "World",
    "WorldConfig",
    "check_fault",
    "check_point",
    "compile_press",
    "copied",
    "decode",
    "emulate",
    "encode",
    "fork_port",
    "load",
    "load_machine",
    "load_material",
    "outcome",
    "read_shelf",
    "resume",
    "save",
    "settled_line",
    "sources_digest",
    "store_on_shelf",
    "user_cache",
    "virtual_press",
    "with_roller_pitch",
]

PORT, NOTES = "port", "notes"
"""Names of what is kept with a snapshot."""
Kept = TypeVar("Kept")
COMPILE_NOTE = "compiling the press model, once for these sources; some 20 seconds ..." if COMPILES else ""
"""What to tell people who wait; empty when there is nothing to wait for."""

UNITS = {
    "_c": "°C", "_um": "µm", "_mm": "mm", "_m": "m", "_mpa": "MPa", "_m_min": "m/min", "_kn": "kN", "_kn_m": "kN/m",
    "_nm": "N·m", "_a": "A", "_l_min": "L/min", "_kw": "kW", "_deg": "deg", "_percent": "%", "_times_min": "times·min",
}  # fmt: skip


def virtual_press(port: serial.SerialBase) -> VirtualPress | None:
    """The virtual press behind an `emu://` port, or None for any other port."""
    world = getattr(port, "world", None)
    return VirtualPress(world) if isinstance(world, World) else None


@lru_cache(maxsize=8)
def _truth_channels(names: tuple[str, ...]) -> tuple[ChannelInfo, ...]:
    return tuple(
        ChannelInfo(name=name, unit=_unit(name), description="truth: " + name.replace("_", " ")) for name in names
    )


def _unit(name: str) -> str:
    for suffix in sorted(UNITS, key=len, reverse=True):
        if name.endswith(suffix):
            return UNITS[suffix]
    return ""


class VirtualPress:
    """What can be seen of and done to a virtual press without using the wire."""

    def __init__(self, world: World) -> None:
        self.world = world

    # -- truth --------------------------------------------------------------------------------------

    @property
    def channels(self) -> tuple[ChannelInfo, ...]:
        """The truth signals, in the order of `vector`."""
        return _truth_channels(self.world.truth.names)

    def vector(self, out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """All truth signals now; written into `out` if that is given."""
        return self.world.truth.vector(out)

    def signals(self) -> dict[str, float]:
        """All truth signals now, by name."""
        return self.world.truth.signals()

    def profile(self) -> dict[str, NDArray[np.float64]]:
        """Thickness, temperatures, pressure and gap along the press, now (see `emulator.truth`)."""
        return self.world.truth.profile()

    def film(self) -> list[FilmTruth]:
        """What became of every parcel that has left the press (the last 4096)."""
        rows = []
        machine = self.world.machine
        parcel_m = machine.sheet.parcel_length_mm * 1e-3
        for row in self.world.truth.film():
            rows.append(
                FilmTruth(
                    start_m=row["serial"] * parcel_m,
                    h0_um=row["h0_um"],
                    t0_um=row["t0_um"],
                    exit_thickness_um=row["exit_thickness_um"],
                    recovered_thickness_um=row["t_600_um"],
                    recovery_percent=row["r_percent"],
                    rolling_coefficient=row["k_times_min"],
                    pressure_time_min=row["time_under_pressure_s"] / 60.0,
                    max_pressure_mpa=row["max_pressure_mpa"],
                    hot_min_c=row["hot_plate_min_c"],
                    hot_max_c=row["hot_plate_max_c"],
                    cold_end_c=row["exit_mean_temperature_c"],
                    pressure_released_between=released_between(
                        row["pressure_gap_s"], row["time_under_pressure_s"], machine
                    ),
                    entered_s=row["entry_time_ns"] * 1e-9,
                )
            )
        return rows

    def pieces(self) -> NDArray[np.void]:
        """What became of every piece of sheet that is film or scrap by now (the last 2048): rows of `rig.rolls.ROW`.

        Raises:
            UsageError: this press stands alone.
        """
        return self.rows_of(self.ended_pieces())

    def ended_pieces(self, number: int = 0) -> NDArray[np.void]:
        """Pieces of a line that have become film or scrap, from number `number` on; the line forgets its older ones.

        Raises:
            UsageError: there is no line around this press.
        """
        return self._line.ended(number)

    def rows_of(self, pieces: NDArray[np.void]) -> NDArray[np.void]:
        """Such pieces as rows of a roll map, with what their film is by now (`rig.rolls`).

        Raises:
            UsageError: there is no line around this press.
        """
        line = self._line
        return rows_of_line(pieces, line.film, line.conversion, sheet_length_m=PIECE_LENGTH_M)

    @property
    def _line(self) -> Line:
        if self.world.line is None:
            raise UsageError("this press has no line around it, so there is no film; open emu://line")
        return self.world.line

    # -- hands on the machine -------------------------------------------------------------------------

    def push_emergency_stop(self) -> None:
        """Push the button."""
        self.world.contacts.emergency_stop_pressed = True

    def release_emergency_stop(self) -> None:
        """Pull the button out again."""
        self.world.contacts.emergency_stop_pressed = False

    def open_guard(self) -> None:
        """Open a guard."""
        self.world.contacts.guard_open = True

    def close_guard(self) -> None:
        """Close all guards."""
        self.world.contacts.guard_open = False

    def cut_alarm_wire(self) -> None:
        """Break the hard wire from the heat controller's alarm relays to the I/O node.

        Raises:
            UsageError: this wiring has none.
        """
        self._alarm_wire(cut=True)

    def mend_alarm_wire(self) -> None:
        """Mend it.

        Raises:
            UsageError: this wiring has none.
        """
        self._alarm_wire(cut=False)

    def _alarm_wire(self, *, cut: bool) -> None:
        try:
            self.world.set_alarm_wire(cut=cut)
        except ConfigError as error:
            raise UsageError(str(error)) from None

    # -- bad luck -------------------------------------------------------------------------------------

    @property
    def disturbances(self) -> Mapping[str, Any]:
        """What can go wrong, and how it stands now; `disturb` changes it."""
        record = copy.copy(self.world.disturbances)
        record.vector = record.vector.copy()
        return {name: getattr(record, name) for name in record.names()}

    def disturb(self, **changes: Any) -> None:
        """Change physical quantities: `disturb(coolant_flow_scale=0.0)`; arrays take a number or a sequence.

        Raises:
            UsageError: no such quantity, or not a value that it can have; then nothing is changed.
        """
        try:
            self.world.disturbances.change(changes)
        except InputError as error:
            raise UsageError(f"disturbance: {error}") from error

    def calm(self) -> None:
        """End all disturbances."""
        self.world.disturbances.reset()

    # -- what goes wrong ------------------------------------------------------------------------------

    def inject(self, kind: str, **options: Any) -> int:
        """Let something go wrong: `inject("heater_lost", target="heat_1_upper")`, or on the line
        `inject("lost_bytes", amount=2, nth=3)` (docs/faults.md; `press-rig faults`).

        Returns:
            A number by which `withdraw` ends it.

        Raises:
            UsageError: no such fault, or an option that it cannot have.
        """
        try:
            return self.world.inject(fault_from(kind, options))
        except FaultError as error:
            raise UsageError(str(error)) from error

    def fault_targets(self, kind: str) -> tuple[str, ...]:
        """Places that a kind of fault can strike on this press; empty where it has none to choose."""
        return self.world.faults.targets(kind)

    def withdraw(self, number: int | None = None) -> None:
        """End one fault, or all of them; what they altered, held up or switched off comes back."""
        self.world.withdraw(number)

    @contextmanager
    def injected(self, kind: str, **options: Any) -> Iterator[int]:
        """A fault for the length of a block."""
        number = self.inject(kind, **options)
        try:
            yield number
        finally:
            self.withdraw(number)

    def fault_account(self) -> list[FaultAccount]:
        """What has become of everything that was injected: whether it showed, and whether it left something behind."""
        return self.world.fault_account()

    def acting_faults(self) -> list[ActingFault]:
        """Faults that have acted so far, as requirements are excused by them."""
        return [
            ActingFault(account.kind, account.target, round(account.begun_s * SECOND_NS), self._lies(account))
            for account in self.fault_account()
            if account.begun_s is not None
        ]

    def _lies(self, account: FaultAccount) -> frozenset[str]:
        """Readings that a fault makes lie, by tag."""
        kind = FAULT_KINDS[account.kind]
        struck = kind.get("targets")
        if struck not in SENSOR_SETS:
            # a sensor that sits off its place shows something else than what its tag says
            return frozenset({f"{account.target}_clearance_um"} if kind["group"] == "sensor" else ())
        if struck == "node" or account.target == ALL:
            return frozenset({EVERY_SENSOR})
        twin = partner_of(account.target, self.fault_targets(account.kind)) if struck == "pair of sensors" else None
        return frozenset({account.target} if twin is None else {account.target, twin})

    @property
    def line_counters(self) -> Mapping[str, int]:
        """What has happened on the line so far: frames, collisions, errors, frames that a fault has struck."""
        return dataclasses.asdict(self.world.bus.state.counters)

    @contextmanager
    def disturbed(self, **changes: Any) -> Iterator[None]:
        """Disturb for the length of a block."""
        self.disturb(**changes)
        try:
            yield
        finally:
            self.calm()


FAULT_KINDS = described_kinds()
"""Everything that can be injected, by name, as JSON has it."""


def check_fault(kind: str, options: Mapping[str, Any]) -> None:
    """Find out whether there is such a fault, without a press.

    Raises:
        UsageError: there is no such fault, or an option that it cannot have.
    """
    try:
        fault_from(kind, options)
    except FaultError as error:
        raise UsageError(str(error)) from error


# -- boards -----------------------------------------------------------------------------------------

Board = ChipMaster
BoardProgram = Program


def load_board(path: Path) -> BoardProgram:
    """The program of a board: an ELF file, or the folder `controller` of a tree of sources, which is built.

    Raises:
        UsageError: it cannot be built, read, or executed here.
    """
    try:
        program = Program(_built(path.resolve()) if path.is_dir() else path)
        make_board(program, b"")
    except (ConfigError, ValueError, OSError) as error:
        raise UsageError(str(error)) from error
    return program


def _built(folder: Path) -> Path:
    if folder.name != "controller":
        raise UsageError(
            f"{folder} is not called controller; give the folder controller of a tree laid out like firmware_stubs/"
        )
    return build("controller-lm3s6965", folder.parent, folder.parent.parent / "out" / "firmware")


def make_board(program: BoardProgram, recipe: bytes) -> Board:
    """A board without power, with a program that was loaded."""
    return ChipMaster(program, recipe)


def compile_press(machine: Machine, material: Material) -> None:
    """Compile the press model for all processes that come after."""
    Press(machine, material)


def settled_line(product: Product) -> Settled:
    """What the virtual line makes of a product when all of it has settled.

    Raises:
        ValueError: the line cannot make it at all; says why.
    """
    from emulator.line.settled import settle  # noqa: PLC0415 - few ask for it, and the stations take time to load

    return settle(product)


def fork_port(press: VirtualPress, port: serial.SerialBase, seed: int | None = None) -> serial.SerialBase:
    """A port that stands on a copy of a virtual press as this one stands on its own.

    Args:
        press: the press.
        port: the open port on it.
        seed: of the copy's random streams from now on; None for those of the press.

    Raises:
        UsageError: not a seed.
    """
    from emulator.ports.protocol_emu import Serial, port_on  # noqa: PLC0415 - pyserial loads it by name as well

    assert isinstance(port, Serial)
    try:
        return port_on(press.world.fork(seed), port.state)
    except ConfigError as error:
        raise UsageError(f"no fork: {error}") from error


def save(press: VirtualPress, port: serial.SerialBase, kept: Mapping[str, bytes]) -> bytes:
    """A snapshot of a virtual press and the port on it.

    Args:
        press: the press.
        port: the open port on it.
        kept: what else is to be kept, as `encode` writes it.
    """
    from emulator.ports.protocol_emu import Serial  # noqa: PLC0415

    assert isinstance(port, Serial)
    return press.world.snapshot({**kept, PORT: encode(port.state)})


def load(data: bytes) -> tuple[serial.SerialBase, Mapping[str, bytes]]:
    """The port of a snapshot, standing as it stood when it was saved, and what else was kept.

    Raises:
        UsageError: not such a snapshot.
    """
    from emulator.ports.protocol_emu import PortState, port_on  # noqa: PLC0415

    try:
        kept = extras_of(data)
        if PORT not in kept:
            raise SnapshotError("the snapshot is of a press alone, not of a bench")
        state = decode(kept[PORT], PortState)
        return port_on(World.restore(data), state), kept
    except (SnapshotError, StateTypeError) as error:
        raise UsageError(str(error)) from error


def decode(data: object, root: type[Kept]) -> Kept:
    """A state of this class from what `encode` wrote.

    Raises:
        UsageError: it is none.
    """
    try:
        value = codec.decode(data if isinstance(data, bytes) else b"", classes_of(root))
    except codec.CodecError as error:
        raise UsageError(f"the snapshot is malformed: {error}") from error
    if type(value) is not root:
        raise UsageError(f"the snapshot is malformed: {type(value).__name__} instead of {root.__name__}")
    return value


def store_on_shelf(name: str, *parts: bytes) -> None:
    """Keep bytes in the user's cache folder."""
    user_cache.store(name, seal(Kind.MOMENT, parts))


def read_shelf(name: str) -> tuple[bytes, bytes] | None:
    """Two pieces that were kept under this name, or None if there are none that are sound."""
    data = user_cache.load(name)
    if data is None:
        return None
    try:
        first, second = unseal(Kind.MOMENT, data, 2)
    except SnapshotError:
        return None
    return first, second


def read_snapshot(path: str | Path) -> bytes:
    """The contents of a snapshot's file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"snapshot {path} cannot be read: {error.strerror}") from error


@dataclasses.dataclass(frozen=True, slots=True)
class Serving:
    """Where and how fast a virtual press is served.

    Attributes:
        places: where masters come in.
        speed: press seconds per wall second.
        control: path of the control socket; `off` for none, None for one in the user's folder.
        baud_limit: whether bytes take their time on the line; if not, answers go out as soon as they are known.
    """

    places: Places = dataclasses.field(default_factory=Places)
    speed: float = 1.0
    control: str | None = None
    baud_limit: bool = True

    @property
    def control_path(self) -> Path | None:
        """Where the control socket is to be; None for nowhere."""
        if self.control is None:
            return default_control()
        return None if self.control == "off" else Path(self.control)

    def check(self) -> None:
        """Find out before a press is made, not after.

        Raises:
            UsageError: a place that is none, or `control` cannot be made.
            PortError: a place that is taken, or that this user may not use.
        """
        try:
            self.places.check()
            if self.control is not None and self.control_path is not None:
                check_control(self.control_path)
        except EndpointError as error:
            raise UsageError(str(error)) from error
        try:
            self.places.try_out()
        except EndpointError as error:
            raise PortError(str(error)) from error

    def check_node(self, node: str) -> None:
        """Find out whether a node can be served so.

        Args:
            node: name or path of its settings, or `firmware`.

        Raises:
            UsageError: it cannot.
        """
        if node == FIRMWARE and not self.baud_limit:
            raise UsageError(
                "--no-baud-limit does not go with the firmware: its chip sends at its baud rate; leave one of them out"
            )


def emulate(config: WorldConfig, serving: Serving, say: Callable[[str], object]) -> None:
    """Serve a virtual press to other programs until Ctrl-C.

    Args:
        config: what the press is made from.
        serving: where and how fast.
        say: prints a line.

    Raises:
        UsageError: a part of the press does not exist, or it cannot be served there.
        PortError: the endpoint cannot be opened.
    """
    serving.check()
    serving.check_node(config.node)
    say(f"making a {config.start} press ({config.machine}, {config.material}, recipe {config.recipe}) ...")
    if COMPILE_NOTE:
        say(COMPILE_NOTE)
    try:
        world = World(config)
    except ValueError as error:
        raise UsageError(str(error)) from error
    _serve(world, serving, say)


def resume(path: Path, serving: Serving, say: Callable[[str], object]) -> None:
    """Serve the virtual press of a snapshot until Ctrl-C, from the moment on that it holds.

    Args:
        path: the snapshot's file.
        serving: as for `emulate`.
        say: prints a line.

    Raises:
        UsageError: not a snapshot that can be opened here, or it cannot be served there.
        PortError: the endpoint cannot be opened.
    """
    serving.check()
    if COMPILE_NOTE:
        say(COMPILE_NOTE)
    data = read_snapshot(path)
    try:
        about, world = describe(data), World.restore(data)
        # whoever was at the other end has gone
        world.bus.forget_master()
        for line in about_snapshot(world, about):
            say(line)
    except SnapshotError as error:
        raise UsageError(f"{path}: {error}") from error
    serving.check_node(world.config.node)
    _serve(world, serving, say)


def about_snapshot(world: World, about: Description) -> Iterator[str]:
    """What people want to know of a snapshot, line by line."""
    config, bank = about.config, world.node.bank
    minutes, seconds = divmod(world.now_ns * 1e-9, 60.0)
    yield f"press time   {minutes:.0f} min {seconds:.1f} s since its {config['start']} start, seed {config['seed']}"
    yield f"made from    machine {config['machine']}, gel {config['material']}, recipe {config['recipe']}"
    alarms = bank["alarm_word"]
    shown = f", alarms: {', '.join(sorted(alarms))}" if isinstance(alarms, frozenset) and alarms else ", no alarm"
    yield f"node         {bank['mode']}{shown}"
    try:
        notes = codec.decode(about.extras.get(NOTES, b"N"))
    except (codec.CodecError, TypeError):
        notes = None
    for key, value in notes.items() if isinstance(notes, dict) else ():
        yield f"{key!s:<12} {value}"
    if not about.same_sources:
        yield f"written by another press model (press-rig {about.package}): it opens, but may not go on bit for bit"


def _serve(world: World, serving: Serving, say: Callable[[str], object]) -> None:
    """Serve a world until Ctrl-C."""
    path = serving.control_path

    try:
        with open_endpoints(serving.places, world.node.unit) as endpoints, open_control(path) as control:

            def announce() -> None:
                units = ", ".join(f"unit {node.address} {name}" for name, node in world.registers.nodes.items())
                faster = f", {serving.speed:g} times as fast as real" if serving.speed != 1.0 else ""
                for endpoint in endpoints:
                    say(f"press on {endpoint.url}{faster}; {endpoint.speaks}, {units}. Ctrl-C ends.")
                if not serving.baud_limit:
                    say("no baud limit: answers go out as soon as they are known, which no serial line does")
                if path is not None:
                    say(f"control socket {path} (press-rig inject, state, time; docs/control.md)")
                elif serving.control is None:
                    say("no control socket: there is no folder for it; --control PATH makes one elsewhere")

            counters = main_loop(world, endpoints, serving.speed, announce, control, baud_limit=serving.baud_limit)
    except EndpointError as error:
        raise PortError(str(error)) from error
    say(
        f"ended after {world.now_ns * 1e-9:.1f} s of press time: {counters.received_bytes} bytes received, "
        f"{counters.sent_bytes} sent"
    )
    if counters.slipped_ns:
        say(f"this machine was too slow for the speed asked for: press time lags {counters.slipped_ns * 1e-9:.1f} s")
