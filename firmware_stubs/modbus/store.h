/*
 * What the Modbus server asks of the device behind it. The device implements these functions; they are bound by the
 * linker and not by pointers, so that the call graph, and with it the stack bound, can be read from the program.
 *
 * Counts are at least 1 and at most what one frame carries, and address + count is at most 65536. A write that is
 * declined has written nothing.
 */
#ifndef MODBUS_STORE_H
#define MODBUS_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "modbus/protocol.h"

/* One object of the device identification (function 43/14). */
struct modbus_object {
    uint8_t id;
    uint8_t size;
    const char *value;
};

/* A request to this device was complete at now_ns: the master lives. */
void modbus_store_asked(int64_t now_ns);

/* Does every address from `address` on have something behind it? */
enum modbus_exception modbus_store_check(enum modbus_table table, unsigned address, unsigned count);

/* Checked registers, two bytes each, the high one first; checked bits, the first in the lowest bit of the first byte,
 * the last byte filled up with 0. */
void modbus_store_read(enum modbus_table table, unsigned address, unsigned count, uint8_t *bytes);

/* Bits as in a request, the first in the lowest bit of the first byte. */
enum modbus_exception modbus_store_write_coils(unsigned address, unsigned count, const uint8_t *bits);

/* Registers as in a request, two bytes each, the high one first. */
enum modbus_exception modbus_store_write_registers(unsigned address, unsigned count, const uint8_t *words);

/* The queue of registers at an address, the oldest first, two bytes each; room for MODBUS_MAX_QUEUE of them. */
enum modbus_exception modbus_store_read_queue(unsigned address, uint8_t *words, unsigned *count);

/* Id, run indicator and what else there is to say (function 17). */
const uint8_t *modbus_store_server_id(size_t *size);

/* All identification objects, the ids rising. */
const struct modbus_object *modbus_store_objects(size_t *count);

#endif
