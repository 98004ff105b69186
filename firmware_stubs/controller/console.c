#include "controller/console.h"

#include "controller/controller.h"

enum { ROOM = 256, LONGEST_LINE = 32 };

static const char *const STATE_NAMES[STATES] = {
    "idle", "preheat", "tension_track", "close", "thread", "produce",
    "hold", "run_out", "open",          "cool",  "fault",  "emergency_stop",
};

/* by bit of enum alarm */
static const char *const ALARM_NAMES[ALARM_KINDS] = {
    "no_recipe",        "other_map",  "stale_data",     "node_frozen", "node_restarted", "refused",
    "sensor_implausible", "over_limit", "zone_deviation", "blocked",     "state_timeout",  "aborted",
    "belt_stands",        "press_opened",
};

static struct {
    bool has_spoken;
    uint8_t refused_claim;
    uint16_t alarms;
    enum state state;
    uint16_t taken, kept; /* characters, ever; ROOM divides their range */
    char text[ROOM];
} console;

static void add(const char *text) {
    for (; *text; text++) {
        console.text[console.kept++ % ROOM] = *text;
    }
}

/* A line that there is no room for is left for later. */
static bool say(const char *what, const char *name) {
    if ((uint16_t)(console.kept - console.taken) > ROOM - LONGEST_LINE) {
        return false;
    }
    add(what);
    add(name);
    add("\r\n");
    return true;
}

static void look_for_alarms(void) {
    uint16_t now = controller.alarms.active;
    if (console.alarms & ~now && say("clear", "")) {
        console.alarms = 0;
    }
    for (unsigned i = 0; i < ALARM_KINDS; i++) {
        unsigned bit = 1u << i;
        if (now & bit && !(console.alarms & bit) && say("alarm ", ALARM_NAMES[i])) {
            console.alarms |= (uint16_t)bit;
        }
    }
}

void console_begin(void) {
    console.has_spoken = false;
    console.refused_claim = 0;
    console.alarms = 0;
    console.taken = console.kept = 0;
}

void console_look(void) {
    look_for_alarms();
    if ((!console.has_spoken || controller.state != console.state) && say("state ", STATE_NAMES[controller.state])) {
        console.has_spoken = true;
        console.state = controller.state;
    }
    uint8_t claim = controller.refused_claim;
    if (claim != console.refused_claim && (claim == 0 || say("refused ", claim == 2 ? "2" : "5"))) {
        console.refused_claim = claim;
    }
}

bool console_next(char *character) {
    if (console.taken == console.kept) {
        return false;
    }
    *character = console.text[console.taken++ % ROOM];
    return true;
}
