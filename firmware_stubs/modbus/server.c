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

size_t modbus_serve(uint8_t unit, const uint8_t *frame, size_t size, int64_t now_ns, uint8_t *answer) {
    if (size < MODBUS_MIN_FRAME || size > MODBUS_MAX_FRAME || modbus_crc(frame, size) != 0) {
        return 0;
    }
    bool broadcast = frame[0] == MODBUS_BROADCAST;
    /* an exception is no request, whoever it is addressed to: an echo must not talk to itself */
    if ((frame[0] != unit && !broadcast) || frame[1] & MODBUS_EXCEPTION_FLAG) {
        return 0;
    }
    const struct modbus_function *function = modbus_function(frame[1]);
    struct modbus_exchange x = {frame + 1, size - 3, answer + 1, 0};
    enum modbus_exception exception = function ? function->check(&x) : MODBUS_ILLEGAL_FUNCTION;
    if (broadcast && (exception || !function->broadcast)) {
        return 0; /* nobody could read the answer */
    }
    modbus_store_asked(now_ns);
    answer[0] = unit;
    answer[1] = frame[1];
    if (!exception) {
        exception = function->act(&x);
    }
    if (broadcast) {
        return 0;
    }
    if (exception) {
        answer[1] = frame[1] | MODBUS_EXCEPTION_FLAG;
        answer[2] = (uint8_t)exception;
        return finish(answer, 3);
    }
    return finish(answer, 1 + x.answer_size);
}
