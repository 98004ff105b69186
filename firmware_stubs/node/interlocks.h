/* Hard interlocks: what the node does by itself, whatever the controller wants; as emulator/node/interlocks.py. */
#ifndef NODE_INTERLOCKS_H
#define NODE_INTERLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "generated/node_map.h"

/* Raw values of channels that are looked at together. */
struct range {
    int32_t lowest, highest;
};

static inline bool is_outside(struct range range, int32_t below, int32_t above) {
    return range.lowest < below || range.highest > above;
}

/* What the interlocks look at, refreshed by every scan. */
struct sensed {
    bool emergency_stop;
    bool guard_open;
    bool tension_wanted;
    bool belts_driven;
    bool cooling_needed;
    bool energised;
    bool watchdog_expired;
    bool tight; /* both tensions are those that are wanted */
    double watchdog_left_s;
    double smallest_tension_fraction;
    double speed_difference_percent;
    int32_t hottest; /* readings as raw values, to be compared with ABOVE_... and BELOW_... */
    int32_t largest_force;
    int32_t coolant_flow;
    struct range edges;
    struct range speeds;
};

struct interlocks {
    bool latched[INTERLOCKS];
    uint8_t first_out; /* number of the row that tripped first, from 1; 0: none */
    uint8_t taken;     /* what is taken away now, bits TAKES_... */
    int64_t since_ns[INTERLOCKS]; /* since when the cause is there, NOT_PRESENT_NS if it is not */
};

void interlocks_power_on(struct interlocks *state);

/* Advance the latches by one scan. With `reset` those are released whose cause is gone. */
void interlocks_judge(struct interlocks *state, const struct sensed *sensed, int64_t now_ns, bool reset);

/* Is anything latched? */
bool interlocks_tripped(const struct interlocks *state);

#endif
