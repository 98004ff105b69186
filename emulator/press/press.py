"""The virtual press: machine, material and state, advanced by a compiled kernel."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.definition import Material
from emulator.pointer import Call
from emulator.press.commands import COMMAND_COUNT, INPUT_COUNT, Commands, Disturbances
from emulator.press.compiled import advance_address, kernel_constants
from emulator.press.constants import TICK_NS, MachineConstants
from emulator.press.machine import Machine
from emulator.press.parcel import work
from emulator.press.release import measure_shelf
from emulator.press.signals import SIGNALS
from emulator.press.start import OperatingPoint, begin_now, fill, warm_up
from emulator.press.state import FILM_COLUMNS, FILM_IDS, LEDGER, PressState, blank
from emulator.state import copied

_UNDISTURBED: Final = Disturbances()
TICKS: Final = 1
"""Place of the number of ticks in the table of `Press.call`."""


class Press:
    """A press with its sheet. `state` is all there is to it; `signals` is derived from it.

    `advance` moves time in multiples of the 10 ms grid; how the caller slices it
    changes nothing. A state copied with `state.copy()` and given back to another
    press of the same machine and material continues bit for bit.

    Attributes:
        inputs: commands and disturbances as the kernel reads them.
        call: of the kernel; `TICKS` in its table says how far.
    """

    def __init__(self, machine: Machine, material: Material, state: PressState | None = None) -> None:
        self.machine = machine
        self.material = material
        self._machines, self._materials = kernel_constants(machine, material)
        self.state = cold_state(machine) if state is None else state
        self.signals: NDArray[np.float64] = np.zeros(len(SIGNALS))
        self.holding = Commands()
        self._connect()
        self.refresh()

    @classmethod
    def cold(cls, machine: Machine, material: Material) -> Self:
        """A press at rest at ambient temperature, wide open."""
        return cls(machine, material)

    @classmethod
    def warm(cls, machine: Machine, material: Material, point: OperatingPoint) -> Self:
        """A press running at a point without sheet, its belts in balance over the whole loop."""
        press = cls(machine, material)
        press.holding = warm_up(press, point)
        begin_now(press.state)
        press.refresh()
        return press

    @classmethod
    def running(cls, machine: Machine, material: Material, point: OperatingPoint) -> Self:
        """A press running at a point with sheet from the entry to the end of the table."""
        press = cls(machine, material)
        warm_up(press, point)
        press.holding = fill(press, point)
        begin_now(press.state)
        press.refresh()
        return press

    @property
    def kernel_constants(self) -> tuple[Sequence[MachineConstants], Sequence[MaterialConstants]]:
        """SI numbers of machine and material, each as an array of one record."""
        return self._machines, self._materials

    @property
    def machine_constants(self) -> MachineConstants:
        """SI numbers of the machine."""
        return self._machines[0]

    @property
    def material_constants(self) -> MaterialConstants:
        """SI numbers and tables of the material."""
        return self._materials[0]

    @property
    def time_ns(self) -> int:
        """Time of this press since its state began."""
        return int(self.state.progress.tick[0]) * TICK_NS

    def advance(self, duration_ns: int, commands: Commands, disturbances: Disturbances = _UNDISTURBED) -> None:
        """Move time on under constant commands, and refresh `signals`."""
        ticks, rest = divmod(duration_ns, TICK_NS)
        if rest or ticks < 0:
            raise ValueError(f"the press advances in multiples of {TICK_NS} ns, not by {duration_ns} ns")
        self._commanded[:] = commands.vector
        self._disturbed[:] = disturbances.vector
        self._advance(ticks)

    def _advance(self, ticks: int) -> None:
        self.call.table[TICKS] = ticks
        self.call()

    def refresh(self) -> None:
        """Bring `signals` in line with `state`, after the state was replaced or changed from outside."""
        self._advance(0)

    def _connect(self) -> None:
        """Gather what the kernel works on: the arrays of the state, and scratch."""
        parcels, strains, plant, belt_T, progress, record = self.state.memory
        layers, nodes = self.machine.numerics.layer_count, self.machine.belt_node_count
        machines: Any = self._machines
        materials: Any = self._materials
        scratch: Any = work(layers)
        self.inputs = np.zeros(INPUT_COUNT)
        self._commanded, self._disturbed = self.inputs[:COMMAND_COUNT], self.inputs[COMMAND_COUNT:]
        self.call = Call(
            advance_address(layers, machines.dtype, materials.dtype),
            0,
            parcels,
            len(parcels),
            strains,
            plant,
            belt_T,
            np.zeros((2, nodes)),
            np.zeros(nodes),
            nodes,
            progress,
            record,
            self.inputs,
            machines,
            materials,
            scratch,
            self.signals,
        )

    def with_state(self, state: PressState, signals: NDArray[np.float64]) -> Press:
        """Another press of this machine and material around a state, which becomes its own.

        `signals` belong to the state: they also tell what was last commanded.
        """
        other = copy.copy(self)
        other.state = state
        other.signals = signals
        other.holding = copied(self.holding)
        other._connect()
        other.inputs[:] = self.inputs
        return other

    def restore(self, state: PressState) -> None:
        """Take over a copy of another state of the same machine."""
        self.state.assign(state)
        self.refresh()

    def film(self, since: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Truth about the finished sheet from number `since` on, the oldest kept first: `FILM_IDS` and `FILM_COLUMNS`.

        Parcels that still wait for the laboratory are measured for the answer alone: asking changes nothing.
        """
        state, record = self.state, self.state.record
        done, capacity = int(record.film_count[0]), record.film.shape[0]
        slots = np.arange(max(since, done - capacity, 0), done) % capacity
        film: NDArray[np.float64] = record.film[slots]
        if min(state.waiting, len(film)) > 0:
            rows = record.film[np.arange(done - state.waiting, done) % capacity]
            parcels, strains = state.memory[:2]
            scratch = work(self.machine.numerics.layer_count)
            measure_shelf(parcels, strains, rows, self._machines, self._materials, scratch)
            shown = min(state.waiting, len(film))
            film[-shown:] = rows[-shown:]
        return record.film_ids[slots], film

    def last_film(self) -> dict[str, float]:
        """Truth about the parcel released last, by column name; empty before the first."""
        done = int(self.state.record.film_count[0])
        if done == 0:
            return {}
        ids, film = self.film(done - 1)
        return {
            **dict(zip(FILM_IDS, ids[0].tolist(), strict=True)),
            **dict(zip(FILM_COLUMNS, film[0].tolist(), strict=True)),
        }

    def ledger(self) -> dict[str, float]:
        """Cumulative energy terms in J, by name."""
        return dict(zip(LEDGER, self.state.record.energy.tolist(), strict=True))

    def stored_energy_j(self) -> float:
        """Heat in sheet, belts, plates and drums above 25 degC; the ledger accounts for its changes."""
        c, state = self.machine_constants, self.state
        head, count = int(state.progress.ring[0]), int(state.progress.ring[1])
        slots = (head + np.arange(count)) % state.sheet.x.size
        sheet = float(state.sheet.mass[slots] @ state.sheet.H[slots].mean(axis=1))
        plates = state.plant.plate_T - 298.15
        return (
            sheet
            + c.C_node * float((state.belt_T - 298.15).sum())
            + c.C_plate * float(plates[:8].sum())
            + c.C_cold * float(plates[8:].sum())
            + c.C_drum * float((state.plant.drum_T - 298.15).sum())
        )


def cold_state(machine: Machine) -> PressState:
    """Everything at ambient temperature, press open, nothing moving."""
    ambient_k = machine.ambient.temperature_c + 273.15
    state = blank(machine.parcel_capacity, machine.numerics.layer_count, machine.belt_node_count, ambient_k)
    opened = machine.hydraulics.clearance_max_mm * 1e-3
    state.plant.clearance[:] = opened
    state.progress.stepped_clearance[:] = opened
    state.plant.coolant[1] = machine.coolant.supply_temperature_c + 273.15
    return state
