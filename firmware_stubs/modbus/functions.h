/* What the server can do: one row per function code. */
#ifndef MODBUS_FUNCTIONS_H
#define MODBUS_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modbus/diagnostics.h"
#include "modbus/protocol.h"

/* A request and the answer that is being made. Both PDUs begin with the function code. */
struct modbus_exchange {
    const uint8_t *request;
    size_t request_size;
    uint8_t *answer; /* room for MODBUS_MAX_PDU bytes; the function code is there already */
    size_t answer_size;
    struct modbus_diagnostics *known; /* of this server */
};

/*
 * To add a function: write `check` and `act` and add a row to the table in functions.c.
 *
 * check: length, quantity and value, without looking at the device. What fails here is malformed; malformed broadcasts
 *        are ignored altogether.
 * act:   does it and makes the answer, or declines with nothing done.
 */
struct modbus_function {
    uint8_t code;
    bool broadcast; /* a write, which makes sense without an answer */
    enum modbus_exception (*check)(const struct modbus_exchange *x);
    enum modbus_exception (*act)(struct modbus_exchange *x);
};

/* Is it a request, sound in itself, to restart communications (function 8/1)? */
bool modbus_is_restart(const struct modbus_exchange *x);

/* The row of a function code; a null pointer for an unknown one. */
const struct modbus_function *modbus_function(uint8_t code);

#endif
