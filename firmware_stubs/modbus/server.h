/* The server: a whole frame in, a whole frame out (Serial Line V1.02, section 2.4.2). */
#ifndef MODBUS_SERVER_H
#define MODBUS_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "modbus/diagnostics.h"
#include "modbus/protocol.h"

/*
 * Answer all that came between two silences.
 *
 * unit:   the device's address.
 * frame:  what came; whatever is no sound frame for this device is counted and passed over in silence.
 * now_ns: when the silence behind it had lasted long enough.
 * known:  the counters, and whether it only listens.
 * answer: room for MODBUS_MAX_FRAME bytes.
 *
 * Returns the size of the answer, 0 if there is none.
 */
size_t modbus_serve(uint8_t unit, const uint8_t *frame, size_t size, int64_t now_ns, struct modbus_diagnostics *known,
                    uint8_t *answer);

#endif
