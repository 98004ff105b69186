/* The controller's own alarms: latched, the first one since the last reset is the first cause. */
#ifndef CONTROLLER_ALARMS_H
#define CONTROLLER_ALARMS_H

#include <stdbool.h>
#include <stdint.h>

enum alarm {
    ALARM_OF_RECIPE = 1 << 0,        /* no sound recipe in flash */
    ALARM_OF_MAP = 1 << 1,           /* the node is none, or has another register map */
    ALARM_OF_STALE_DATA = 1 << 2,    /* the node does not answer, or answers what was */
    ALARM_OF_FROZEN_NODE = 1 << 3,   /* it answers, and does not scan */
    ALARM_OF_RESTART = 1 << 4,       /* it has started anew, and lost all commands */
    ALARM_OF_REFUSAL = 1 << 5,       /* it declines what it should do */
    ALARM_OF_SENSOR = 1 << 6,        /* a value that cannot be */
    ALARM_OF_OVER_LIMIT = 1 << 7,    /* a plate that melts the sheet */
    ALARM_OF_DEVIATION = 1 << 8,     /* a heat zone that is not controlled any more */
    ALARM_OF_BLOCKED_PRESS = 1 << 9, /* force without sheet */
    ALARM_OF_SLOW_STATE = 1 << 10,
    ALARM_OF_ABORT = 1 << 11,
    ALARM_OF_STANDING_BELT = 1 << 12, /* a belt stands that is told to move */
    ALARM_OF_OPENED_PRESS = 1 << 13,  /* the press has opened by itself */
};
enum { ALARM_KINDS = 14 };

struct alarms {
    uint16_t active;
    uint16_t first;
};

static inline void raise_alarm(struct alarms *alarms, enum alarm alarm) {
    if (!alarms->active) {
        alarms->first = (uint16_t)alarm;
    }
    alarms->active |= (uint16_t)alarm;
}

#endif
