"""A parcel of sheet through the press by a stiff ODE solver: the independent solution.

Written from the equations of docs/model.md alone; nothing of the emulator is imported. State: the layer
temperatures across the whole thickness, then for every strained body the nine arm strains, the network strain
and the Hencky strain. There is one such body (common strain, mean temperature), or one per layer where the
layers carry their own strain under equal stress.

Contact is kept in rate form. While the belts press, the time derivative of

    sigma = (h - g(x)) / (2 C(x)),   x = v t,   h = sum h_j

gives d sigma/dt, and with it every deps_j/dt; without contact, and where the press gives way at its design
pressure, d sigma/dt is zero. Contact begins, ends and is capped at roots at which both forms agree, so the solver
is stopped there and restarted and nothing needs smoothing. What does jump is solved at constant relaxation: a
sheet thicker than the first gap is compressed, and a sheet at the exit let go. `Outcome.contact_residual_pa` says
how far the rate form has drifted from the contact condition.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import PPoly
from scipy.optimize import brentq

from tests.oracles.parameters import BOLTZMANN, GAS, Floats, Gel, Rollers

ARMS = 9
LAYERS = 11
COUNTS_AS_PRESSURE = 1e3
GOLDEN_SECTION = 0.381966

Mode = Literal["loose", "pressed", "capped"]
Along = Callable[[float], float]
Rates = Callable[[float, Floats], Floats]


def along(curve: PPoly) -> Along:
    """A piecewise polynomial of SciPy's for numbers one by one, with which its own call takes ten times as long."""
    starts, ends, pieces = curve.x[:-1].tolist(), curve.x[1:-1].tolist(), curve.c.T.tolist()

    def at(x: float) -> float:
        piece = bisect_right(ends, x)
        behind, value = x - starts[piece], 0.0
        for coefficient in pieces[piece]:
            value = value * behind + coefficient
        return value

    return at


@dataclass(frozen=True)
class Drive:
    """How the parcel is taken through; temperatures of the belts are functions of the place in m."""

    upper: Along
    lower: Along
    speed: float = 1.0 / 60.0
    entry_clearance: float = 3.2e-3
    taper_clearance: float = 0.6e-3
    cold_clearance: float = 0.6e-3
    tension: float = 72e3
    feed_thickness: float = 3.0e-3
    feed_temperature: float = 298.15
    rest: float = 600.0
    kinks: tuple[float, ...] = ()
    """Places where the belt temperatures bend: the solver restarts there."""
    sheet: tuple[Along, Along] | None = None
    """Mean temperature of the sheet and its slope along the press, where it is given and not integrated."""
    runout: float = 0.0
    """Amplitude of the gap's ripple by rollers out of round, m."""
    travel: float = 0.0
    """Way of the belt when the parcel enters, m: where the rollers stand."""
    missing: float | None = None
    """Place of a roller pair that is not there, m from the entry."""


@dataclass
class Outcome:
    """What the definition of the process asks for, what it is made of, and the way there."""

    r_percent: float
    k_times_min: float
    t0: float
    exit_thickness: float
    recovered_thickness: float
    time_under_pressure: float
    exit_layers: Floats
    max_pressure: float
    contact_residual_pa: float
    plastic_work: float
    """J/m3: integral of p deps, the heat that deformation leaves in the sheet at most."""
    evaluations: int
    x: Floats
    thickness: Floats
    pressure: Floats
    mean_temperature: Floats
    core_temperature: Floats


class Parcel:
    """Rates for one parcel, and its march through press and rest."""

    def __init__(
        self,
        rollers: Rollers,
        gel: Gel,
        drive: Drive,
        rtol: float = 1e-6,
        layers: int = LAYERS,
        layered: bool | None = None,
    ) -> None:
        self.rollers, self.gel, self.drive, self.rtol, self.layers = rollers, gel, drive, rtol, layers
        layered = drive.speed > rollers.layered_above if layered is None else layered
        self.bodies = layers if layered else 1
        m = gel.mechanics
        self.E_cold = 1e6 * np.array(m["arm_modulus_25c_mpa"])
        self.E_N = 1e6 * m["network_modulus_25c_mpa"]
        self.E_Nmin = 1e6 * m["network_modulus_min_mpa"]
        self.tau = np.array(m["arm_relaxation_time_s"])
        self.tau_N = m["network_relaxation_time_s"]
        self.Ea = 1e3 * m["arm_activation_energy_kj_mol"] / GAS
        self.EaN = 1e3 * m["network_activation_energy_kj_mol"] / GAS
        self.T_ref = m["reference_temperature_c"] + 273.15
        self.VA = m["activation_volume_m3"] * m["stress_amplification"] / BOLTZMANN
        self.C_m = rollers.span_compliance(drive.tension)
        self.C_wide = rollers.span_compliance(drive.tension, 2.0)
        self.strains = slice(layers, layers + self.bodies * ARMS)
        self.networks = slice(self.strains.stop, self.strains.stop + self.bodies)
        self.hencky = slice(self.networks.stop, self.networks.stop + self.bodies)
        self.atol = np.concatenate([np.full(layers, 1e-4), np.full(self.bodies * (ARMS + 2), 1e-9)])
        self.evaluations = 0

    # --- the machine along the sheet ----------------------------------------------

    def gap(self, x: float) -> tuple[float, float]:
        """g and dg/dx as the parcel meets them, within the stretch that ends at the next bend."""
        g, slope = self._set_gap(x)
        a, r = self.drive.runout, self.rollers
        if a == 0.0:
            return g, slope
        # every roller turns with the belt, and its neighbour stands on by the golden section of a turn
        per_metre = 2.0 / r.diameter + 2.0 * math.pi * GOLDEN_SECTION / r.pitch
        turn = 2.0 * self.drive.travel / r.diameter + per_metre * x
        return g + a * math.sin(turn), slope + a * per_metre * math.cos(turn)

    def _set_gap(self, x: float) -> tuple[float, float]:
        d, r = self.drive, self.rollers
        if x < r.taper_end:
            slope = (d.taper_clearance - d.entry_clearance) / r.taper_end
            return d.entry_clearance + slope * x, slope
        if x < r.heat_end or d.cold_clearance == d.taper_clearance:
            return d.taper_clearance, 0.0
        if x < r.heat_end + r.pitch:
            slope = (d.cold_clearance - d.taper_clearance) / r.pitch
            return d.taper_clearance + slope * (x - r.heat_end), slope
        return d.cold_clearance, 0.0

    def compliance(self, x: float) -> tuple[float, float]:
        """C(x) and dC/dx."""
        span, C_m, start = self.rollers.pitch, self.C_m, 0.0
        missing = self.drive.missing
        if missing is not None and abs(x - missing) < span:
            span, C_m, start = 2.0 * span, self.C_wide, missing - span
        turn = math.pi * (x - start) / span
        sine = math.sin(turn)
        return self.rollers.nip_compliance + C_m * sine * sine, C_m * math.pi / span * math.sin(2.0 * turn)

    def belts(self, x: float, h: float) -> float:
        """Stress of the belts on a sheet of thickness h, Pa; negative where they do not reach it."""
        return (h - self.gap(x)[0]) / (2.0 * self.compliance(x)[0])

    # --- the sheet ----------------------------------------------------------------
    # States are [n] or [n, many]: the solver's Jacobian is taken over all its columns at once.

    def layer_heights(self, y: Floats) -> Floats:
        """Thickness of each body, m."""
        return np.asarray(self.drive.feed_thickness / self.bodies * np.exp(-y[self.hencky]))

    def thickness(self, y: Floats) -> Any:
        """Thickness of the sheet, m."""
        return self.layer_heights(y).sum(axis=0)

    def arms(self, y: Floats) -> Floats:
        """Arm strains, [bodies, arms] or [bodies, arms, many]."""
        return y[self.strains].reshape(self.bodies, ARMS, *y.shape[1:])

    def body_temperature(self, T: Floats) -> Floats:
        """Temperature that the mechanics of each body see."""
        return T if self.bodies > 1 else T.mean(axis=0, keepdims=True)

    def moduli(self, T: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Softening b and its slope; network modulus and its slope; shapes [bodies]."""
        b, slope = self.gel.softening(self.body_temperature(T))
        gain = self.E_N - self.E_Nmin
        return b, slope, self.E_Nmin + gain * b, gain * slope

    def stress(self, y: Floats) -> Floats:
        """Stress of each body, Pa."""
        b, _, E_N, _ = self.moduli(y[: self.layers])
        return np.asarray(b * self._weighted(self.arms(y)) + E_N * y[self.networks])

    def stiffness(self, y: Floats) -> Floats:
        """Stress over a sudden strain of each body, Pa."""
        b, _, E_N, _ = self.moduli(y[: self.layers])
        return np.asarray(b * self.E_cold.sum() + E_N)

    def _weighted(self, e: Floats) -> Floats:
        return np.asarray(np.einsum("i,bi...->b...", self.E_cold, e))

    def strained(self, y: Floats, deps: Floats) -> Floats:
        """The state after a step of strain of each body, too quick for relaxation."""
        y = y.copy()
        y[self.strains] += np.repeat(deps, ARMS)
        y[self.networks] += deps
        y[self.hencky] += deps
        return y

    def heating(self, y: Floats, faces: Sequence[tuple[float, Any]]) -> Floats:
        """dT/dt of the layers; faces are (temperature K, conductance W/(m2 K)) above and below."""
        T = y[: self.layers]
        dz = self.layer_heights(y)
        k = self.gel.conductivity(T)
        flux = np.empty((self.layers + 1, *y.shape[1:]))
        share = dz.sum(axis=0) / self.layers  # layers keep equal masses under one common area
        if self.bodies > 1:
            half = 0.5 * dz / k
            flux[1:-1] = (T[:-1] - T[1:]) / (half[:-1] + half[1:])
        else:
            dz = dz / self.layers
            half = 0.5 * dz / k
            flux[1:-1] = 0.5 * (k[:-1] + k[1:]) * (T[:-1] - T[1:]) / dz
        (T_up, h_up), (T_low, h_low) = faces
        flux[0] = (T_up - T[0]) / (1.0 / h_up + half[0])
        flux[-1] = (T[-1] - T_low) / (1.0 / h_low + half[-1])
        return np.asarray((flux[:-1] - flux[1:]) / (self.gel.density(T) * self.gel.heat_capacity(T) * share))

    def rates(self, y: Floats, dT: Floats, push: Any, give: float) -> Floats:
        """All rates; the stress changes by push - give * (rate of thinning), per second."""
        T, dT_body = self.body_temperature(y[: self.layers]), self.body_temperature(dT)
        b, slope, E_N, slope_N = self.moduli(y[: self.layers])
        e, e_N = self.arms(y), y[self.networks]
        weighted = self._weighted(e)
        inverse = 1.0 / T - 1.0 / self.T_ref
        x = np.minimum(np.abs(b * weighted) * (self.VA / T), 500.0)
        x = np.maximum(x, 1e-6)
        quicker = np.sinh(x) / x * np.exp(-self.Ea * inverse)
        db, dE_N = slope * dT_body, slope_N * dT_body
        relaxing = quicker[:, None] / self.tau.reshape(1, ARMS, *(1,) * (y.ndim - 1))
        loss = e * (relaxing + np.maximum(0.0, db / b)[:, None])
        loss_N = e_N * (np.exp(-self.EaN * inverse) / self.tau_N + np.maximum(0.0, dE_N / E_N))
        # of stress, at constant strain
        change = db * weighted - b * self._weighted(loss) + dE_N * e_N - E_N * loss_N
        S = b * self.E_cold.sum() + E_N
        dsigma: Any = 0.0
        if give > 0.0:
            heights = self.layer_heights(y)
            dsigma = (push + give * (heights * change / S).sum(axis=0)) / (1.0 + give * (heights / S).sum(axis=0))
        deps = (dsigma - change) / S
        out = np.empty_like(y)
        out[: self.layers] = dT
        out[self.strains] = (deps[:, None] - loss).reshape(self.bodies * ARMS, *y.shape[1:])
        out[self.networks] = deps - loss_N
        out[self.hencky] = deps
        return out

    def between_belts(self, mode: Mode) -> Rates:
        """Rates of a parcel at x = v t."""
        r, d = self.rollers, self.drive

        def rates(t: float, y: Floats) -> Floats:
            self.evaluations += 1
            x, h = d.speed * t, self.thickness(y)
            g, g_slope = self.gap(x)
            C, C_slope = self.compliance(x)
            lower: Any
            upper: Any
            p: Any = 0.0
            if mode == "loose":
                lower = r.contact_closed
                upper = np.minimum(r.contact_closed, r.gap_conductivity / np.maximum(g - h, 1e-9))
            else:
                p = np.maximum((h - g) / (2.0 * C), 0.0) if mode == "pressed" else r.pressure_limit
                lower = upper = r.contact_base + r.contact_per_pascal * p
            if d.sheet is not None:
                dT = np.full_like(y[: self.layers], d.speed * d.sheet[1](x))
            else:
                dT = self.heating(y, ((d.upper(x), upper), (d.lower(x), lower)))
            if mode != "pressed":
                return self.rates(y, dT, 0.0, 0.0)
            return self.rates(y, dT, -d.speed * (g_slope / (2.0 * C) + p * C_slope / C), 1.0 / (2.0 * C))

        return rates

    def resting(self, t: float, y: Floats) -> Floats:
        """Rates of a released parcel in air."""
        del t
        self.evaluations += 1
        air = (self.rollers.ambient, self.rollers.air)
        return self.rates(y, self.heating(y, (air, air)), 0.0, 0.0)

    def jacobian(self, rates: Rates) -> Rates:
        """d rates/d state by forward differences, all columns in one call."""
        steps = np.concatenate([np.full(self.layers, 1e-4), np.full(self.bodies * (ARMS + 2), 1e-7)])

        def columns(t: float, y: Floats) -> Floats:
            moved = rates(t, y[:, None] + np.diag(steps))
            return np.asarray((moved - rates(t, y)[:, None]) / steps)

        return columns

    # --- the march ----------------------------------------------------------------

    def roll(self) -> Outcome:
        r, d = self.rollers, self.drive
        y = np.zeros(self.hencky.stop)
        y[: self.layers] = d.feed_temperature if d.sheet is None else d.sheet[0](0.0)
        mode, y = self._first_touch(y)
        bends = {r.taper_end, r.heat_end, r.heat_end + r.pitch, r.length, *d.kinks}
        if d.missing is not None:
            bends |= {d.missing - r.pitch, d.missing + r.pitch}
        way = _Way(self)
        t = 0.0
        for end in sorted(x / d.speed for x in bends if 0.0 < x <= r.length):
            stuck = 0
            while t < end - 1e-12:
                events = self._events(mode)
                found = self._solve(self.between_belts(mode), t, end, y, events)
                way.add(mode, found)
                stuck = stuck + 1 if found.t[-1] - t < 1e-9 else 0
                if stuck > 5:
                    raise RuntimeError(f"contact chatters at x = {d.speed * t} m")
                t, y = float(found.t[-1]), found.y[:, -1]
                if found.status == 1:
                    mode = self._next(mode, found)
        layers = y[: self.layers].copy()
        exit_thickness = self.thickness(y)
        y = self.strained(y, -self.stress(y) / self.stiffness(y))
        if d.rest > 0.0:
            y = self._solve(self.resting, 0.0, d.rest, y).y[:, -1]
        recovered = self.thickness(y)
        return way.outcome(recovered, exit_thickness, layers)

    def _first_touch(self, y: Floats) -> tuple[Mode, Floats]:
        if self.belts(0.0, self.drive.feed_thickness) <= 0.0:
            return "loose", y
        S = float(self.stiffness(y)[0])

        def misfit(deps: float) -> float:
            return S * deps - self.belts(0.0, self.drive.feed_thickness * math.exp(-deps))

        deps = float(brentq(misfit, 0.0, 3.0, xtol=1e-15))
        limited = min(deps, self.rollers.pressure_limit / S)
        return "capped" if limited < deps else "pressed", self.strained(y, np.full(self.bodies, limited))

    def _events(self, mode: Mode) -> list[Any]:
        v, limit = self.drive.speed, self.rollers.pressure_limit

        def touch(t: float, y: Floats) -> float:
            return float(1e3 * (self.thickness(y) - self.gap(v * t)[0]))

        def cap(t: float, y: Floats) -> float:
            return self.belts(v * t, self.thickness(y)) / limit - 1.0

        used: list[Any] = {"loose": [touch], "pressed": [touch, cap], "capped": [cap]}[mode]
        touch.terminal = cap.terminal = True  # type: ignore[attr-defined]
        touch.direction = 1.0 if mode == "loose" else -1.0  # type: ignore[attr-defined]
        cap.direction = 1.0 if mode == "pressed" else -1.0  # type: ignore[attr-defined]
        return used

    def _next(self, mode: Mode, found: Any) -> Mode:
        if mode == "pressed":
            return "loose" if len(found.t_events[0]) else "capped"
        return "pressed"

    def _solve(self, rates: Rates, start: float, end: float, y: Floats, events: Any = None) -> Any:
        found = solve_ivp(
            rates,
            (start, end),
            y,
            method="LSODA",
            rtol=self.rtol,
            atol=self.atol,
            events=events,
            dense_output=True,
            jac=self.jacobian(rates),
        )
        if not found.success:
            raise RuntimeError(f"the stiff solver gave up: {found.message}")
        return found


class _Way:
    """Gathers what happens between the belts from the solver's steps."""

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel
        self.rows: list[Floats] = []
        self.t0 = parcel.drive.feed_thickness
        self.residual = 0.0

    def add(self, mode: Mode, found: Any) -> None:
        a = self.parcel
        # steps and two points between: the curve is read as well as it was computed
        times = np.sort(np.concatenate([found.t + f * np.diff(found.t, append=found.t[-1]) for f in (0.0, 0.34, 0.67)]))
        states = found.sol(times)
        h = a.drive.feed_thickness / a.bodies * np.exp(-states[a.hencky]).sum(axis=0)
        x = a.drive.speed * times
        p = np.zeros(times.size)
        if mode == "pressed":
            p = np.array([max(a.belts(place, height), 0.0) for place, height in zip(x, h, strict=True)])
            own = a.stress(found.y[:, -1])
            self.residual = max(self.residual, float(np.abs(own - a.belts(x[-1], float(h[-1]))).max()))
        elif mode == "capped":
            p[:] = a.rollers.pressure_limit
        T = states[: a.layers]
        self.rows.append(np.array([x, h, p, T.mean(axis=0), T[a.layers // 2]]))
        lowest = int(np.argmin(h))
        around = np.linspace(times[max(lowest - 1, 0)], times[min(lowest + 1, times.size - 1)], 41)
        fine = a.drive.feed_thickness / a.bodies * np.exp(-found.sol(around)[a.hencky]).sum(axis=0)
        self.t0 = min(self.t0, float(fine.min()))

    def outcome(self, recovered: float, exit_thickness: float, layers: Floats) -> Outcome:
        a = self.parcel
        x, h, p, mean, core = np.concatenate(self.rows, axis=1)
        pressed = _time_above(x / a.drive.speed, p, COUNTS_AS_PRESSURE)
        return Outcome(
            r_percent=100.0 * (recovered - self.t0) / self.t0,
            k_times_min=a.drive.feed_thickness / recovered * pressed / 60.0,
            t0=self.t0,
            exit_thickness=exit_thickness,
            recovered_thickness=recovered,
            time_under_pressure=pressed,
            exit_layers=layers,
            max_pressure=float(p.max()),
            contact_residual_pa=self.residual,
            plastic_work=float((0.5 * (p[1:] + p[:-1]) * -np.diff(np.log(h))).sum()),
            evaluations=a.evaluations,
            x=x,
            thickness=h,
            pressure=p,
            mean_temperature=mean,
            core_temperature=core,
        )


def _time_above(times: Floats, p: Floats, limit: float) -> float:
    """Time with p above the limit, p taken linear between the points."""
    dt, low, high = np.diff(times), p[:-1] - limit, p[1:] - limit
    crossing = (low > 0.0) != (high > 0.0)
    part = np.where(crossing, np.maximum(low, high) / np.maximum(np.abs(high - low), 1e-300), (low > 0.0) * 1.0)
    return float((dt * part).sum())


def roll_parcel(
    rollers: Rollers, gel: Gel, drive: Drive, rtol: float = 1e-6, layers: int = LAYERS, layered: bool | None = None
) -> Outcome:
    """One parcel through the press and its rest; layers carry their own strain above the machine's speed limit."""
    return Parcel(rollers, gel, drive, rtol, layers, layered).roll()
