#include "node/loops.h"

#include "node/number.h"

/* The setpoint behind its ramp moves on, and the temperature may have changed: what the difference of the two asks for. */
static void compare(struct loop *loop, const struct loop_plan *plan, double measured_c, double setpoint_c) {
    bool is_there = !less(loop->ramped_c, setpoint_c) && !less(setpoint_c, loop->ramped_c);
    if (is_there && loop->is_compared && is_same(measured_c, loop->measured_c)) {
        return; /* as before */
    }
    if (!is_there) {
        /* the ramp starts from where the plate is and never runs away from it */
        loop->ramped_c += between(setpoint_c - loop->ramped_c, -plan->ramp_k, plan->ramp_k);
    }
    loop->measured_c = measured_c;
    loop->proportional = plan->gain_per_k * (loop->ramped_c - measured_c);
    loop->change = loop->proportional * plan->step;
    loop->wanted = loop->proportional + loop->integral;
    loop->is_compared = true;
}

void loop_scan(struct loop *loop, const struct loop_plan *plan, double measured_c, double setpoint_c, bool enabled) {
    if (!enabled) {
        loop->integral = 0.0;
        loop->output = 0.0;
        loop->ramped_c = measured_c;
        loop->is_compared = false;
        return;
    }
    compare(loop, plan, measured_c, setpoint_c);
    double change = loop->change, wanted = loop->wanted;
    bool is_held = (!less(wanted, 1.0) && less(0.0, change)) || (!less(0.0, wanted) && less(change, 0.0));
    if (!is_held) {
        double integral = between(loop->integral + change, 0.0, 1.0);
        if (!is_same(integral, loop->integral)) {
            loop->integral = integral;
            loop->wanted = loop->proportional + integral;
        }
    }
    loop->output = between(loop->wanted, 0.0, 1.0);
}
