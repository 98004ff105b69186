#include "controller/talk.h"

#include "controller/controller.h"

enum step { REST, IDENTIFY, SENSE, SWITCH_OFF, SET, SWITCH };

enum {
    NS_PER_MS = 1000000,
    TRIES = 2,
    ALL_AGAIN = 10,       /* cycles: a node that has lost commands gets them back */
    DECLINED_FOR_NOW = 5, /* acknowledge, and busy: the node would do it later */
    BUSY = 6,
    DECLINED_IN_A_ROW = 3,
    ALWAYS_SET = COMMANDED_REGISTERS - 1, /* the heartbeat, which is last */
};

static struct {
    struct modbus_master master;
    enum step step;
    bool asks;        /* the step's request is to be sent */
    bool is_known;    /* the node is one of those that this program was made for */
    bool has_told;    /* `told` is what the press has */
    bool is_fresh;    /* this cycle has had its answer */
    uint8_t tries;
    uint8_t declined; /* in a row */
    uint8_t cycles;   /* since everything was told */
    uint32_t cycle_ms;
    struct commands told;
    struct inputs inputs;
} talk;

void talk_begin(struct modbus_line line) {
    modbus_master_init(&talk.master, line);
    talk.step = REST;
    talk.is_known = talk.has_told = false;
}

static void go_to(enum step step) {
    talk.step = step;
    talk.asks = step != REST;
    talk.tries = 0;
}

void talk_cycle(int64_t now_ns) {
    if (talk.step != REST) {
        return; /* the line is slow today */
    }
    talk.cycle_ms = (uint32_t)(now_ns / NS_PER_MS);
    talk.is_fresh = false;
    go_to(talk.is_known ? SENSE : IDENTIFY);
}

void talk_hear(uint8_t byte, int64_t now_ns) {
    modbus_master_hear(&talk.master, byte, now_ns);
}

void talk_hear_damaged(int64_t now_ns) {
    modbus_master_hear_damaged(&talk.master, now_ns);
}

int64_t talk_due_ns(void) {
    return talk.step == REST ? MODBUS_NEVER_NS : modbus_master_due_ns(&talk.master);
}

/* -- what is told ------------------------------------------------------------------------------------------------ */

static bool settings_differ(void) {
    for (unsigned i = 0; i < ALWAYS_SET; i++) {
        if (talk.told.registers[i] != controller.commands.registers[i]) {
            return true;
        }
    }
    return false;
}

/* What stops something goes out before the settings, what starts something behind them. */
static bool stops_something(void) {
    unsigned before = talk.has_told ? talk.told.switches : 0, now = controller.commands.switches;
    enum { STARTS = COIL_HEATING_ENABLE | COIL_DRIVES_ENABLE | COIL_FEED_ENABLE };
    return (before & ~now & STARTS) != 0 || (now & ~before & COIL_FAST_OPEN) != 0;
}

static size_t ask(int64_t now_ns) {
    const struct commands *commands = &controller.commands;
    struct modbus_master *master = &talk.master;
    talk.asks = false;
    talk.tries++;
    switch (talk.step) {
    case IDENTIFY:
        return modbus_ask_inputs(master, PRESS_UNIT, INPUT_PRESS_IDENTITY, 2, now_ns);
    case SENSE:
        return modbus_ask_inputs(master, PRESS_UNIT, 0, SENSED_REGISTERS, now_ns);
    case SET:
        if (talk.has_told && !settings_differ()) {
            return modbus_ask_to_set(master, PRESS_UNIT, ALWAYS_SET, 1, commands->registers + ALWAYS_SET, now_ns);
        }
        return modbus_ask_to_set(master, PRESS_UNIT, 0, COMMANDED_REGISTERS, commands->registers, now_ns);
    default:
        return modbus_ask_to_switch(master, PRESS_UNIT, 0, COMMANDED_COILS, commands->switches, now_ns);
    }
}

/* -- what is answered -------------------------------------------------------------------------------------------- */

static void identify(void) {
    uint16_t identity = modbus_answered_word(&talk.master, 0), map = modbus_answered_word(&talk.master, 1);
    bool is_press = identity == PRESS_IDENTITY_REAL || identity == PRESS_IDENTITY_VIRTUAL;
    talk.is_known = is_press && map == PRESS_MAP_VERSION;
    if (!talk.is_known) {
        controller_object(ALARM_OF_MAP); /* and nothing is written to it */
        controller_wait(talk.cycle_ms);
    }
    go_to(talk.is_known ? SENSE : REST);
}

static void scan(void) {
    for (unsigned i = 0; i < SENSED_REGISTERS; i++) {
        talk.inputs.words[i] = modbus_answered_word(&talk.master, i);
    }
    bool had_restarted = (controller.alarms.active & ALARM_OF_RESTART) != 0;
    talk.is_fresh = controller_scan(&talk.inputs, talk.cycle_ms);
    if (!had_restarted && controller.alarms.active & ALARM_OF_RESTART) {
        talk.is_known = talk.has_told = false;
        go_to(REST); /* the next cycle looks who it is now */
        return;
    }
    if (++talk.cycles >= ALL_AGAIN) {
        talk.has_told = false;
    }
    go_to(!talk.is_fresh ? REST : stops_something() ? SWITCH_OFF : SET);
}

static void go_on(void) {
    talk.declined = 0;
    switch (talk.step) {
    case IDENTIFY:
        identify();
        break;
    case SENSE:
        scan();
        break;
    case SWITCH_OFF:
        talk.told.switches = controller.commands.switches;
        go_to(talk.is_fresh ? SET : REST);
        break;
    case SET:
        for (unsigned i = 0; i < COMMANDED_REGISTERS; i++) {
            talk.told.registers[i] = controller.commands.registers[i];
        }
        if (!talk.has_told || talk.told.switches != controller.commands.switches) {
            go_to(SWITCH);
        } else {
            go_to(REST);
        }
        break;
    default:
        talk.told.switches = controller.commands.switches;
        talk.has_told = true;
        talk.cycles = 0;
        go_to(REST);
    }
}

/* There was no answer, twice: the cycle is over. */
static void give_up(void) {
    enum step step = talk.step;
    go_to(REST);
    talk.has_told = talk.has_told && step == SENSE; /* how much has arrived is not known */
    if ((step == SENSE || step == IDENTIFY) && controller_wait(talk.cycle_ms) && talk.is_known) {
        go_to(SWITCH_OFF);
    }
}

static void decline(void) {
    bool is_busy = talk.master.exception == DECLINED_FOR_NOW || talk.master.exception == BUSY;
    if (!is_busy && ++talk.declined >= DECLINED_IN_A_ROW) {
        controller_object(talk.step == IDENTIFY ? ALARM_OF_MAP : ALARM_OF_REFUSAL);
    }
    give_up();
}

size_t talk_attend(int64_t now_ns, const uint8_t **bytes) {
    switch (modbus_master_attend(&talk.master, now_ns)) {
    case MODBUS_ANSWERED:
        go_on();
        break;
    case MODBUS_DECLINED:
        decline();
        break;
    case MODBUS_DAMAGED:
    case MODBUS_SILENT:
        if (talk.tries < TRIES) {
            talk.asks = true;
        } else {
            give_up();
        }
        break;
    default:
        break;
    }
    if (!talk.asks || !modbus_master_may_ask(&talk.master, now_ns)) {
        return 0;
    }
    *bytes = talk.master.request;
    return ask(now_ns);
}
