#include "controller/steering.h"

enum {
    GAIN_TENTHS = 4,      /* thousandths of degrees per hundredth of mm, / 10: 0.04 degrees per mm */
    SUM_PER_ANGLE = 25000, /* 0.004 degrees per mm and metre */
    ANGLE_LIMIT = 450,    /* inside the 0.5 degrees of the drum, so that there is something left to act with */
    SUM_LIMIT = ANGLE_LIMIT * SUM_PER_ANGLE,
    RATE_PER_S = 100,
    DEADBAND = 4,         /* the noise of the edge's sensor is not worth a movement */
};

static int32_t within(int32_t value, int32_t limit) {
    return value > limit ? limit : value < -limit ? -limit : value;
}

int32_t steer(struct steering *steering, int32_t edge, int32_t travel_mm, int32_t period_ms) {
    if (travel_mm <= 0) {
        return steering->angle;
    }
    int32_t wanted = -edge * GAIN_TENTHS / 10 - steering->sum / SUM_PER_ANGLE;
    int32_t possible = within(wanted, ANGLE_LIMIT);
    if (wanted == possible || (wanted > 0) == (edge > 0)) {
        /* at the limit the integral only moves back */
        steering->sum = within(steering->sum + edge * within(travel_mm, 1000), SUM_LIMIT);
    }
    int32_t change = possible - steering->angle;
    if (change > DEADBAND || change < -DEADBAND) {
        steering->angle += within(change, RATE_PER_S * period_ms / 1000);
    }
    return steering->angle;
}
