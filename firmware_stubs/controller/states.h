/* The states of a production run; the names are those of the reference controller (rig/controller/states.py). */
#ifndef CONTROLLER_STATES_H
#define CONTROLLER_STATES_H

enum state {
    STATE_IDLE,
    STATE_PREHEAT,
    STATE_TENSION_TRACK,
    STATE_CLOSE,
    STATE_THREAD,
    STATE_PRODUCE,
    STATE_HOLD,
    STATE_RUN_OUT,
    STATE_OPEN,
    STATE_COOL,
    STATE_FAULT,
    STATE_EMERGENCY_STOP,
    STATES,
};

/* What the operator asks for, as bits. */
enum request {
    REQUEST_START = 1 << 0,
    REQUEST_STOP = 1 << 1,
    REQUEST_RESET = 1 << 2,
    REQUEST_ABORT = 1 << 3,
    REQUEST_HOLD = 1 << 4,
    REQUEST_RESUME = 1 << 5,
};

#endif
