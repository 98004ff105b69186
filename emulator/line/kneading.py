"""Kneading: feeders, screws and barrel make melt of polyolefin, elastomer and solvent, and press it through the die.

Residence times: a plug and tanks in a row, the usual picture of a twin screw (a delay, then a rise and a tail).
Mass is a flow of portions: what comes in pushes as much out, component by component, so balances close to rounding.
Heat: one temperature for all melt. Flow: a power law in shear with Arrhenius and solids factors.
docs/model.md, kneading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emulator.inputs import Array, Inputs, Number, Switch
from emulator.line.definition import COMPONENTS, Extruder
from emulator.line.lag import lagged
from emulator.material.constants import GAS_CONSTANT
from emulator.random import normal, stream_key
from emulator.units import KELVIN

__all__ = ["Kneader", "KneaderCommands", "KneaderDisturbances", "KneaderState", "Melted"]

Floats = NDArray[np.float64]
N = len(COMPONENTS)
POLYOLEFIN, ELASTOMER, SOLVENT, ANTIOXIDANT = range(N)

AMBIENT_K = 298.15
CRYSTAL_HEAT_J_KG = 0.53 * 293e3
"""Heat that the polyolefin's crystals take up: crystallinity x heat of fusion [S26, S29]."""
MELT_DENSITY_KG_M3 = 780.0
"""Gel of 20 % solids at 190 °C: 877 (1 - 7e-4 x 165) [C]."""
MELT_HEAT_CAPACITY_J_KGK = 2500.0
"""Of the melt between 25 and 190 °C, without the melting peak [C]."""
INTEGRAL_TIME_S = 120.0
"""Of the barrel's temperature controller [E]."""
SLUGS = 40
"""Portions that the plug is kept as; more would only blur less what the tanks blur anyway."""


class KneaderCommands(Inputs):
    """What the extruder is told."""

    __slots__ = ()
    COUNT = 7

    delivery_kg_s = Array(0, N)
    """Set points of the feeders, in the order of `COMPONENTS`."""
    screw_rad_s = Number(4)
    barrel_k = Number(5, neutral=AMBIENT_K)
    run = Switch(6)
    """Feeders and screws; without it they stop."""


class KneaderDisturbances(Inputs):
    """Things that go wrong, as physical quantities."""

    __slots__ = ()
    COUNT = 2 * N + 2

    feeder_scale = Array(0, N, neutral=1.0, within=(0.0, 3.0))
    """Part of the set point that a feeder delivers: 0 where a bridge has formed in the hopper."""
    feeder_ripple_scale = Array(N, N, neutral=1.0, within=(0.0, 50.0))
    heater_scale = Number(2 * N, neutral=1.0, within=(0.0, 2.0))
    viscosity_scale = Number(2 * N + 1, neutral=1.0, within=(0.1, 10.0))
    """Another lot of resin: longer or shorter chains."""


@dataclass(slots=True)
class KneaderState:
    """All that makes the extruder's future.

    Attributes:
        commands, disturbances: what it is told, and what goes wrong.
        delivery_kg_s: what the feeders deliver, shape (4,).
        screw_rad_s: speed of the screws.
        overloaded: the coupling has let go; it closes again when `run` is taken away.
        burst: the burst disc at the die has gone: melt runs to the floor until it is replaced.
        barrel_k: temperature of the barrel.
        heater_integral_w: of its controller.
        melt_k: temperature of the melt.
        slugs_kg: portions of the plug, the oldest first, each with its masses by component, shape (n, 4).
        tanks_kg: melt in the mixing tanks, shape (tanks, 4).
        fed_kg, left_kg, spilt_kg: by component since the start, shape (4,): into the hoppers' mouths, out of
            the die, to the floor.
        draws: of the ripple's random stream.
    """

    delivery_kg_s: Floats
    screw_rad_s: float
    overloaded: bool
    burst: bool
    barrel_k: float
    heater_integral_w: float
    melt_k: float
    slugs_kg: Floats
    tanks_kg: Floats
    fed_kg: Floats = field(default_factory=lambda: np.zeros(N))
    left_kg: Floats = field(default_factory=lambda: np.zeros(N))
    spilt_kg: Floats = field(default_factory=lambda: np.zeros(N))
    draws: int = 0
    commands: KneaderCommands = field(default_factory=KneaderCommands)
    disturbances: KneaderDisturbances = field(default_factory=KneaderDisturbances)


@dataclass(frozen=True, slots=True)
class Melted:
    """What came out of the die in a step.

    Attributes:
        mass_kg: by component, shape (4,).
        temperature_k: of it.
        mixing: degree of mixing, 0 … 1: no lumps, all crystals dissolved.
    """

    mass_kg: Floats
    temperature_k: float
    mixing: float


class Kneader:
    """The extruder of a line.

    Args:
        definition: its numbers.
        seed: of the world.
        state: where it stands; cold and empty without one.
    """

    def __init__(self, definition: Extruder, seed: int = 0, state: KneaderState | None = None) -> None:
        self.definition = definition
        self._melt: tuple[float, float] | None = None
        self._stepping = False
        self._keys = [stream_key(seed, f"feeder_{name}") for name in COMPONENTS]
        self.state = state or empty(definition)
        self.commands, self.disturbances = self.state.commands, self.state.disturbances

    # -- truth ---------------------------------------------------------------------------------------

    @property
    def held_kg(self) -> Floats:
        """Melt in the extruder by component, shape (4,)."""
        held: Floats = self.state.slugs_kg.sum(axis=0) + self.state.tanks_kg.sum(axis=0)
        return held

    @property
    def _melt_kg(self) -> tuple[float, float]:
        """All melt, and solids in it."""
        if self._melt is None:
            held = self.held_kg.tolist()
            melt = sum(held), held[POLYOLEFIN] + held[ELASTOMER]
            if not self._stepping:
                return melt
            self._melt = melt
        return self._melt

    @property
    def solids_fraction(self) -> float:
        """Polyolefin and elastomer in the melt, kg/kg; that of the reference while there is none."""
        total, solids = self._melt_kg
        return solids / total if total > 0.0 else self.definition.melt.reference_solids_fraction

    @property
    def shear_rate_s(self) -> float:
        """Mean shear rate in the channels, 1/s: circumferential speed over depth."""
        screw = self.definition.screw
        return 0.5 * screw.diameter_mm / screw.channel_depth_mm * self.state.screw_rad_s

    @property
    def power_w(self) -> float:
        """Power that the screws put into the melt."""
        volume_m3 = self._melt_kg[0] / MELT_DENSITY_KG_M3
        return self._stress_pa(self.shear_rate_s) * self.shear_rate_s * volume_m3

    @property
    def torque_nm(self) -> float:
        """At the screws."""
        return self.power_w / self.state.screw_rad_s if self.state.screw_rad_s > 1e-6 else 0.0

    def die_pressure_pa(self, flow_kg_s: float) -> float:
        """Pressure before the die at this throughput: a power-law fluid in a slit."""
        die, index = self.definition.die, self.definition.melt.flow_index
        gap_m = die.gap_mm * 1e-3
        flow_m3_s = flow_kg_s / MELT_DENSITY_KG_M3
        wall_rate = 2.0 * (2.0 + 1.0 / index) * flow_m3_s / (die.width_mm * 1e-3 * gap_m**2)
        return 2.0 * die.land_mm * 1e-3 / gap_m * self._stress_pa(wall_rate)

    def mixing(self, flow_kg_s: float) -> float:
        """Degree of mixing at this throughput, 0 … 1."""
        screw = self.definition.screw
        exponent = (self.state.melt_k - KELVIN - screw.dissolving_temperature_c) / screw.dissolving_width_k
        dissolved = 1.0 / (1.0 + math.exp(-max(min(exponent, 50.0), -50.0)))
        if flow_kg_s <= 0.0:
            return dissolved
        strain = self.shear_rate_s * self._melt_kg[0] / flow_kg_s
        return (1.0 - math.exp(-strain / screw.strain_to_mix)) * dissolved

    def _stress_pa(self, shear_rate_s: float) -> float:
        melt = self.definition.melt
        if shear_rate_s <= 0.0:
            return 0.0
        inverse_k = 1.0 / self.state.melt_k - 1.0 / (melt.reference_temperature_c + KELVIN)
        consistency = (
            melt.consistency_pa_s
            * self.disturbances.viscosity_scale
            * (self.solids_fraction / melt.reference_solids_fraction) ** melt.solids_exponent
            * math.exp(min(melt.activation_energy_kj_mol * 1e3 / GAS_CONSTANT * inverse_k, 50.0))
        )
        return float(consistency * shear_rate_s**melt.flow_index)

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units."""
        self._stepping = True  # nothing moves while it is read, so the melt is summed up once
        try:
            return self._signals()
        finally:
            self._stepping, self._melt = False, None

    def _signals(self) -> dict[str, float]:
        state = self.state
        flow_kg_s = float(state.delivery_kg_s.sum())
        delivery = {f"{name}_kg_s": float(rate) for name, rate in zip(COMPONENTS, state.delivery_kg_s, strict=True)}
        return delivery | {
            "screw_rad_s": state.screw_rad_s,
            "torque_nm": self.torque_nm,
            "barrel_k": state.barrel_k,
            "melt_k": state.melt_k,
            "die_pressure_pa": self.die_pressure_pa(flow_kg_s),
            "mixing": self.mixing(flow_kg_s),
            "overloaded": float(state.overloaded),
            "burst": float(state.burst),
        }

    # -- a step --------------------------------------------------------------------------------------

    def step(self, dt_s: float) -> Melted:
        """Go on by dt; returns what came out of the die."""
        state = self.state
        running = self.commands.run and not state.overloaded
        if not self.commands.run:
            state.overloaded = False
        self._turn(dt_s, running)
        fed_kg = self._feed(dt_s, running)
        state.fed_kg += fed_kg
        out_kg = self._through_tanks(self._through_plug(fed_kg))
        flow_kg_s = float(out_kg.sum()) / dt_s
        self._stepping = True  # from here on in the step the melt stays what it is
        self._heat(dt_s, flow_kg_s)
        state.overloaded = state.overloaded or self.torque_nm > self.definition.screw.torque_limit_nm
        state.burst = state.burst or self.die_pressure_pa(flow_kg_s) > self.definition.die.pressure_limit_mpa * 1e6
        if state.burst:
            state.spilt_kg += out_kg
            out_kg = np.zeros(N)
        state.left_kg += out_kg
        melted = Melted(out_kg, state.melt_k, self.mixing(flow_kg_s))
        self._stepping, self._melt = False, None
        return melted

    def _turn(self, dt_s: float, running: bool) -> None:
        screw = self.definition.screw
        fastest = screw.fastest_rpm * math.tau / 60.0
        target = min(max(self.commands.screw_rad_s, 0.0), fastest) if running else 0.0
        self.state.screw_rad_s += (target - self.state.screw_rad_s) * -math.expm1(-dt_s / screw.spin_up_s)
        if self.state.screw_rad_s < 1e-6:
            self.state.screw_rad_s = 0.0

    def _feed(self, dt_s: float, running: bool) -> Floats:
        """What the feeders deliver in dt, by component, kg; without turning screws nothing goes in."""
        state, feeders = self.state, self.definition.feeders
        turning = running and state.screw_rad_s > 0.0
        told, delivered = self.commands.delivery_kg_s.tolist(), state.delivery_kg_s.tolist()
        scale, rippling = (
            array.tolist() for array in (self.disturbances.feeder_scale, self.disturbances.feeder_ripple_scale)
        )
        fed = [0.0] * N
        per_root = 1.0 / math.sqrt(dt_s)  # of white noise over one second, over dt
        for i, key in enumerate(self._keys):
            target = min(max(told[i], 0.0), feeders.capacity_kg_h[i] / 3600.0) * scale[i] if turning else 0.0
            delivered[i], mean = lagged(delivered[i], target, dt_s, feeders.lag_s[i])
            if turning:
                ripple = feeders.ripple_fraction[i] * rippling[i] * per_root
                fed[i] = max(mean * (1.0 + ripple * float(normal(key, state.draws))), 0.0) * dt_s
        state.delivery_kg_s[:] = delivered
        state.draws += 1
        return np.array(fed)

    def _through_plug(self, fed_kg: Floats) -> Floats:
        """The plug takes a portion in, and gives at its other end what is too much for it."""
        state, screw = self.state, self.definition.screw
        slugs = state.slugs_kg
        if float(fed_kg.sum()) > 0.0:
            if len(slugs) and float(slugs[-1].sum()) < screw.plug_mass_kg / SLUGS:
                slugs[-1] += fed_kg
            else:
                longer = np.empty((len(slugs) + 1, N))
                longer[:-1], longer[-1] = slugs, fed_kg
                slugs = longer
        excess = float(slugs.sum()) - screw.plug_mass_kg
        out = np.zeros(N)
        gone = 0
        while excess > 0.0:
            first = float(slugs[gone].sum())
            if first <= excess:
                out += slugs[gone]
                gone += 1
                excess -= first
            else:
                taken = slugs[gone] * (excess / first)
                out += taken
                slugs[gone] -= taken
                break
        state.slugs_kg = slugs[gone:]
        return out

    def _through_tanks(self, arriving_kg: Floats) -> Floats:
        """Each tank fills up, and then passes on as much as it gets, mixed with what it holds."""
        full = self.definition.screw.tank_mass_kg
        tanks: list[list[float]] = self.state.tanks_kg.tolist()  # numbers by themselves: arrays of four take longer
        flow: list[float] = arriving_kg.tolist()
        for number, tank in enumerate(tanks):
            arriving = sum(flow)
            if arriving <= 0.0:
                flow = [0.0] * N
                break
            filling = min(max(full - sum(tank), 0.0), arriving) / arriving
            held = [there + comes * filling for there, comes in zip(tank, flow, strict=True)]
            flowing = [comes * (1.0 - filling) for comes in flow]
            through = sum(flowing)
            if through <= 1e-12 * full:
                # too little to tell from rounding: it stays here
                tanks[number] = [there + comes for there, comes in zip(held, flowing, strict=True)]
                flow = [0.0] * N
                break
            stays, comes_to_stay = math.exp(-through / full), -(full / through) * math.expm1(-through / full)
            tanks[number] = [h * stays + f * comes_to_stay for h, f in zip(held, flowing, strict=True)]
            flow = [h + f - m for h, f, m in zip(held, flowing, tanks[number], strict=True)]
        self.state.tanks_kg[:] = tanks
        return np.array(flow)

    def _heat(self, dt_s: float, flow_kg_s: float) -> None:
        state, barrel = self.state, self.definition.barrel
        held_kg = self._melt_kg[0]
        if held_kg > 0.0:
            flow_w_k = flow_kg_s * MELT_HEAT_CAPACITY_J_KGK
            resin = self.solids_fraction
            gain_w = (
                flow_w_k * AMBIENT_K
                - flow_kg_s * resin * CRYSTAL_HEAT_J_KG
                + barrel.conductance_w_k * state.barrel_k
                + self.power_w
            )
            loss_w_k = flow_w_k + barrel.conductance_w_k
            final_k = gain_w / loss_w_k
            moved = -math.expm1(-dt_s * loss_w_k / (held_kg * MELT_HEAT_CAPACITY_J_KGK))
            to_melt_w = barrel.conductance_w_k * (state.barrel_k - state.melt_k)
            state.melt_k += (final_k - state.melt_k) * moved
        else:
            to_melt_w = 0.0
            state.melt_k = state.barrel_k
        most_w = barrel.heater_power_kw * 1e3
        error_k = self.commands.barrel_k - state.barrel_k
        wanted_w = barrel.gain_w_k * error_k + state.heater_integral_w
        heater_w = min(max(wanted_w, 0.0), most_w)
        if heater_w == wanted_w:  # no windup at the ends
            state.heater_integral_w += barrel.gain_w_k * error_k * dt_s / INTEGRAL_TIME_S
        lost_w = barrel.ambient_loss_w_k * (state.barrel_k - AMBIENT_K)
        heater_w *= self.disturbances.heater_scale
        state.barrel_k += (heater_w - to_melt_w - lost_w) * dt_s / (barrel.heat_capacity_kj_k * 1e3)


def empty(definition: Extruder) -> KneaderState:
    """An extruder that is cold and empty."""
    return KneaderState(
        delivery_kg_s=np.zeros(N),
        screw_rad_s=0.0,
        overloaded=False,
        burst=False,
        barrel_k=AMBIENT_K,
        heater_integral_w=0.0,
        melt_k=AMBIENT_K,
        slugs_kg=np.zeros((0, N)),
        tanks_kg=np.zeros((definition.screw.mixing_tanks, N)),
    )
