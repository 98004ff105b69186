#include "node/interlocks.h"

#define NOT_PRESENT_NS (-1)

void interlocks_power_on(struct interlocks *state) {
    *state = (struct interlocks){0};
    for (unsigned row = 0; row < INTERLOCKS; row++) {
        state->since_ns[row] = NOT_PRESENT_NS;
    }
}

/* Is this danger there now? */
static bool is_present(unsigned row, const struct sensed *s) {
    switch (row) {
    case INTERLOCK_EMERGENCY_STOP:
        return s->emergency_stop;
    case INTERLOCK_OVER_TEMPERATURE:
        return s->hottest > ABOVE_LIMIT_ZONE_TEMPERATURE_C;
    case INTERLOCK_OVER_FORCE:
        return s->largest_force > ABOVE_LIMIT_LINE_FORCE_KN;
    case INTERLOCK_TENSION_LOSS:
        return s->tension_wanted && less(s->smallest_tension_fraction, LIMIT_TENSION_FRACTION);
    case INTERLOCK_MISTRACKING:
        return is_outside(s->edges, BELOW_MINUS_LIMIT_EDGE_POSITION_MM, ABOVE_LIMIT_EDGE_POSITION_MM);
    case INTERLOCK_SPEED_MISMATCH:
        return s->belts_driven && less(LIMIT_SPEED_DIFFERENCE_PERCENT, s->speed_difference_percent);
    case INTERLOCK_COOLANT_LOSS:
        return s->cooling_needed && s->coolant_flow < BELOW_LIMIT_COOLANT_FLOW_L_MIN;
    case INTERLOCK_COMMS_WATCHDOG:
        return s->watchdog_expired;
    case INTERLOCK_GUARD_OPEN:
        return s->guard_open;
    default:
        return true; /* a row that nobody looks after is a danger */
    }
}

void interlocks_judge(struct interlocks *state, const struct sensed *sensed, int64_t now_ns, bool reset) {
    state->taken = 0;
    for (unsigned row = 0; row < INTERLOCKS; row++) {
        if (!is_present(row, sensed)) {
            state->since_ns[row] = NOT_PRESENT_NS;
            if (reset) {
                state->latched[row] = false;
            }
        } else {
            if (state->since_ns[row] == NOT_PRESENT_NS) {
                state->since_ns[row] = now_ns;
            }
            if (!state->latched[row] && now_ns - state->since_ns[row] >= INTERLOCK_ROWS[row].delay_ns) {
                state->latched[row] = true;
                if (state->first_out == 0) {
                    state->first_out = (uint8_t)(row + 1);
                }
            }
        }
        if (state->latched[row]) {
            state->taken |= INTERLOCK_ROWS[row].takes_away;
        }
    }
    if (reset && !interlocks_tripped(state)) {
        state->first_out = 0;
    }
}

bool interlocks_tripped(const struct interlocks *state) {
    for (unsigned row = 0; row < INTERLOCKS; row++) {
        if (state->latched[row]) {
            return true;
        }
    }
    return false;
}
