/* Hard interlocks: what the node does by itself, whatever the controller wants; as emulator/node/interlocks.py. */
#ifndef NODE_INTERLOCKS_H
#define NODE_INTERLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "generated/node_map.h"

/* What the interlocks look at, refreshed by every scan. */
struct sensed {
    bool emergency_stop;
    bool guard_open;
    bool tension_wanted;
    bool belts_driven;
    bool cooling_needed;
    bool energised;
    bool watchdog_expired;
    double watchdog_left_s;
    double hottest_c;
    double largest_force_kn;
    double smallest_tension_fraction;
    double largest_edge_mm;
    double speed_difference_percent;
    double coolant_flow_l_min;
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
