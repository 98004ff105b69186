#include "modbus/master.h"

#include "modbus/bytes.h"
#include "modbus/crc.h"

enum {
    READ_INPUTS = 4,
    WRITE_COILS = 15,
    WRITE_REGISTERS = 16,
    SMALLEST_ANSWER = 5, /* an exception */
    ECHOED_HEAD = 6,     /* unit, function, address and count of a write come back */
    WRITE_ANSWER = 8,
};

void modbus_master_init(struct modbus_master *master, struct modbus_line line) {
    *master = (struct modbus_master){.line = line, .heard_ns = -line.silence_ns};
}

bool modbus_master_may_ask(const struct modbus_master *master, int64_t now_ns) {
    return !master->waiting && now_ns >= master->heard_ns + master->line.silence_ns;
}

static void begin(struct modbus_master *master, uint8_t unit, uint8_t function, uint16_t address, unsigned count) {
    master->request[0] = unit;
    master->request[1] = function;
    put_word(master->request + 2, address);
    put_word(master->request + 4, count);
}

static size_t ask(struct modbus_master *master, size_t size, unsigned expected, int64_t now_ns) {
    unsigned crc = modbus_crc(master->request, size);
    master->request[size] = (uint8_t)crc;
    master->request[size + 1] = (uint8_t)(crc >> 8);
    master->size = (uint16_t)(size + 2);
    master->expected = (uint16_t)expected;
    master->heard = 0;
    master->spoilt = false;
    master->waiting = true;
    master->deadline_ns = now_ns + master->size * master->line.character_ns + master->line.turnaround_ns;
    return master->size;
}

size_t modbus_ask_inputs(struct modbus_master *master, uint8_t unit, uint16_t address, unsigned count, int64_t now_ns) {
    begin(master, unit, READ_INPUTS, address, count);
    return ask(master, ECHOED_HEAD, SMALLEST_ANSWER + 2 * count, now_ns);
}

size_t modbus_ask_to_set(struct modbus_master *master, uint8_t unit, uint16_t address, unsigned count,
                         const uint16_t *words, int64_t now_ns) {
    begin(master, unit, WRITE_REGISTERS, address, count);
    master->request[6] = (uint8_t)(2 * count);
    for (unsigned i = 0; i < count; i++) {
        put_word(master->request + 7 + 2 * i, words[i]);
    }
    return ask(master, 7 + 2 * count, WRITE_ANSWER, now_ns);
}

size_t modbus_ask_to_switch(struct modbus_master *master, uint8_t unit, uint16_t address, unsigned count,
                            uint16_t bits, int64_t now_ns) {
    begin(master, unit, WRITE_COILS, address, count);
    master->request[6] = (uint8_t)((count + 7) / 8);
    master->request[7] = (uint8_t)bits;
    master->request[8] = (uint8_t)(bits >> 8);
    return ask(master, 7u + master->request[6], WRITE_ANSWER, now_ns);
}

void modbus_master_hear(struct modbus_master *master, uint8_t byte, int64_t now_ns) {
    master->heard_ns = now_ns;
    if (!master->waiting) {
        return; /* too late: nobody waits for it any more */
    }
    if (master->heard == MODBUS_MAX_FRAME) {
        master->spoilt = true;
    } else {
        master->frame[master->heard++] = byte;
    }
}

void modbus_master_hear_damaged(struct modbus_master *master, int64_t now_ns) {
    master->heard_ns = now_ns;
    master->spoilt = master->waiting;
}

static bool declines(const struct modbus_master *master) {
    return master->heard >= 2 && master->frame[1] == (master->request[1] | MODBUS_EXCEPTION_FLAG);
}

static unsigned awaited(const struct modbus_master *master) {
    return declines(master) ? SMALLEST_ANSWER : master->expected;
}

int64_t modbus_master_due_ns(const struct modbus_master *master) {
    if (!master->waiting) {
        return master->heard_ns + master->line.silence_ns;
    }
    if (master->heard == 0 && !master->spoilt) {
        return master->deadline_ns;
    }
    return master->heard >= awaited(master) && !master->spoilt ? master->heard_ns
                                                               : master->heard_ns + master->line.silence_ns;
}

/* Is it what was asked for? */
static bool fits(const struct modbus_master *master) {
    const uint8_t *asked = master->request, *told = master->frame;
    if (told[0] != asked[0] || told[1] != asked[1]) {
        return false;
    }
    if (asked[1] == READ_INPUTS) {
        return told[2] == master->expected - SMALLEST_ANSWER;
    }
    for (unsigned i = 2; i < ECHOED_HEAD; i++) {
        if (told[i] != asked[i]) {
            return false;
        }
    }
    return true;
}

enum modbus_outcome modbus_master_attend(struct modbus_master *master, int64_t now_ns) {
    if (!master->waiting) {
        return MODBUS_IDLE;
    }
    if (now_ns < modbus_master_due_ns(master)) {
        return MODBUS_WAITING;
    }
    master->waiting = false;
    if (master->heard == 0 && !master->spoilt) {
        return MODBUS_SILENT;
    }
    if (master->spoilt || master->heard != awaited(master) || modbus_crc(master->frame, master->heard) != 0) {
        return MODBUS_DAMAGED;
    }
    if (declines(master) && master->frame[0] == master->request[0]) {
        master->exception = master->frame[2];
        return MODBUS_DECLINED;
    }
    return fits(master) ? MODBUS_ANSWERED : MODBUS_DAMAGED;
}

uint16_t modbus_answered_word(const struct modbus_master *master, unsigned index) {
    return (uint16_t)get_word(master->frame + 3 + 2 * index);
}
