/* What each state wants of the machine, when it has reached its goal, and how long it may take. */
#ifndef CONTROLLER_GOALS_H
#define CONTROLLER_GOALS_H

#include "controller/inputs.h"
#include "controller/recipe.h"
#include "controller/states.h"

enum wish {
    WISH_COOLANT = 1 << 0,
    WISH_HYDRAULICS = 1 << 1,
    WISH_TENSION = 1 << 2,
    WISH_DRIVE = 1 << 3,
    WISH_HEAT = 1 << 4,
    WISH_CLOSED = 1 << 5,
    WISH_FEED = 1 << 6,
    WISH_FAST_OPEN = 1 << 7,
};

struct wishes {
    unsigned what;
    int32_t speed; /* mm/min */
};

/* is_hot: the press must not stand. is_moving: its belts have moved, and its coolant flowed, for a while. */
struct wishes wishes_in(enum state state, const struct recipe *recipe, const struct inputs *inputs, bool is_hot,
                        bool is_moving);

/* Whether the press must not stand, as its thermocouples show it now. */
bool press_is_hot(const struct inputs *inputs);

/* Is the goal reached now? travelled_mm: of the belts since the state began. */
bool goal_is_reached(enum state state, const struct recipe *recipe, const struct inputs *inputs, int32_t travelled_mm,
                     int32_t fed_mm);

/* So long must the goal be reached, ms. */
uint32_t goal_settles_ms(enum state state);

/* How long a state may take, ms; 0 where nothing says when it ends. */
uint32_t state_limit_ms(enum state state, const struct recipe *recipe);

#endif
