#include "controller/gate.h"

/* limits of the claims less what the gauges and this estimate may be off, in the units of the registers */
enum {
    HOT_AT_LEAST_BELOW_MELTING = 105,
    HOT_AT_MOST_BELOW_MELTING = 295,
    COLD_AT_MOST = 390,
    RECOVERY_PER_MILLE_AT_MOST = 185,
    COEFFICIENT_HUNDREDTHS_AT_LEAST = 520,
    PRESSED = 15,           /* kN / 10 on both sides of a roller group */
    SPEEDS_APART_PER_MILLE = 10,
    COVERED_MM = 300,       /* so much sheet under a roller group before it must press */
};

void gate_close(struct gate *gate, int32_t position_mm) {
    gate->has_front = false;
    gate->good_since_mm = position_mm;
}

static bool is_rolled_hot_and_pressed_cold(const struct recipe *recipe, const struct inputs *inputs) {
    bool right = sensed_signed(inputs, INPUT_SHEET_EXIT_TEMPERATURE_C) <= COLD_AT_MOST ||
                 !contact(inputs, CONTACT_SHEET_AT_EXIT);
    for (unsigned i = 0; i < HEAT_PLATES; i++) {
        int32_t below = recipe->melting_point - sensed_signed(inputs, INPUT_HEAT_1_UPPER_TEMPERATURE_C + i);
        right = right && below >= HOT_AT_LEAST_BELOW_MELTING && below <= HOT_AT_MOST_BELOW_MELTING;
    }
    return right;
}

static bool presses(const struct inputs *inputs, unsigned left) {
    return sensed(inputs, left) + sensed(inputs, left + 1) > PRESSED;
}

/* Is there sheet from COVERED_MM behind one place to COVERED_MM before the other? Places are mm from the entry. */
static bool is_covered(const struct gate *gate, int32_t position_mm, int32_t from_mm, int32_t to_mm) {
    int32_t front_mm = travel(gate->front_mm, position_mm), tail_mm = travel(gate->tail_mm, position_mm);
    return gate->has_front && front_mm > from_mm + COVERED_MM && tail_mm < to_mm - COVERED_MM;
}

static bool is_pressed(const struct gate *gate, const struct recipe *recipe, const struct inputs *inputs,
                       int32_t position_mm) {
    bool in_heat = is_covered(gate, position_mm, recipe->taper_end_mm, recipe->heat_end_mm);
    bool in_cold = is_covered(gate, position_mm, recipe->heat_end_mm, recipe->pressing_mm);
    return (!in_heat || presses(inputs, INPUT_TAPER_END_LEFT_LINE_FORCE_KN)) &&
           (!in_cold || presses(inputs, INPUT_COLD_LEFT_LINE_FORCE_KN));
}

static bool belts_run_together(const struct inputs *inputs) {
    int32_t upper = sensed(inputs, INPUT_BELT_UPPER_SPEED_M_MIN), lower = sensed(inputs, INPUT_BELT_LOWER_SPEED_M_MIN);
    int32_t apart = upper > lower ? upper - lower : lower - upper;
    return apart * 1000 <= SPEEDS_APART_PER_MILLE * upper;
}

/* What the last gauge shows of the sheet under it, against the claims of recovery and rolling. */
static bool is_rolled_enough(const struct recipe *recipe, const struct inputs *inputs) {
    int32_t thickness = sensed(inputs, INPUT_RECOVERED_THICKNESS_UM);
    int32_t clearance = both_sides(inputs, INPUT_TAPER_END_LEFT_CLEARANCE_UM);
    int32_t cold = both_sides(inputs, INPUT_COLD_LEFT_CLEARANCE_UM);
    int32_t smallest = clearance < cold ? clearance : cold;
    int32_t opening = both_sides(inputs, INPUT_ENTRY_LEFT_CLEARANCE_UM) - clearance;
    int32_t above = both_sides(inputs, INPUT_ENTRY_LEFT_CLEARANCE_UM) - recipe->sheet_thickness;
    int32_t speed = sensed(inputs, INPUT_BELT_UPPER_SPEED_M_MIN);
    speed = speed > recipe->speed ? speed : recipe->speed; /* slower now is no help to sheet that came faster */
    if (thickness <= 0 || smallest <= 0) {
        return false;
    }
    /* where in the taper the belts touch the sheet */
    int32_t contact_mm = above > 0 && opening > 0 ? recipe->taper_end_mm * above / opening : 0;
    int64_t coefficient = (int64_t)recipe->sheet_thickness * (recipe->pressing_mm - contact_mm) * 100;
    return (thickness - smallest) * 1000 <= RECOVERY_PER_MILLE_AT_MOST * smallest &&
           coefficient >= (int64_t)COEFFICIENT_HUNDREDTHS_AT_LEAST * thickness * speed;
}

bool gate_lets_pass(struct gate *gate, const struct recipe *recipe, const struct inputs *inputs, int32_t position_mm) {
    if (contact(inputs, CONTACT_SHEET_AT_ENTRY)) {
        if (!gate->has_front) {
            gate->has_front = true;
            gate->front_mm = position_mm;
        }
        gate->tail_mm = position_mm;
    }
    if (!is_rolled_hot_and_pressed_cold(recipe, inputs) || !is_pressed(gate, recipe, inputs, position_mm) ||
        !belts_run_together(inputs)) {
        gate->good_since_mm = position_mm;
    }
    return travel(gate->good_since_mm, position_mm) >= recipe->path_mm &&
           contact(inputs, CONTACT_SHEET_AT_RECOVERED_GAUGE) && is_rolled_enough(recipe, inputs);
}
