"""Where a press starts from: cold, warm without sheet, or running full of sheet.

Warm and running states are computed, not assumed: the press is driven by its own
kernel with a tight temperature control until the belts carry their loop memory
and, for running, until sheet lies from the entry to the end of the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from emulator.press.commands import Commands
from emulator.press.constants import ENTRY_DRUM, FIRST_ZONE, LEAD_IN, TICK_NS, section_ends
from emulator.press.machine import Machine
from emulator.press.state import PressState

if TYPE_CHECKING:
    from emulator.press.press import Press

CONTROL_NS: Final = 10 * TICK_NS


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What the press is to hold; the defaults are the reference case of docs/model.md."""

    heat_temperature_k: tuple[float, float, float, float] = (388.15, 388.15, 388.15, 388.15)
    entry_drum_temperature_k: float = 388.15
    cold_temperature_k: float = 288.15
    entry_clearance_m: float = 3.2e-3
    taper_clearance_m: float = 0.6e-3
    cold_clearance_m: float = 0.6e-3
    speed_m_s: float = 1.0 / 60.0
    tension_n_m: float = 72e3
    coolant_flow_fraction: float = 1.0
    feed_thickness_m: float = 3.0e-3
    feed_temperature_k: float = 298.15

    @classmethod
    def at(cls, heat_c: float = 115.0, cold_c: float = 15.0, speed_m_min: float = 1.0) -> OperatingPoint:
        """The reference case at other temperatures and another speed, in engineering units."""
        heat = heat_c + 273.15
        return cls(
            heat_temperature_k=(heat, heat, heat, heat),
            entry_drum_temperature_k=heat,
            cold_temperature_k=cold_c + 273.15,
            speed_m_s=speed_m_min / 60.0,
        )

    def plate_targets(self) -> NDArray[np.float64]:
        """Temperatures of the twelve plates in K."""
        heat = np.repeat(self.heat_temperature_k, 2)
        return np.concatenate([heat, np.full(4, self.cold_temperature_k)])

    def clearances(self) -> NDArray[np.float64]:
        """Set points of the six actuators in m."""
        return np.repeat([self.entry_clearance_m, self.taper_clearance_m, self.cold_clearance_m], 2)

    def commands(self, feed: bool) -> Commands:
        """Everything on at this point; heater outputs are left to a controller."""
        return Commands(
            clearance_setpoint_m=self.clearances(),
            speed_setpoint_m_s=np.full(2, self.speed_m_s),
            drives_on=np.ones(2),
            tension_setpoint_n_m=self.tension_n_m,
            tension_on=True,
            hydraulics_on=True,
            coolant_flow_fraction=self.coolant_flow_fraction,
            feed=feed,
            feed_thickness_m=self.feed_thickness_m,
            feed_temperature_k=self.feed_temperature_k,
        )


class Thermostat:
    """Tight temperature control with perfect sensors, within the power there is."""

    GAIN_S: Final = 5.0  # proportional: an error is made good in this time
    RESET_S: Final = 20.0

    def __init__(self, press: Press, point: OperatingPoint) -> None:
        c = press.machine_constants
        head = max(point.cold_temperature_k - c.T_coolant, 0.5)
        full = np.concatenate([np.full(8, c.P_plate), np.full(4, c.UA_coolant * head), np.full(2, c.P_drum)])
        capacity = np.concatenate([np.full(8, c.C_plate), np.full(4, c.C_cold), np.full(2, c.C_drum)])
        sense = np.concatenate([np.ones(8), -np.ones(4), np.ones(2)])
        self.press = press
        self.targets = np.concatenate([point.plate_targets(), np.full(2, point.entry_drum_temperature_k)])
        self.gain = sense * capacity / full / self.GAIN_S
        self.integral = np.zeros(14)

    def regulate(self, commands: Commands, seconds: float) -> None:
        """Set the outputs of plates and entry drums from their true temperatures."""
        plant = self.press.state.plant
        error = self.targets - np.concatenate([plant.plate_T, plant.drum_T[:2]])
        output = self.gain * error + self.integral
        clipped = np.clip(output, 0.0, 1.0)
        self.integral += np.where(output == clipped, self.gain * error * seconds / self.RESET_S, 0.0)
        commands.zone_output[:] = clipped[:12]
        commands.drum_output[:] = clipped[12:]


def run(press: Press, point: OperatingPoint, seconds: float, feed: bool = True) -> Commands:
    """Run a press at a point under a thermostat; returns the commands at the end."""
    commands = point.commands(feed)
    thermostat = Thermostat(press, point)
    for _ in range(round(seconds * 1e9 / CONTROL_NS)):
        thermostat.regulate(commands, CONTROL_NS * 1e-9)
        press.advance(CONTROL_NS, commands)
    return commands


def warm_up(press: Press, point: OperatingPoint) -> Commands:
    """Bring a press without sheet to a running state at the point, belts in their loop balance."""
    guess(press, point)
    loop = press.machine.belt_loop_m / max(point.speed_m_s, 1e-3)
    return run(press, point, 1.5 * loop + 600.0, feed=False)


def fill(press: Press, point: OperatingPoint) -> Commands:
    """Run a warm press until sheet lies from the entry to the end of the table, and one loop more."""
    table = press.machine.press_length_m + press.machine.sheet.runout_length_mm * 1e-3
    return run(press, point, 1.02 * max(table, press.machine.belt_loop_m) / point.speed_m_s)


def guess(press: Press, point: OperatingPoint) -> None:
    """A first guess of the warm state; what is wrong with it dies away in the run that follows."""
    plant, progress = press.state.plant, press.state.progress
    plant.plate_T[:] = point.plate_targets()
    plant.drum_T[:2] = point.entry_drum_temperature_k
    plant.drum_T[2:] = point.cold_temperature_k
    plant.coolant[0] = point.coolant_flow_fraction
    plant.clearance[:] = point.clearances()
    progress.stepped_clearance[:] = point.clearances()[::2]
    plant.tension[:] = point.tension_n_m
    plant.hydraulic_pressure[0] = press.machine_constants.pressure
    plant.speed[:] = point.speed_m_s
    plant.speed_ramp[:] = point.speed_m_s
    press.state.belt_T[:] = _belt_guess(press.machine, point)


def _belt_guess(machine: Machine, point: OperatingPoint) -> NDArray[np.float64]:
    places = np.arange(machine.belt_node_count) * machine.belt_loop_m / machine.belt_node_count
    codes = np.searchsorted(section_ends(machine), places, side="right")
    hot = (codes < FIRST_ZONE + 4) | (codes == ENTRY_DRUM) | (codes == LEAD_IN)
    return np.where(hot, point.heat_temperature_k[0], point.cold_temperature_k)


def begin_now(state: PressState) -> None:
    """Make the present the start of time: clock, travel, energy and mass count from here.

    Times of sheet already in the press become negative; finished sheet stays on record.
    """
    now = int(state.progress.tick[0]) * TICK_NS
    state.progress.tick[0] = 0
    for times in (state.sheet.entry_ns, state.sheet.exit_ns, state.sheet.updated_ns):
        times[:] = times - now
    state.record.film_ids[:, 1:] -= now
    state.plant.belt_travel[:] = 0.0
    state.record.energy[:] = 0.0
    state.record.mass[:] = 0.0
