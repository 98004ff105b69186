"""The reference controller: one scan from inputs to outputs.

    watch the inputs  →  events  →  next state  →  what this state wants  →  loops  →  outputs

No I/O, no clock, no randomness: the same inputs at the same times give the same outputs. All state is
plain data in this object's fields, so a copy of the controller goes on like the original.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from rig.controller.api import Inputs, QualityRecord, Value
from rig.controller.goals import (
    HOT_C,
    HOT_FOR_S,
    MOVING_FOR_S,
    Wishes,
    goal_reached,
    hottest_c,
    time_limit_s,
    wishes_in,
)
from rig.controller.ledger import Ledger, Reading
from rig.controller.machine_facts import MachineFacts
from rig.controller.names import SIDES, Values, forces_kn, heat_plates_c
from rig.controller.outputs import settings
from rig.controller.quality import assess
from rig.controller.states import Event, State, next_state
from rig.controller.supervision import CLOSING_FORCE_KN, STALE, Alarms, Watch, usable
from rig.controller.thickness import ThicknessLoop
from rig.controller.tracking import Tracker
from rig.recipe import Recipe, check_claims

__all__ = ["ReferenceController"]

DANGER = frozenset({"emergency_stop", "guard_open"})
"""Interlocks behind which a person may be."""
STANDSTILL = DANGER | {"tension_loss", "mistracking", "speed_mismatch", "comms_watchdog"}
"""Interlocks after which the belts must not be moved by the controller until they are released."""
STOPPING = frozenset({"stop", "hold", "abort"})
"""Requests that are kept while inputs are late."""
REQUESTED = (("stop", Event.STOP), ("hold", Event.HOLD), ("resume", Event.RESUME))
"""Requests that are events as they are."""
RESET_WINDOW_S = 1.0
"""Alarms that are gone so long after a reset were released by it."""
FIRST_PERIOD_S = 0.1
"""Assumed length of the first scan."""
SPEED_STEP_M_MIN_S = 0.5
"""Ramp of the belt speed command, m/min per s: both belts stay together on it."""
SMALLEST_CLEARANCE_UM = 450.0
"""No trim goes below this: the smallest clearance that a recipe may ask for."""
EDGES = {side: f"belt_{side}_edge_position_mm" for side in SIDES}
STEERING = {side: f"belt_{side}_steering_setpoint_deg" for side in SIDES}
GATED = (State.THREAD, State.PRODUCE, State.RUN_OUT)
"""States in which sheet that left the press can be product."""
ROLLING = (State.THREAD, State.PRODUCE, State.HOLD)
"""States in which sheet is fed into a press that is closed."""


@dataclass(slots=True)
class ReferenceController:
    """Makes film by a recipe.

    Args:
        recipe: what to make.
        facts: the machine.
        enforce_claims: refuse to start a recipe that cannot meet CLM-2 or CLM-5. False is for finding
            out what becomes of such a film.
    """

    recipe: Recipe
    facts: MachineFacts
    enforce_claims: bool = True
    now_state: State = State.IDLE
    alarms: Alarms = field(default_factory=Alarms)
    watch: Watch = field(default_factory=Watch)
    ledger: Ledger = field(init=False)
    thickness: ThicknessLoop = field(init=False)
    trackers: dict[str, Tracker] = field(default_factory=lambda: {side: Tracker() for side in SIDES})
    records: list[QualityRecord] = field(default_factory=list)
    message: str = ""
    outputs: dict[str, Value] = field(default_factory=dict)
    settings: dict[str, Value] = field(default_factory=dict)
    set_for: tuple[Wishes, float, float] | None = None
    scans: int = 0
    last_ns: int = -1
    last_position_m: float = math.nan
    started_m: float = 0.0
    entered_m: float = 0.0
    settled_ns: int = -1
    speed_m_min: float = 0.0
    asked: frozenset[str] = frozenset()
    reset_wanted: bool = False
    reset_ns: int = -1
    hot_ns: int = -1
    still_ns: int = -1
    ship: bool = False

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.facts)
        transport_m = self.facts.pressing_length_m - self.facts.taper_end_m + self.facts.exit_gauge_m
        self.thickness = ThicknessLoop(transport_m)

    # -- what others may see --------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """Name of the current state."""
        return self.now_state.value

    def quality(self) -> Sequence[QualityRecord]:
        """All pieces judged so far, oldest first."""
        return self.records

    # -- the scan -------------------------------------------------------------------------------------

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        """One scan; see `rig.controller.api.Controller`."""
        self.scans += 1
        period_s = max((now_ns - self.last_ns) * 1e-9, 0.0) if self.last_ns >= 0 else FIRST_PERIOD_S
        self.last_ns = now_ns
        # a request is not lost because the inputs are late
        self.asked |= inputs.operator
        if "reset" in self.asked:
            # first of all, so that a cause that is still there raises its alarm again in this scan
            self.alarms.reset()
        age = self.watch.age(inputs, now_ns, self.alarms)
        seeing = usable(inputs.values)
        if inputs.values and not seeing:
            self.alarms.raise_("unusable_data", "inputs are missing or not numbers")
        blind = not seeing or age > STALE
        if blind or age > 1.0:
            # what stops waits for the next inputs; what starts something must be asked for again
            self.asked &= STOPPING
            held = self._give_up_blind() if blind and self.alarms.active else self.outputs
            return self._beat({**held, "alarm_reset": False})
        values = cast("Values", inputs.values)  # what is used of them are numbers, as `usable` has found
        interlocks = _names(inputs.values.get("alarm_word"))
        self._supervise(values, now_ns, interlocks)
        self._follow_sheet(values, inputs.time_ns)
        events = self._events(values, interlocks, now_ns)
        state = next_state(self.now_state, events)
        if state is not self.now_state:
            self._enter(state, values)
        outputs = self._outputs(values, interlocks, period_s)
        return self._beat(outputs)

    def _beat(self, outputs: dict[str, Value]) -> dict[str, Value]:
        """The heartbeat goes on as long as the controller thinks."""
        outputs["controller_heartbeat"] = self.scans % 65535 + 1
        self.outputs = outputs
        return outputs

    def _give_up_blind(self) -> dict[str, Value]:
        """Without usable inputs: nothing that heats, presses or moves, and a fault to be reset."""
        if self.now_state is not State.EMERGENCY_STOP:
            self._give_up(State.FAULT)
        return {
            **self.outputs,
            "heating_enable": False,
            "drives_enable": False,
            "feed_enable": False,
            "fast_open": True,
            "scrap_divert": True,
        }

    def _supervise(self, values: Values, now_ns: int, interlocks: frozenset[str]) -> None:
        self.watch.node(float(values["node_heartbeat"]), now_ns, self.alarms)
        self.watch.restart(values["uptime_s"], self.alarms)
        self.watch.others(values, now_ns, self.alarms)
        self.watch.plausible(values, self.alarms)
        limit_s = time_limit_s(self.now_state, self.recipe, self.facts)
        self.watch.slow(self.state, now_ns, limit_s, self.alarms)
        if self.now_state not in (State.FAULT, State.EMERGENCY_STOP):
            told_m_min = self.speed_m_min if self.outputs.get("drives_enable") else 0.0
            slowest_m_min = min(values["belt_upper_speed_m_min"], values["belt_lower_speed_m_min"])
            self.watch.driven(told_m_min, slowest_m_min, now_ns, self.alarms)
        if self.now_state in ROLLING:
            self.watch.closed(values["press_open"] > 0.5, self.alarms)
        if self.now_state is State.PRODUCE:
            target_c = self.recipe.press.heat_temperature_c
            plates_c = heat_plates_c(values)
            deviation_k = max(max(plates_c) - target_c, target_c - min(plates_c))
            self.watch.zones(deviation_k, now_ns, self.alarms)
        elif self.now_state is State.CLOSE and not interlocks:
            force_kn = max(forces_kn(values))
            if force_kn > CLOSING_FORCE_KN:
                self.alarms.raise_("blocked", f"{force_kn:.0f} kN while closing without sheet")

    def _follow_sheet(self, values: Values, time_ns: int) -> None:
        """Keep the ledger; judge what has passed both gauges."""
        reading = Reading.of(values, time_ns, self.facts.heat_zone_count)
        speed_m_s = 0.5 * (values["belt_upper_speed_m_min"] + values["belt_lower_speed_m_min"]) / 60.0
        for piece in self.ledger.scan(reading):
            if piece.recovered.count == 0 or piece.released_ns < 0:
                self.ship = False
                continue
            record = assess(piece, self.recipe, self.facts, time_ns, speed_m_s)
            if record.good and self.now_state not in GATED:
                record = replace(record, good=False, reason=f"sent to scrap in state {self.state}")
            self.records.append(record)
            self.ship = record.good

    def _events(self, values: Values, interlocks: frozenset[str], now_ns: int) -> frozenset[Event]:
        events = set()
        asked, self.asked = self.asked, frozenset()
        if "abort" in asked and self.now_state not in (State.IDLE, State.FAULT, State.EMERGENCY_STOP):
            self.alarms.raise_("aborted", "the operator has aborted the run")
        self.reset_wanted = "reset" in asked
        if self.reset_wanted:
            self.reset_ns = now_ns
        # the node takes a scan or two to release its interlocks; a reset that failed is no reset
        just_reset = self.reset_ns >= 0 and (now_ns - self.reset_ns) * 1e-9 <= RESET_WINDOW_S
        if interlocks & DANGER:
            events.add(Event.EMERGENCY)
        elif interlocks or self.alarms.active:
            events.add(Event.TRIP)
        elif just_reset:
            events.add(Event.RELEASED)
        if "start" in asked and self._accepts():
            events.add(Event.START)
        if asked:
            events.update(event for request, event in REQUESTED if request in asked)
        position_m = 0.5 * (values["belt_upper_position_m"] + values["belt_lower_position_m"])
        if position_m - self.started_m >= self.recipe.sheet.length_m:
            events.add(Event.FED)
        if self._settled(goal_reached(self, values), now_ns):
            events.add(Event.DONE)
        return frozenset(events)

    def _accepts(self) -> bool:
        """Whether the recipe may be started."""
        issues = check_claims(self.recipe, pressing_length_m=self.facts.pressing_length_m)
        self.message = "; ".join(f"recipe rejected, {issue.claim}: {issue.message}" for issue in issues)
        return not issues or not self.enforce_claims

    def _settled(self, reached: tuple[bool, float], now_ns: int) -> bool:
        """A goal counts once it has held for its settling time."""
        there, hold_s = reached
        if not there:
            self.settled_ns = -1
            return False
        if self.settled_ns < 0:
            self.settled_ns = now_ns
        return (now_ns - self.settled_ns) * 1e-9 >= hold_s

    def _enter(self, state: State, values: Values) -> None:
        """What a change of state does once."""
        position_m = 0.5 * (values["belt_upper_position_m"] + values["belt_lower_position_m"])
        if state is State.PREHEAT:
            self.records.clear()
            self.ledger = Ledger(self.facts)
            self.thickness.trim_um = 0.0
            self.message = ""
        if state is State.THREAD:
            if self.now_state is State.CLOSE:
                self.started_m = position_m
            self.thickness.reset(position_m)
        if state in (State.FAULT, State.EMERGENCY_STOP):
            self._give_up(state)
        self.now_state = state
        self.entered_m = position_m
        self.settled_ns = -1

    def _give_up(self, state: State) -> None:
        """Into a state that only the operator's reset leaves."""
        if self.now_state is not state:
            self.message = self.alarms.first or "interlock of the press"
            self.reset_ns = -1
        self.ship = False
        self.now_state = state

    # -- outputs --------------------------------------------------------------------------------------

    def _outputs(self, values: Values, interlocks: frozenset[str], period_s: float) -> dict[str, Value]:
        if self.now_state is State.FAULT and hottest_c(values) > HOT_C:
            self.hot_ns = self.last_ns
        hot = self.hot_ns >= 0 and (self.last_ns - self.hot_ns) * 1e-9 < HOT_FOR_S
        if values["belts_moving"] < 0.5 or values["coolant_flowing"] < 0.5:
            self.still_ns = self.last_ns
        moving = self.still_ns < 0 or (self.last_ns - self.still_ns) * 1e-9 >= MOVING_FOR_S
        wishes = wishes_in(self.now_state, self.recipe, self.facts, values, hot=hot, moving=moving)
        if interlocks & STANDSTILL or "node_restarted" in self.alarms.active:
            wishes = replace(wishes, drive=False, speed_m_min=0.0)
        step = SPEED_STEP_M_MIN_S * period_s
        # the ramp starts from where the belts are, and stopping needs no ramp
        target = wishes.speed_m_min
        self.speed_m_min += min(max(target - self.speed_m_min, -step), step)
        if target == 0.0:
            self.speed_m_min = 0.0
        clearance_um = max(self.recipe.press.clearance_um + self._trim(values), SMALLEST_CLEARANCE_UM)
        position_m = 0.5 * (values["belt_upper_position_m"] + values["belt_lower_position_m"])
        travelled_m = position_m - self.last_position_m
        # NaN before the first scan: the encoders have counted since power-on
        travel_m = travelled_m if travelled_m > 0.0 else 0.0
        self.last_position_m = position_m
        if self.set_for != (wishes, clearance_um, self.speed_m_min):
            self.set_for = (wishes, clearance_um, self.speed_m_min)
            self.settings = settings(self.recipe, self.facts, *self.set_for)
        outputs = self.settings.copy()
        gated = self.now_state in GATED
        outputs["scrap_divert"] = not (self.ship and gated)
        outputs["scrap_mark"] = gated and not self.ship and values["sheet_at_recovered_gauge"] > 0.5
        outputs["alarm_reset"] = self.reset_wanted
        for side, tracker in self.trackers.items():
            outputs[STEERING[side]] = tracker.steer(values[EDGES[side]], travel_m, period_s)
        return outputs

    def _trim(self, values: Values) -> float:
        """Trim of the clearance, µm: moved only by sheet that the gauge sees in production."""
        target_um = self.recipe.press.exit_thickness_um
        if target_um is None or self.now_state is not State.PRODUCE or values["sheet_at_exit"] < 0.5:
            return self.thickness.trim_um
        position_m = 0.5 * (values["belt_upper_position_m"] + values["belt_lower_position_m"])
        return self.thickness.scan(position_m, values["exit_thickness_um"], target_um)


def _names(value: Value | None) -> frozenset[str]:
    return value if isinstance(value, frozenset) else frozenset()
