/* What is wrong with the data, the node and the machine; the node's own interlocks act without anybody's help. */
#ifndef CONTROLLER_WATCH_H
#define CONTROLLER_WATCH_H

#include "controller/alarms.h"
#include "controller/inputs.h"
#include "controller/recipe.h"
#include "controller/states.h"

enum {
    FRESH_MS = 500,  /* data older than this are not acted on */
    STALE_MS = 1500, /* data older than this are an alarm; the node's watchdog (2 s) is about to act as well */
};

struct watch {
    bool has_seen;         /* an answer of this node, since it started */
    bool has_clock;
    uint16_t heartbeat;
    uint32_t heartbeat_ms; /* when it last changed */
    uint32_t uptime_s;
    uint32_t ahead_ms;     /* this clock less the node's, on the shortest way seen so far */
    uint32_t heard_ms;
    uint32_t deviation_ms; /* since when a zone is off its setpoint; 0: it is not */
    uint32_t standing_ms;  /* since when a belt stands that is told to move; 0: none does */
    uint8_t opened_scans;  /* for so many scans the press has been open that is to be closed */
};

/* How old an answer is by the node's own clock: one that was held up on the way, or given to an earlier request, would
 * pass for fresh. 0 for as old as the way takes. Notices a node that has started anew. */
uint32_t watch_age_ms(struct watch *watch, const struct inputs *inputs, uint32_t now_ms, struct alarms *alarms);

/* Everything that an answer shows; the belts are told a speed, mm/min, or 0 if they are not driven. */
void watch_inputs(struct watch *watch, const struct inputs *inputs, const struct recipe *recipe, enum state state,
                  int32_t told_speed, uint32_t now_ms, struct alarms *alarms);

#endif
