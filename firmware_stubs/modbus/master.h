/*
 * A master on a half-duplex line: one request at a time, and what becomes of it. Times are of one clock, ns, and only
 * ever rise. Nothing is asked before the line has been silent for 3.5 characters (Serial Line V1.02, section 2.5.1.1).
 *
 * The board sends what modbus_ask_... has put into `request`, calls modbus_master_hear for every byte it receives, and
 * modbus_master_attend at the latest when modbus_master_due_ns has come. Repeating a request is the caller's business.
 */
#ifndef MODBUS_MASTER_H
#define MODBUS_MASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modbus/protocol.h"
#include "modbus/station.h"

enum modbus_outcome {
    MODBUS_IDLE,     /* nothing was asked, or what became of it has been told */
    MODBUS_WAITING,
    MODBUS_ANSWERED, /* `frame` holds the answer */
    MODBUS_DECLINED, /* by the exception in `exception` */
    MODBUS_DAMAGED,  /* what came is no answer to the request */
    MODBUS_SILENT,   /* nothing came */
};

struct modbus_master {
    struct modbus_line line; /* turnaround_ns: how long nothing may come before there is no answer */
    bool waiting;
    bool spoilt;            /* what is being heard is no answer any more */
    uint8_t exception;
    uint16_t size;          /* bytes of the request */
    uint16_t expected;      /* bytes of its answer */
    uint16_t heard;
    int64_t deadline_ns;    /* when the answer must have begun */
    int64_t heard_ns;       /* when the last byte on the line was complete */
    uint8_t request[MODBUS_MAX_FRAME];
    uint8_t frame[MODBUS_MAX_FRAME];
};

void modbus_master_init(struct modbus_master *master, struct modbus_line line);

/* Has the line been silent long enough for a request? */
bool modbus_master_may_ask(const struct modbus_master *master, int64_t now_ns);

/* Ask, when modbus_master_may_ask. The counts are those that one frame takes. Every one returns the bytes to send. */
size_t modbus_ask_inputs(struct modbus_master *master, uint8_t unit, uint16_t address, unsigned count, int64_t now_ns);
size_t modbus_ask_to_set(struct modbus_master *master, uint8_t unit, uint16_t address, unsigned count,
                         const uint16_t *words, int64_t now_ns);
size_t modbus_ask_to_switch(struct modbus_master *master, uint8_t unit, uint16_t address, unsigned count,
                            uint16_t bits, int64_t now_ns);

/* A byte was complete at now_ns. */
void modbus_master_hear(struct modbus_master *master, uint8_t byte, int64_t now_ns);

/* A byte was damaged (framing, parity, break) or lost in the UART: what is being heard is no answer any more. */
void modbus_master_hear_damaged(struct modbus_master *master, int64_t now_ns);

/* When modbus_master_attend or modbus_master_may_ask will say something new at the latest. */
int64_t modbus_master_due_ns(const struct modbus_master *master);

/* What has become of the request; every outcome but MODBUS_WAITING is told once. */
enum modbus_outcome modbus_master_attend(struct modbus_master *master, int64_t now_ns);

/* A register of the answer to modbus_ask_inputs. */
uint16_t modbus_answered_word(const struct modbus_master *master, unsigned index);

#endif
