/* Temperature loops: PI with a ramped setpoint and no wind-up, as emulator/node/loops.py. */
#ifndef NODE_LOOPS_H
#define NODE_LOOPS_H

#include <stdbool.h>

struct loop_plan {
    bool cools;
    unsigned char channel; /* of the ADC: what it holds */
    double gain_per_k;     /* negative where the output cools */
    double step;           /* share of the proportional part that is integrated per scan */
    double ramp_k;         /* how far the setpoint moves per scan */
};

struct loop {
    double integral; /* part of the output */
    double ramped_c; /* the setpoint behind its ramp */
    double output;   /* 0 to 1 */
    /* what was compared last, and what it asks for: neither moves every scan */
    bool is_compared;
    double measured_c;
    double proportional; /* part of the output */
    double change;       /* of the integral */
    double wanted;       /* sum of both parts */
};

/* One scan of one loop. */
void loop_scan(struct loop *loop, const struct loop_plan *plan, double measured_c, double setpoint_c, bool enabled);

#endif
