/* What the press sensed, as its registers showed it: all of them of one scan of the node. */
#ifndef CONTROLLER_INPUTS_H
#define CONTROLLER_INPUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "generated/press_map.h"

struct inputs {
    uint16_t words[SENSED_REGISTERS];
};

static inline int32_t sensed(const struct inputs *inputs, unsigned address) {
    return inputs->words[address];
}

static inline int32_t sensed_signed(const struct inputs *inputs, unsigned address) {
    return (int16_t)inputs->words[address];
}

static inline uint32_t sensed_long(const struct inputs *inputs, unsigned address) {
    return (uint32_t)inputs->words[address] << 16 | inputs->words[address + 1];
}

static inline bool contact(const struct inputs *inputs, unsigned bits) {
    return (inputs->words[INPUT_CONTACTS_WORD] & bits) != 0;
}

/* What both belts have done on the way, mm. It wraps: only travel() from one to another means something. */
static inline int32_t belt_position(const struct inputs *inputs) {
    uint32_t upper = sensed_long(inputs, INPUT_BELT_UPPER_POSITION_M);
    uint32_t lower = sensed_long(inputs, INPUT_BELT_LOWER_POSITION_M);
    return (int32_t)(lower + (uint32_t)((int32_t)(upper - lower) / 2));
}

/* The way from one position of the belts to another, mm. */
static inline int32_t travel(int32_t from_mm, int32_t to_mm) {
    return (int32_t)((uint32_t)to_mm - (uint32_t)from_mm);
}

/* Mean of the left and the right side. */
static inline int32_t both_sides(const struct inputs *inputs, unsigned left) {
    return (sensed(inputs, left) + sensed(inputs, left + 1)) / 2;
}

_Static_assert(PER_UNIT_HEAT_1_UPPER_TEMPERATURE_C == 10 && PER_UNIT_ENTRY_LEFT_CLEARANCE_UM == 10 &&
                   PER_UNIT_ENTRY_LEFT_LINE_FORCE_KN == 10 && PER_UNIT_EXIT_THICKNESS_UM == 10,
               "this program counts in tenths of degrees, micrometres and kilonewtons");
_Static_assert(PER_UNIT_BELT_UPPER_SPEED_M_MIN == 1000 && PER_UNIT_BELT_UPPER_POSITION_M == 1000 &&
                   PER_UNIT_BELT_UPPER_EDGE_POSITION_MM == 100 && PER_UNIT_BELT_UPPER_STEERING_SETPOINT_DEG == 1000,
               "this program counts in millimetres, hundredths of them at the edge, and thousandths of degrees");

#endif
