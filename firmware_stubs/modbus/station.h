/*
 * A server on a half-duplex line: cuts what it hears into frames at pauses of 3.5 characters (Serial Line V1.02,
 * section 2.5.1.1) and holds its answer back for the turnaround. Times are of one clock, ns, and only ever rise.
 *
 * The board calls modbus_hear for every byte, and modbus_attend at the latest when modbus_due_ns has come.
 */
#ifndef MODBUS_STATION_H
#define MODBUS_STATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modbus/diagnostics.h"
#include "modbus/protocol.h"

#define MODBUS_NEVER_NS INT64_MAX

struct modbus_line {
    int64_t character_ns;
    int64_t silence_ns;    /* 3.5 characters; 1.75 ms above 19200 bit/s */
    int64_t turnaround_ns; /* from the end of the silence to the first byte of the answer */
};

struct modbus_station {
    struct modbus_line line;
    struct modbus_diagnostics known;
    uint8_t unit;
    bool overrun;         /* a byte of it was lost in the UART */
    bool spoilt;        /* what is being heard is no frame any more */
    uint16_t heard;       /* bytes since the last silence */
    uint16_t answer_size; /* 0: nothing to say */
    int64_t heard_ns;     /* when the last byte was complete */
    int64_t speak_ns;     /* when the answer begins */
    uint8_t frame[MODBUS_MAX_FRAME];
    uint8_t answer[MODBUS_MAX_FRAME];
};

void modbus_station_init(struct modbus_station *station, uint8_t unit, struct modbus_line line);

/* A byte was complete at now_ns. */
void modbus_hear(struct modbus_station *station, uint8_t byte, int64_t now_ns);

/* A byte was damaged (framing, parity, break) or lost in the UART (overrun): its frame is no frame any more. */
void modbus_hear_damaged(struct modbus_station *station, bool overrun, int64_t now_ns);

/* When modbus_attend has something to do; MODBUS_NEVER_NS without. */
int64_t modbus_due_ns(const struct modbus_station *station);

/* Let time pass until now_ns. Returns how many bytes of station->answer are to be sent now; they stay as they are until
 * the next byte is heard. */
size_t modbus_attend(struct modbus_station *station, int64_t now_ns);

#endif
