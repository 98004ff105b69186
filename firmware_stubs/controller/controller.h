/*
 * The controller: one scan from what the press sensed to what it shall do. No line, no clock, no board.
 *
 *     watch  ->  events  ->  next state  ->  what this state wants  ->  loops  ->  commands
 */
#ifndef CONTROLLER_CONTROLLER_H
#define CONTROLLER_CONTROLLER_H

#include "controller/alarms.h"
#include "controller/gate.h"
#include "controller/inputs.h"
#include "controller/recipe.h"
#include "controller/states.h"
#include "controller/steering.h"
#include "controller/watch.h"

/* What the press is told: its holding registers but for the watchdog's time, and its coils as bits. */
struct commands {
    uint16_t registers[COMMANDED_REGISTERS];
    uint16_t switches;
};

struct controller {
    const struct recipe *recipe;
    enum state state;
    uint16_t requests;        /* of the operator, not yet looked at */
    uint8_t refused_claim;    /* why the recipe was not started; 0 */
    bool is_reset;            /* the operator has asked to reset, in this scan */
    bool has_settled;
    bool has_scanned;
    uint32_t state_ms;        /* when the state began */
    uint32_t reset_ms;        /* when the operator last asked to reset; 0 for never */
    uint32_t settled_ms;      /* since when the goal is reached */
    uint32_t hot_ms;          /* when the press last showed that it is hot; 0 for never */
    uint32_t still_ms;        /* when belts last stood, or coolant; 0 for never */
    uint32_t scan_ms;         /* when the last scan was */
    uint32_t data_ms;         /* of when the last data are */
    int32_t position_mm;      /* of the belts, at the last scan */
    int32_t entered_mm;       /* when the state began */
    int32_t started_mm;       /* when feeding began */
    int32_t speed;            /* of the belts on their ramp, mm/min */
    struct alarms alarms;
    struct watch watch;
    struct gate gate;
    struct steering steering[2];
    struct commands commands;
};

extern struct controller controller;

/* Power-on: idle, everything off. */
void controller_begin(const struct recipe *recipe, uint32_t now_ms);

/* Buttons were pressed: bits of enum request. */
void controller_ask(unsigned requests);

/*
 * One scan with an answer of the press.
 *
 * Returns whether the press is to be told `controller.commands`: not if the answer is an old one.
 */
bool controller_scan(const struct inputs *inputs, uint32_t now_ms);

/*
 * A cycle without an answer.
 *
 * Returns whether it has lasted so long that the press is to be told to stop and open, whatever it does.
 */
bool controller_wait(uint32_t now_ms);

/* Something is wrong with the node itself. */
void controller_object(enum alarm alarm);

#endif
