#include "modbus/server.h"

#include <stdbool.h>

#include "modbus/crc.h"
#include "modbus/functions.h"
#include "modbus/store.h"

static size_t finish(uint8_t *frame, size_t size) {
    unsigned crc = modbus_crc(frame, size);
    frame[size] = (uint8_t)crc;
    frame[size + 1] = (uint8_t)(crc >> 8);
    return size + 2;
}

/* Listening only: nothing but a restart is done, nothing is a sign of life, and nothing is said. */
static void listen(const struct modbus_function *function, struct modbus_exchange *x) {
    if (modbus_is_restart(x)) {
        function->act(x);
    }
    x->known->no_responses++;
}

size_t modbus_serve(uint8_t unit, const uint8_t *frame, size_t size, int64_t now_ns, struct modbus_diagnostics *known,
                    uint8_t *answer) {
    if (size < MODBUS_MIN_FRAME || size > MODBUS_MAX_FRAME || modbus_crc(frame, size) != 0) {
        known->bus_errors++;
        return 0;
    }
    known->bus_messages++;
    bool broadcast = frame[0] == MODBUS_BROADCAST;
    /* an exception is no request, whoever it is addressed to: an echo must not talk to itself */
    if ((frame[0] != unit && !broadcast) || frame[1] & MODBUS_EXCEPTION_FLAG) {
        return 0;
    }
    const struct modbus_function *function = modbus_function(frame[1]);
    struct modbus_exchange x = {frame + 1, size - 3, answer + 1, 0, known};
    enum modbus_exception exception = function ? function->check(&x) : MODBUS_ILLEGAL_FUNCTION;
    if (broadcast && (exception || !function->broadcast)) {
        return 0; /* nobody could read the answer */
    }
    known->server_messages++;
    answer[0] = unit;
    answer[1] = frame[1];
    if (known->listen_only) {
        listen(function, &x);
        known->no_responses += broadcast;
        return 0;
    }
    modbus_store_asked(now_ns);
    if (!exception) {
        exception = function->act(&x);
    }
    if (exception) {
        known->exceptions++;
        answer[1] = frame[1] | MODBUS_EXCEPTION_FLAG;
        answer[2] = (uint8_t)exception;
        x.answer_size = 2;
    } else if (frame[1] != MODBUS_COUNT_EVENTS) {
        known->events++;
    }
    if (broadcast || known->listen_only) {
        known->no_responses++;
        return 0;
    }
    return finish(answer, 1 + x.answer_size);
}
