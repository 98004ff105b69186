#include "node/loops.h"

#include "node/number.h"

void loop_scan(struct loop *loop, const struct loop_plan *plan, double measured_c, double setpoint_c, bool enabled) {
    if (!enabled) {
        loop->integral = 0.0;
        loop->output = 0.0;
        loop->ramped_c = measured_c;
        return;
    }
    /* the ramp starts from where the plate is and never runs away from it */
    loop->ramped_c += between(setpoint_c - loop->ramped_c, -plan->ramp_k, plan->ramp_k);
    double error = loop->ramped_c - measured_c;
    double proportional = plan->gain_per_k * error;
    double wanted = proportional + loop->integral;
    double change = proportional * plan->step;
    bool is_held = (!less(wanted, 1.0) && less(0.0, change)) || (!less(0.0, wanted) && less(change, 0.0));
    if (!is_held) {
        loop->integral = between(loop->integral + change, 0.0, 1.0);
    }
    loop->output = between(proportional + loop->integral, 0.0, 1.0);
}
