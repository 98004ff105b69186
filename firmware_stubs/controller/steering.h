/* Keeping a belt centred: PI on its edge, per metre of travel, with a limit on angle and rate. */
#ifndef CONTROLLER_STEERING_H
#define CONTROLLER_STEERING_H

#include <stdint.h>

struct steering {
    int32_t sum;   /* edge by travel, hundredths of mm * mm */
    int32_t angle; /* last command, thousandths of degrees */
};

/*
 * One scan.
 *
 * edge:       position, positive to the right, hundredths of mm.
 * travel_mm:  of the belt since the last scan; a belt that stands is not steered.
 * period_ms:  since the last scan.
 *
 * Returns the angle, positive moves the belt to the right, thousandths of degrees.
 */
int32_t steer(struct steering *steering, int32_t edge, int32_t travel_mm, int32_t period_ms);

#endif
