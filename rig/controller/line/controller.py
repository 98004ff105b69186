"""The line controller: one scan reads top to bottom like the table of `rig.controller.line.states`.

    inputs → what is wrong → events → next state → press → what the web does → set points → rolls and lots

The press controller is a part of it and decides everything about the press. The line tells it what an operator would:
start, stop, hold, resume. All stations go at the speed of the press; dancers make up for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from rig.controller.api import NO_TIMES, Inputs, QualityRecord, RollRecord, Value
from rig.controller.goals import at_speed, at_temperature
from rig.controller.line import goals
from rig.controller.line.facts import LineFacts
from rig.controller.line.lots import LotBook
from rig.controller.line.names import FOLLOWED, SCHEDULE, STATUS, number, shows
from rig.controller.line.rolls import RollBook
from rig.controller.line.setpoints import CASTS, WEB_RUNS, Web, commands, settings
from rig.controller.line.states import LineEvent, LineState, next_state
from rig.controller.line.watch import StationWatch
from rig.controller.line.way import before_gauge_m, behind_loop_m
from rig.controller.line.web import WebDriver
from rig.controller.machine_facts import MachineFacts
from rig.controller.names import Values
from rig.controller.reference import ReferenceController
from rig.controller.states import State
from rig.controller.supervision import Alarms, usable
from rig.products import Product, check_product
from rig.rolls import Lot
from rig.schedule import PollSchedule

__all__ = ["LineController"]

ANY_LENGTH_M = 100_000.0
"""Of sheet in the press's recipe: how much is made is the line's to say."""
LOOK_NS = 1_000_000_000
"""How often the stations are looked at: they are read and act once per second."""
GAVE_UP = (LineState.FAULT, LineState.EMERGENCY_STOP)
FEEDING = ("thread", "produce", "hold")
"""States of the press in which it draws sheet in."""
STOPPABLE = (*FEEDING, "preheat", "tension_track", "close")
RESET_WINDOW_S = 15.0
"""What is gone so long after a reset was released by it; stations answer and step once per second."""
SLOW_PART = 0.6
"""Part of its speed at which the line goes on while the dryer warns of vapour."""
SLOW_S = 120.0
"""And so long after the last warning."""


@dataclass(slots=True)
class LineController:
    """Makes film of a product.

    Args:
        product: what to make.
        facts: the line.
        machine: the press.
        length_m: sheet to make, m.
        enforce_claims: refuse to start a product that cannot meet the claims.
        lot_kg: a new lot of raw material after so many kg.
        roll_length_m: of film on a full roll; 0 for what the winder is built for.

    Attributes:
        fed_m: sheet that the press has drawn in since the start, m.
        cast_m: sheet that was cast since the controller was switched on, m.
        speed_m_min: of the line, as it is wanted.
        cast_before_m: sheet that was cast before the first of which the press has records, m.
        cleared_m: sheet that would have gone through the stations behind the press since their web was cut, m.
    """

    product: Product
    facts: LineFacts
    machine: MachineFacts
    length_m: float
    enforce_claims: bool = True
    lot_kg: float = 500.0
    roll_length_m: float = 0.0
    now_state: LineState = LineState.IDLE
    alarms: Alarms = field(default_factory=Alarms)
    watch: StationWatch = field(default_factory=StationWatch)
    press: ReferenceController = field(init=False)
    web: WebDriver = field(init=False)
    book: RollBook = field(init=False)
    lot_book: LotBook = field(init=False)
    settings: Mapping[str, Value] = field(init=False)
    outputs: dict[str, Value] = field(default_factory=dict)
    own_message: str = ""
    waiting: str = ""
    asked_press: set[str] = field(default_factory=set)
    station_outputs: dict[str, Value] = field(default_factory=dict)
    press_state: str = ""
    last_ns: int = -1
    looked_ns: int = -1
    entered_ns: int = -1
    settled_ns: int = -1
    reset_ns: int = -1
    slow_until_ns: int = -1
    slow_part: float = 1.0
    cast_m: float = 0.0
    fed_m: float = 0.0
    cleared_m: float = 0.0
    cast_before_m: float = 0.0
    behind_loop_m: float = 0.0
    speed_m_min: float = 0.0

    def __post_init__(self) -> None:
        recipe = self.product.press_recipe(ANY_LENGTH_M)
        self.press = ReferenceController(recipe, self.machine, self.enforce_claims)
        self.web = WebDriver(self.product, self.facts)
        self.book = RollBook(self.product, self.facts, self.roll_length_m or self.facts.roll_length_m)
        self.lot_book = LotBook(self.product, self.lot_kg)
        self.settings = settings(self.product, self.roll_length_m)
        self.speed_m_min = self.product.press.speed_m_min
        self.behind_loop_m = behind_loop_m(self.facts, self.product)

    # -- what others may see --------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """Name of the current state of the line."""
        return self.now_state.value

    @property
    def message(self) -> str:
        """Why it has given up or does not start, or what it waits for."""
        if self.own_message:
            return self.own_message
        if self.slow_part < 1.0 and self.now_state in WEB_RUNS:
            return "slower: the dryer warns of vapour"
        if self.now_state is LineState.HEAT:
            return self.waiting
        return self.press.message if self.now_state in (*GAVE_UP, LineState.IDLE) else ""

    @property
    def poll_schedule(self) -> PollSchedule:
        """How often the stations are read."""
        return SCHEDULE

    @property
    def lots(self) -> Sequence[Lot]:
        """Lots of raw material so far, by number."""
        return self.lot_book.lots

    def quality(self) -> Sequence[QualityRecord]:
        """Records of the press, oldest first."""
        return self.press.quality()

    def rolls(self) -> Sequence[RollRecord]:
        """All rolls of this run, by number; the newest may still be wound."""
        return self.book.records()

    # -- what others may tell -------------------------------------------------------------------------

    def new_lot(self) -> None:
        """Another lot of raw material has been filled into the hoppers."""
        self.lot_book.open(max(self.last_ns, 0), self.cast_m)

    def change_speed(self, speed_m_min: float) -> str:
        """Let the whole line go at another speed of the sheet.

        Returns:
            Why not, where a claim would not be met; empty when it does.
        """
        changed = self.product.press.model_copy(update={"speed_m_min": speed_m_min})
        product = self.product.model_copy(update={"press": changed})
        issues = check_product(product, pressing_length_m=self.machine.pressing_length_m)
        if issues and self.enforce_claims:
            return "; ".join(f"{issue.claim}: {issue.message}" for issue in issues)
        self.speed_m_min = speed_m_min
        return ""

    # -- the scan -------------------------------------------------------------------------------------

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        """One scan; see `rig.controller.api.Controller`."""
        self.last_ns = now_ns
        if inputs.operator or self.press.state != self.press_state or now_ns - self.looked_ns >= LOOK_NS:
            self._look(inputs, now_ns)
        self.outputs = {**self._scan_press(inputs, now_ns), **self.station_outputs}
        return self.outputs

    def _look(self, inputs: Inputs, now_ns: int) -> None:
        """What concerns the line: stations are read, and act, once per second."""
        period_s = (now_ns - self.looked_ns) * 1e-9 if self.looked_ns >= 0 else 0.0
        self.looked_ns, self.press_state = now_ns, self.press.state
        if "reset" in inputs.operator:
            self.reset_ns = now_ns
        if self.now_state in GAVE_UP and self._just_reset(now_ns):
            # a cause that is still there raises its alarm again in this scan
            self.alarms.reset()
        if self.press.scans == 0 and "start" in inputs.operator and self._runs(inputs.values) and self._meets_claims():
            self._take_over()
        self._supervise(inputs, now_ns)
        state = next_state(self.now_state, self._events(inputs, now_ns))
        if state is not self.now_state:
            self._enter(state, now_ns)
        self.waiting = ", ".join(goals.waits_for(self, inputs.values)) if self.now_state is LineState.HEAT else ""
        self._follow(inputs, now_ns, period_s)
        stations = commands(self.product, self.now_state, self._web(inputs.values, now_ns, period_s))
        self.station_outputs = {**self.settings, **stations, "desolvator_acknowledge": self._just_reset(now_ns)}

    def _supervise(self, inputs: Inputs, now_ns: int) -> None:
        if self.now_state is LineState.IDLE:
            return  # nothing runs that could go wrong
        makes_film = self.now_state is LineState.PRODUCE and self.web.loop_filled
        for name, words in self.watch.causes(
            inputs,
            now_ns,
            self.outputs,
            store_web=self.web.before and self.now_state in CASTS,
            tail_web=self.web.behind and self.now_state in CASTS,
            tail_runs=self.web.loop_filled and self.now_state in WEB_RUNS,
            makes_film=makes_film,
        ):
            self.alarms.raise_(name, words)
        limit_s = goals.time_limit_s(self)
        if self.entered_ns >= 0 and (now_ns - self.entered_ns) * 1e-9 > limit_s:
            self.alarms.raise_(
                "state_timeout", f"{self.state} takes longer than {limit_s:.0f} s {self.waiting}".rstrip()
            )
        if shows(inputs.values.get(STATUS["desolvator"]), "vapour_warning") and self.now_state in WEB_RUNS:
            self.slow_until_ns = now_ns + round(SLOW_S * 1e9)

    def _events(self, inputs: Inputs, now_ns: int) -> frozenset[LineEvent]:
        asked, events = inputs.operator, set()
        if "abort" in asked and self.now_state not in (LineState.IDLE, *GAVE_UP):
            self.alarms.raise_("aborted", "the operator has aborted the shift")
        stopped = "emergency_stop" if self.press.state == "emergency_stop" else "fault"
        if self.press.state == "emergency_stop" and self.now_state is not LineState.EMERGENCY_STOP:
            events.add(LineEvent.EMERGENCY)
        elif self.now_state in GAVE_UP:
            if self._just_reset(now_ns) and not self.alarms.active and self.press.state != stopped:
                events.add(LineEvent.RELEASED)
        elif self.alarms.active or self.press.state == "fault":
            events.add(LineEvent.TRIP)
        if "start" in asked and self._accepts():
            events.add(LineEvent.START)
        for request, event in (("stop", LineEvent.STOP), ("hold", LineEvent.HOLD), ("resume", LineEvent.RESUME)):
            if request in asked:
                events.add(event)
        if self.fed_m >= self.length_m:
            events.add(LineEvent.PRESS_DONE)
        if self.now_state not in (LineState.IDLE, LineState.HEAT) and self.press.state in ("run_out", "open", "cool"):
            events.add(LineEvent.PRESS_DONE)
        if self._settled(goals.goal(self, inputs.values), now_ns):
            events.add(LineEvent.DONE)
        return frozenset(events)

    def _accepts(self) -> bool:
        """Whether the product may be started now."""
        if self.now_state not in (LineState.IDLE, LineState.CURE):
            return False
        if self.press.state not in ("idle", "cool"):
            self.own_message = f"not started: the press is in state {self.press.state}; wait until it is idle"
            return False
        return self._meets_claims()

    def _meets_claims(self) -> bool:
        """Whether the product may be made at all."""
        issues = check_product(self.product, pressing_length_m=self.machine.pressing_length_m)
        self.own_message = "; ".join(f"product rejected, {issue.claim}: {issue.message}" for issue in issues)
        return not issues or not self.enforce_claims

    def _runs(self, values: Mapping[str, Value]) -> bool:
        """Whether the press is rolling sheet already, as the product wants it."""
        if not usable(values):
            return False
        numbers = cast("Values", values)
        rolls = numbers["press_open"] < 0.5 < numbers["sheet_at_exit"]
        recipe = self.press.recipe
        return rolls and at_temperature(recipe, numbers) and at_speed(recipe, numbers)

    def _take_over(self) -> None:
        """The line ran before the controller did: go on with it; the web behind the press is led through anew."""
        self.press.now_state = State.PRODUCE
        self.press.speed_m_min = self.product.press.speed_m_min
        self._enter(LineState.THREAD, self.last_ns)
        self.asked_press.clear()
        self.lot_book.open(self.last_ns, self.cast_m)
        self.web.before = self.web.store_filled = True

    def _just_reset(self, now_ns: int) -> bool:
        return self.reset_ns >= 0 and (now_ns - self.reset_ns) * 1e-9 <= RESET_WINDOW_S

    def _settled(self, reached: tuple[bool, float], now_ns: int) -> bool:
        """A goal counts once it has held for its settling time."""
        there, hold_s = reached
        if not there:
            self.settled_ns = -1
            return False
        if self.settled_ns < 0:
            self.settled_ns = now_ns
        return (now_ns - self.settled_ns) * 1e-9 >= hold_s

    def _enter(self, state: LineState, now_ns: int) -> None:
        """What a change of state does once."""
        before = self.now_state
        self.now_state, self.entered_ns, self.settled_ns = state, now_ns, -1
        match state:
            case LineState.HEAT:
                self.own_message = ""
                self.fed_m = self.cleared_m = 0.0
                self.web.begin()
                self.lot_book.open(now_ns, self.cast_m)
                self.asked_press.add("start")
            case LineState.THREAD:
                self.asked_press.add("resume")
            case LineState.HOLD:
                self.asked_press.add("hold")
            case LineState.RUN_OUT:
                self.asked_press.add("stop")
            case LineState.CLEAR:
                self.cleared_m = 0.0
            case LineState.CURE:
                self.own_message = ""
                if before is LineState.HEAT:
                    self.asked_press.add("stop")
            case LineState.FAULT | LineState.EMERGENCY_STOP:
                self.own_message = self.alarms.first or self.press.message or "interlock of the press"
                self.reset_ns = -1
                self.asked_press.add("stop")

    # -- the press ------------------------------------------------------------------------------------

    def _scan_press(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        """The press controller's scan, with what the line asks of it."""
        waiting = self.now_state in (LineState.HEAT, LineState.FILL)
        if waiting and self.press.state == "thread":
            self.asked_press.add("hold")  # there is no sheet yet
        asked = (inputs.operator & {"reset", "abort"}) | self.asked_press
        if "stop" in asked and self.press.state not in STOPPABLE:
            asked -= {"stop"}
        self.asked_press.clear()
        self._press_speed(self._wanted_speed_m_min(now_ns))
        # values of the stations have times of their own, those of the press only where it was not read all at once
        times_ns = inputs.times_ns if "node_heartbeat" in inputs.times_ns else NO_TIMES
        before_m = self.press.last_position_m
        outputs = self.press.scan(Inputs(inputs.values, inputs.time_ns, frozenset(asked), times_ns), now_ns)
        if waiting:
            # a web that is drawn from an empty store breaks
            outputs = {**outputs, "feed_enable": False}
        elif self.press.state in FEEDING and self.press.last_position_m > before_m:
            self.fed_m += self.press.last_position_m - before_m
        return outputs

    def _wanted_speed_m_min(self, now_ns: int) -> float:
        self.slow_part = SLOW_PART if now_ns < self.slow_until_ns else 1.0
        return self.speed_m_min * self.slow_part

    def _press_speed(self, speed_m_min: float) -> None:
        recipe = self.press.recipe
        if recipe.press.speed_m_min != speed_m_min:
            settings_ = recipe.press.model_copy(update={"speed_m_min": speed_m_min})
            self.press.recipe = recipe.model_copy(update={"press": settings_})

    def _web(self, values: Mapping[str, Value], now_ns: int, period_s: float) -> Web:
        """What the web is to do; it is as fast as the press, or as the press will be."""
        drawn = self.press.state in FEEDING and self.now_state is not LineState.FILL
        speed = self.press.speed_m_min if drawn else self.speed_m_min
        web = self.web.look(self.now_state, values, now_ns, period_s, speed)
        return replace(web, doff=self.now_state is LineState.CURE and self.book.winding > 0)

    # -- rolls and lots -------------------------------------------------------------------------------

    def _follow(self, inputs: Inputs, now_ns: int, period_s: float) -> None:
        """Keep the books: what was cast, fed and wound."""
        values = inputs.values
        if any(name not in values for name in FOLLOWED):
            return
        self.cast_m += max(number(values, "caster_speed_m_min"), 0.0) * period_s / 60.0
        if self.now_state is LineState.CLEAR:
            self.cleared_m += number(values, "tail_speed_m_min") * period_s / 60.0
        if self.now_state in CASTS:
            fed_kg_h = sum(number(values, f"kneader_{name}_kg_h") for name in self.product.feeds_kg_h)
            self.lot_book.feed(fed_kg_h * period_s / 3600.0, now_ns, self.cast_m)
        records = self.press.records
        gauge_m = records[-1].start_m + records[-1].length_m if records else 0.0
        if self.now_state in CASTS:
            before_m = before_gauge_m(self.facts, self.machine) + number(values, "store_stored_m")
            self.cast_before_m = self.cast_m - before_m - gauge_m
        in_stations_m = max(self.behind_loop_m - self.cleared_m, 0.0)
        behind_m = self.facts.table_m + number(values, "loop_stored_m") + in_stations_m
        pressed_m = gauge_m - behind_m
        time_ns = inputs.times_ns.get("winder_roll", inputs.time_ns)
        self.book.wind(values, time_ns, pressed_m + self.cast_before_m, pressed_m, records)
        if "laboratory_roll" in values:
            self.book.measure(values, inputs.times_ns.get("laboratory_roll", inputs.time_ns))
        winding = self.book.rolls.get(self.book.winding)
        if winding is not None:
            winding.lots = self.lot_book.between(*winding.cast_m)
