#include "controller/goals.h"

enum {
    AT_TEMPERATURE = 15,    /* a zone is at temperature within this of its setpoint */
    DRUM_NEAR = 100,        /* the entry drums only preheat the belts, and at speed do not quite get there */
    AT_SPEED_PERCENT = 3,   /* the rollers' resistance ripples with the nips */
    CENTRED = 200,
    AT_CLEARANCE = 150,
    PATH_MARGIN = 300,      /* mm by which the path of a recipe is longer than the way to the last gauge */
    COOL = 500,             /* a press below this may stand */
    HOT = 600,              /* one above this must not */
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
};

static bool near(int32_t value, int32_t wanted, int32_t within) {
    return value - wanted < within && wanted - value < within;
}

static int32_t plate(const struct inputs *inputs, unsigned number) {
    return sensed_signed(inputs, INPUT_HEAT_1_UPPER_TEMPERATURE_C + number);
}

static int32_t hottest(const struct inputs *inputs) {
    int32_t upper = sensed_signed(inputs, INPUT_ENTRY_DRUM_UPPER_TEMPERATURE_C);
    int32_t lower = sensed_signed(inputs, INPUT_ENTRY_DRUM_LOWER_TEMPERATURE_C);
    int32_t highest = upper > lower ? upper : lower;
    for (unsigned i = 0; i < HEAT_PLATES + COLD_PLATES; i++) {
        highest = plate(inputs, i) > highest ? plate(inputs, i) : highest;
    }
    return highest;
}

bool press_is_hot(const struct inputs *inputs) {
    return hottest(inputs) > HOT;
}

struct wishes wishes_in(enum state state, const struct recipe *recipe, const struct inputs *inputs, bool is_hot,
                        bool is_moving) {
    enum { READY = WISH_COOLANT | WISH_HYDRAULICS | WISH_TENSION };
    unsigned heat = is_moving ? WISH_HEAT : 0; /* never a hot belt that stands, and never heat without coolant */
    unsigned drive = contact(inputs, CONTACT_TENSION_READY) ? WISH_DRIVE : 0;
    unsigned feed = contact(inputs, CONTACT_PRESS_OPEN) ? 0 : WISH_FEED;
    switch (state) {
    case STATE_PREHEAT:
        return (struct wishes){READY | drive | heat, recipe->creep_speed};
    case STATE_TENSION_TRACK:
        return (struct wishes){READY | WISH_DRIVE | heat, recipe->speed};
    case STATE_CLOSE:
    case STATE_RUN_OUT:
        return (struct wishes){READY | WISH_DRIVE | heat | WISH_CLOSED, recipe->speed};
    case STATE_THREAD:
    case STATE_PRODUCE:
        return (struct wishes){READY | WISH_DRIVE | heat | WISH_CLOSED | feed, recipe->speed};
    case STATE_HOLD:
        return (struct wishes){READY | WISH_DRIVE | heat | WISH_CLOSED | feed, recipe->creep_speed};
    case STATE_OPEN:
        return (struct wishes){READY | WISH_DRIVE, recipe->speed};
    case STATE_COOL:
        return (struct wishes){READY | drive, recipe->cool_speed};
    case STATE_FAULT:
        return (struct wishes){READY | WISH_FAST_OPEN | (is_hot ? drive : 0u), recipe->creep_speed};
    case STATE_EMERGENCY_STOP:
        return (struct wishes){READY | WISH_FAST_OPEN, 0};
    default:
        return (struct wishes){0, 0};
    }
}

static bool at_temperature(const struct recipe *recipe, const struct inputs *inputs) {
    bool there = near(sensed_signed(inputs, INPUT_ENTRY_DRUM_UPPER_TEMPERATURE_C), recipe->hot, DRUM_NEAR) &&
                 near(sensed_signed(inputs, INPUT_ENTRY_DRUM_LOWER_TEMPERATURE_C), recipe->hot, DRUM_NEAR);
    for (unsigned i = 0; i < HEAT_PLATES; i++) {
        there = there && near(plate(inputs, i), recipe->hot, AT_TEMPERATURE);
    }
    for (unsigned i = HEAT_PLATES; i < HEAT_PLATES + COLD_PLATES; i++) {
        there = there && plate(inputs, i) < recipe->cold + AT_TEMPERATURE;
    }
    return there;
}

static bool at_speed(const struct recipe *recipe, const struct inputs *inputs) {
    int32_t within = recipe->speed * AT_SPEED_PERCENT / 100;
    return near(sensed(inputs, INPUT_BELT_UPPER_SPEED_M_MIN), recipe->speed, within) &&
           near(sensed(inputs, INPUT_BELT_LOWER_SPEED_M_MIN), recipe->speed, within);
}

static bool on_track(const struct inputs *inputs) {
    return near(sensed_signed(inputs, INPUT_BELT_UPPER_EDGE_POSITION_MM), 0, CENTRED) &&
           near(sensed_signed(inputs, INPUT_BELT_LOWER_EDGE_POSITION_MM), 0, CENTRED) &&
           contact(inputs, CONTACT_TENSION_READY);
}

static bool at_clearance(const struct recipe *recipe, const struct inputs *inputs) {
    bool there = true;
    for (unsigned side = 0; side < 2; side++) {
        int32_t entry = sensed(inputs, INPUT_ENTRY_LEFT_CLEARANCE_UM + side);
        int32_t taper_end = sensed(inputs, INPUT_TAPER_END_LEFT_CLEARANCE_UM + side);
        int32_t cold = sensed(inputs, INPUT_COLD_LEFT_CLEARANCE_UM + side);
        there = there && near(entry, recipe->entry_clearance, AT_CLEARANCE) &&
                near(taper_end, recipe->clearance, AT_CLEARANCE) && near(cold, recipe->clearance, AT_CLEARANCE);
    }
    return there;
}

bool goal_is_reached(enum state state, const struct recipe *recipe, const struct inputs *inputs, int32_t travelled_mm,
                     int32_t fed_mm) {
    enum { SHEET = CONTACT_SHEET_AT_ENTRY | CONTACT_SHEET_AT_EXIT | CONTACT_SHEET_AT_RECOVERED_GAUGE };
    switch (state) {
    case STATE_PREHEAT:
        return at_temperature(recipe, inputs);
    case STATE_TENSION_TRACK:
        return at_temperature(recipe, inputs) && at_speed(recipe, inputs) && on_track(inputs);
    case STATE_CLOSE:
        return at_clearance(recipe, inputs);
    case STATE_THREAD:
        /* what a run before has left on the table may pass the gauge first */
        return contact(inputs, CONTACT_SHEET_AT_RECOVERED_GAUGE) && fed_mm >= recipe->path_mm - PATH_MARGIN &&
               at_speed(recipe, inputs);
    case STATE_RUN_OUT:
        return !contact(inputs, SHEET) && travelled_mm >= recipe->path_mm;
    case STATE_OPEN:
        return contact(inputs, CONTACT_PRESS_OPEN);
    case STATE_COOL:
        return hottest(inputs) < COOL && contact(inputs, CONTACT_PRESS_OPEN);
    default:
        return false;
    }
}

uint32_t goal_settles_ms(enum state state) {
    switch (state) {
    case STATE_PREHEAT: /* the belts have gone round by then at least in part */
    case STATE_TENSION_TRACK:
        return MINUTE_MS;
    case STATE_CLOSE:
        return 3 * SECOND_MS;
    case STATE_RUN_OUT:
        return 2 * SECOND_MS;
    default:
        return SECOND_MS;
    }
}

uint32_t state_limit_ms(enum state state, const struct recipe *recipe) {
    switch (state) {
    case STATE_PREHEAT:
        return 3 * HOUR_MS;
    case STATE_TENSION_TRACK:
        return HOUR_MS;
    case STATE_CLOSE:
    case STATE_OPEN:
        return 2 * MINUTE_MS;
    case STATE_THREAD:
    case STATE_RUN_OUT: /* as long as the sheet's way takes, and half of it again */
        return (uint32_t)(recipe->path_mm * 3 / 2 * 60 / recipe->speed) * SECOND_MS + 2 * MINUTE_MS;
    case STATE_COOL:
        return 6 * HOUR_MS;
    default:
        return 0;
    }
}
