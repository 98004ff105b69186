#include "controller/controller.h"

#include "controller/goals.h"

enum {
    DANGER = ALARM_EMERGENCY_STOP | ALARM_GUARD_OPEN, /* interlocks behind which a person may be */
    /* interlocks after which the belts are not moved until they are released */
    STANDSTILL = DANGER | ALARM_TENSION_LOSS | ALARM_MISTRACKING | ALARM_SPEED_MISMATCH | ALARM_COMMS_WATCHDOG,
    STOPPING = REQUEST_STOP | REQUEST_HOLD | REQUEST_ABORT, /* requests that are kept while data are late */
    HOT_FOR_MS = 60000,     /* what was hot counts as hot for so long */
    MOVING_FOR_MS = 5500,   /* belts that stop and go must not switch the heaters' contactors as often */
    RESET_WINDOW_MS = 1000, /* alarms that are gone so long after a reset were released by it */
    FIRST_PERIOD_MS = 100,
    LONGEST_PERIOD_MS = 1000,
    RAMP = 500,             /* of the belts' speed, mm/min per s: both stay together on it */
    REST = 200,             /* setpoint of what is not heated, 0.1 degrees */
};

enum event {
    EVENT_EMERGENCY = 1 << 0, /* an emergency stop or an open guard */
    EVENT_TRIP = 1 << 1,      /* another interlock of the node, or an alarm of the controller */
    EVENT_START = 1 << 2,
    EVENT_STOP = 1 << 3,
    EVENT_HOLD = 1 << 4,
    EVENT_RESUME = 1 << 5,
    EVENT_RELEASED = 1 << 6,  /* the operator has asked to reset, and no alarm is left */
    EVENT_FED = 1 << 7,       /* the recipe's length of sheet is fed */
    EVENT_DONE = 1 << 8,      /* the goal of the state is reached */
};

struct transition {
    uint8_t from, to;
    uint16_t event;
};

/* In each state the rows are tried from top to bottom. Emergencies and trips stand above the table. */
static const struct transition TRANSITIONS[] = {
    {STATE_IDLE, STATE_PREHEAT, EVENT_START},
    {STATE_PREHEAT, STATE_COOL, EVENT_STOP},
    {STATE_PREHEAT, STATE_TENSION_TRACK, EVENT_DONE},
    {STATE_TENSION_TRACK, STATE_COOL, EVENT_STOP},
    {STATE_TENSION_TRACK, STATE_CLOSE, EVENT_DONE},
    {STATE_CLOSE, STATE_OPEN, EVENT_STOP},
    {STATE_CLOSE, STATE_THREAD, EVENT_DONE},
    {STATE_THREAD, STATE_RUN_OUT, EVENT_STOP},
    {STATE_THREAD, STATE_RUN_OUT, EVENT_FED},
    {STATE_THREAD, STATE_HOLD, EVENT_HOLD},
    {STATE_THREAD, STATE_PRODUCE, EVENT_DONE},
    {STATE_PRODUCE, STATE_RUN_OUT, EVENT_STOP},
    {STATE_PRODUCE, STATE_RUN_OUT, EVENT_FED},
    {STATE_PRODUCE, STATE_HOLD, EVENT_HOLD},
    {STATE_HOLD, STATE_RUN_OUT, EVENT_STOP},
    {STATE_HOLD, STATE_RUN_OUT, EVENT_FED},
    {STATE_HOLD, STATE_THREAD, EVENT_RESUME},
    {STATE_RUN_OUT, STATE_OPEN, EVENT_DONE},
    {STATE_OPEN, STATE_COOL, EVENT_DONE},
    {STATE_COOL, STATE_PREHEAT, EVENT_START},
    {STATE_COOL, STATE_IDLE, EVENT_DONE},
    {STATE_FAULT, STATE_COOL, EVENT_RELEASED},
    {STATE_EMERGENCY_STOP, STATE_COOL, EVENT_RELEASED},
};

/* On a board without a sound recipe: the press opens, cools, and its belts creep while they are hot. */
static const struct recipe NO_RECIPE = {
    .melting_point = INT16_MAX, .hot = REST, .cold = REST, .sheet_mm = 1,
    .entry_clearance = 60000, .clearance = 60000, .open_clearance = 60000,
    .speed = 3000, .creep_speed = 300, .cool_speed = 3000, .tension = 7200, .coolant_flow = 1000, .path_mm = 1,
};

struct controller controller;

static enum state next_state(enum state state, unsigned events) {
    if (events & (EVENT_EMERGENCY | EVENT_TRIP)) {
        /* an emergency stop is not downgraded to a fault by what follows from it */
        return state == STATE_EMERGENCY_STOP || events & EVENT_EMERGENCY ? STATE_EMERGENCY_STOP : STATE_FAULT;
    }
    for (unsigned i = 0; i < sizeof TRANSITIONS / sizeof *TRANSITIONS; i++) {
        if (TRANSITIONS[i].from == state && TRANSITIONS[i].event & events) {
            return (enum state)TRANSITIONS[i].to;
        }
    }
    return state;
}

static void enter(enum state state, int32_t position_mm, uint32_t now_ms) {
    if (state == STATE_THREAD) {
        if (controller.state == STATE_CLOSE) {
            controller.started_mm = position_mm;
        }
        gate_close(&controller.gate, position_mm);
    } else if (state == STATE_FAULT || state == STATE_EMERGENCY_STOP) {
        controller.reset_ms = 0;
    }
    controller.state = state;
    controller.state_ms = now_ms;
    controller.entered_mm = position_mm;
    controller.has_settled = false;
}

/* -- events ------------------------------------------------------------------------------------------------------ */

/* A goal counts once it has held for its settling time. */
static bool is_done(const struct inputs *inputs, int32_t position_mm, uint32_t now_ms) {
    if (!goal_is_reached(controller.state, controller.recipe, inputs, travel(controller.entered_mm, position_mm),
                         travel(controller.started_mm, position_mm))) {
        controller.has_settled = false;
        return false;
    }
    if (!controller.has_settled) {
        controller.has_settled = true;
        controller.settled_ms = now_ms;
    }
    return now_ms - controller.settled_ms >= goal_settles_ms(controller.state);
}

static bool accepts_recipe(void) {
    const struct recipe *recipe = controller.recipe;
    controller.refused_claim = recipe->flags & RECIPE_KEEPS_CLAIMS ? (uint8_t)recipe_fails_claim(recipe) : 0;
    return controller.refused_claim == 0;
}

static unsigned events_in(const struct inputs *inputs, int32_t position_mm, uint32_t now_ms) {
    unsigned asked = controller.requests, events = 0;
    unsigned interlocks = inputs->words[INPUT_ALARM_WORD];
    controller.requests = 0;
    if (asked & REQUEST_ABORT && controller.state != STATE_IDLE && controller.state < STATE_FAULT) {
        raise_alarm(&controller.alarms, ALARM_OF_ABORT);
    }
    if (controller.is_reset) {
        controller.reset_ms = now_ms | 1;
    }
    /* the node takes a scan or two to release its interlocks; a reset that failed is no reset */
    bool just_reset = controller.reset_ms != 0 && now_ms - controller.reset_ms <= RESET_WINDOW_MS;
    if (interlocks & DANGER) {
        events |= EVENT_EMERGENCY;
    } else if (interlocks || controller.alarms.active) {
        events |= EVENT_TRIP;
    } else if (just_reset) {
        events |= EVENT_RELEASED;
    }
    events |= asked & REQUEST_START && accepts_recipe() ? EVENT_START : 0u;
    events |= asked & REQUEST_STOP ? EVENT_STOP : 0u;
    events |= asked & REQUEST_HOLD ? EVENT_HOLD : 0u;
    events |= asked & REQUEST_RESUME ? EVENT_RESUME : 0u;
    events |= travel(controller.started_mm, position_mm) >= controller.recipe->sheet_mm ? EVENT_FED : 0u;
    events |= is_done(inputs, position_mm, now_ms) ? EVENT_DONE : 0u;
    return events;
}

/* -- commands ---------------------------------------------------------------------------------------------------- */

static void set(unsigned address, int32_t value) {
    controller.commands.registers[address] = (uint16_t)value;
}

static void set_all(unsigned first, unsigned count, int32_t value) {
    for (unsigned i = 0; i < count; i++) {
        set(first + i, value);
    }
}

static void set_registers(const struct recipe *recipe, struct wishes wishes) {
    bool is_closed = (wishes.what & WISH_CLOSED) != 0;
    int32_t hot = wishes.what & WISH_HEAT ? recipe->hot : REST;
    int32_t clearance = is_closed ? recipe->clearance : recipe->open_clearance;
    set_all(HOLDING_HEAT_1_UPPER_SETPOINT_C, HEAT_PLATES, hot);
    set_all(HOLDING_COLD_1_UPPER_SETPOINT_C, COLD_PLATES, recipe->cold);
    set_all(HOLDING_ENTRY_DRUM_UPPER_SETPOINT_C, 2, hot);
    set_all(HOLDING_ENTRY_LEFT_CLEARANCE_SETPOINT_UM, 2, is_closed ? recipe->entry_clearance : recipe->open_clearance);
    set_all(HOLDING_TAPER_END_LEFT_CLEARANCE_SETPOINT_UM, 2, clearance);
    set_all(HOLDING_COLD_LEFT_CLEARANCE_SETPOINT_UM, 2, clearance);
    set_all(HOLDING_BELT_UPPER_SPEED_SETPOINT_M_MIN, 2, wishes.what & WISH_DRIVE ? controller.speed : 0);
    set_all(HOLDING_BELT_UPPER_TENSION_SETPOINT_KN_M, 2, recipe->tension);
    set(HOLDING_COOLANT_FLOW_SETPOINT_L_MIN, recipe->coolant_flow);
    uint16_t *heartbeat = &controller.commands.registers[HOLDING_CONTROLLER_HEARTBEAT];
    *heartbeat = *heartbeat == UINT16_MAX ? 1 : (uint16_t)(*heartbeat + 1);
}

static void set_switches(unsigned wishes, bool is_product, bool is_at_gauge) {
    static const uint16_t SWITCHES[] = {
        COIL_COOLING_ENABLE, COIL_HYDRAULICS_ENABLE, COIL_TENSION_ENABLE, COIL_DRIVES_ENABLE,
        COIL_HEATING_ENABLE, 0 /* clearances */,     COIL_FEED_ENABLE,    COIL_FAST_OPEN,
    };
    unsigned switches = controller.is_reset ? COIL_ALARM_RESET : 0u;
    for (unsigned i = 0; i < sizeof SWITCHES / sizeof *SWITCHES; i++) {
        switches |= wishes >> i & 1 ? SWITCHES[i] : 0u;
    }
    switches |= is_product ? 0u : COIL_SCRAP_DIVERT | (is_at_gauge ? COIL_SCRAP_MARK : 0u);
    controller.commands.switches = (uint16_t)switches;
}

static void command(const struct inputs *inputs, int32_t position_mm, int32_t period_ms, uint32_t now_ms) {
    const struct recipe *recipe = controller.recipe;
    /* a thermocouple that comes and goes does not switch the drives */
    bool is_hot = press_is_hot(inputs);
    if (controller.state == STATE_FAULT && is_hot) {
        controller.hot_ms = now_ms | 1;
    }
    is_hot = is_hot || (controller.hot_ms != 0 && now_ms - controller.hot_ms < HOT_FOR_MS);
    bool is_moving = contact(inputs, CONTACT_BELTS_MOVING) && contact(inputs, CONTACT_COOLANT_FLOWING);
    if (!is_moving) {
        controller.still_ms = now_ms | 1;
    }
    is_moving = is_moving && (controller.still_ms == 0 || now_ms - controller.still_ms >= MOVING_FOR_MS);
    struct wishes wishes = wishes_in(controller.state, recipe, inputs, is_hot, is_moving);
    if (inputs->words[INPUT_ALARM_WORD] & STANDSTILL || controller.alarms.active & ALARM_OF_RESTART) {
        wishes.what &= ~(unsigned)WISH_DRIVE;
        wishes.speed = 0;
    }
    /* the ramp goes both ways, and stopping needs none */
    int32_t step = RAMP * period_ms / 1000, change = wishes.speed - controller.speed;
    controller.speed += change > step ? step : change < -step ? -step : change;
    if (wishes.speed == 0) {
        controller.speed = 0;
    }
    set_registers(recipe, wishes);
    int32_t travel_mm = controller.has_scanned ? travel(controller.position_mm, position_mm) : 0;
    for (unsigned side = 0; side < 2; side++) {
        int32_t edge = sensed_signed(inputs, INPUT_BELT_UPPER_EDGE_POSITION_MM + side);
        int32_t angle = steer(&controller.steering[side], edge, travel_mm, period_ms);
        set(HOLDING_BELT_UPPER_STEERING_SETPOINT_DEG + side, angle);
    }
    bool is_gated = controller.state == STATE_THREAD || controller.state == STATE_PRODUCE ||
                    controller.state == STATE_RUN_OUT;
    bool is_product = gate_lets_pass(&controller.gate, recipe, inputs, position_mm) && is_gated;
    set_switches(wishes.what, is_product, is_gated && contact(inputs, CONTACT_SHEET_AT_RECOVERED_GAUGE));
}

/* -- the scan ---------------------------------------------------------------------------------------------------- */

void controller_begin(const struct recipe *recipe, uint32_t now_ms) {
    controller = (struct controller){.recipe = recipe, .scan_ms = now_ms, .data_ms = now_ms};
    if (!recipe_is_sound(recipe)) {
        controller.recipe = &NO_RECIPE;
        raise_alarm(&controller.alarms, ALARM_OF_RECIPE);
    }
}

void controller_ask(unsigned requests) {
    controller.requests |= (uint16_t)requests;
}

/* First of all, so that a cause that is still there raises its alarm again. */
static void reset_alarms(void) {
    controller.is_reset = (controller.requests & REQUEST_RESET) != 0;
    if (controller.is_reset) {
        controller.alarms.active &= ALARM_OF_RECIPE; /* which nothing but a recipe helps */
        controller.alarms.first = controller.alarms.active;
        controller.requests &= ~(unsigned)REQUEST_RESET;
    }
}

bool controller_scan(const struct inputs *inputs, uint32_t now_ms) {
    reset_alarms();
    uint32_t age_ms = watch_age_ms(&controller.watch, inputs, now_ms, &controller.alarms);
    if (age_ms > 0 && (int32_t)(now_ms - age_ms - controller.data_ms) <= 0) {
        controller_wait(now_ms);
        return false; /* an answer to an earlier request: what is known already is newer */
    }
    controller.data_ms = now_ms - age_ms;
    if (age_ms > FRESH_MS) {
        controller_wait(now_ms);
        return false;
    }
    uint32_t elapsed_ms = now_ms - controller.scan_ms;
    int32_t period_ms = !controller.has_scanned ? FIRST_PERIOD_MS
                        : elapsed_ms > LONGEST_PERIOD_MS ? LONGEST_PERIOD_MS : (int32_t)elapsed_ms;
    int32_t position_mm = belt_position(inputs);
    uint32_t limit_ms = state_limit_ms(controller.state, controller.recipe);
    int32_t told_speed = controller.commands.switches & COIL_DRIVES_ENABLE ? controller.speed : 0;
    watch_inputs(&controller.watch, inputs, controller.recipe, controller.state, told_speed, now_ms,
                 &controller.alarms);
    if (limit_ms > 0 && now_ms - controller.state_ms > limit_ms) {
        raise_alarm(&controller.alarms, ALARM_OF_SLOW_STATE);
    }
    enum state state = next_state(controller.state, events_in(inputs, position_mm, now_ms));
    if (state != controller.state) {
        enter(state, position_mm, now_ms);
    }
    command(inputs, position_mm, period_ms, now_ms);
    controller.position_mm = position_mm;
    controller.scan_ms = now_ms;
    controller.has_scanned = true;
    return true;
}

bool controller_wait(uint32_t now_ms) {
    reset_alarms();
    controller.requests &= STOPPING; /* what starts something must be asked for again */
    if (now_ms - controller.data_ms > STALE_MS) {
        raise_alarm(&controller.alarms, ALARM_OF_STALE_DATA);
    }
    if (!controller.alarms.active || now_ms - controller.data_ms <= STALE_MS) {
        return false;
    }
    if (controller.state != STATE_FAULT && controller.state != STATE_EMERGENCY_STOP) {
        enter(STATE_FAULT, controller.position_mm, now_ms);
    }
    controller.commands.switches &= ~(unsigned)(COIL_HEATING_ENABLE | COIL_DRIVES_ENABLE | COIL_FEED_ENABLE);
    controller.commands.switches |= COIL_FAST_OPEN | COIL_SCRAP_DIVERT;
    return true;
}

void controller_object(enum alarm alarm) {
    raise_alarm(&controller.alarms, alarm);
}
