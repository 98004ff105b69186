/* The registers behind the Modbus server: what the last scan published, and what a master may write. */
#include "modbus/store.h"

#include "modbus/bytes.h"
#include "node/node.h"

static bool is_bits(enum modbus_table table) {
    return table == MODBUS_DISCRETE || table == MODBUS_COIL;
}

void modbus_store_asked(int64_t now_ns) {
    node.last_request_ns = now_ns;
}

enum modbus_exception modbus_store_check(enum modbus_table table, unsigned address, unsigned count) {
    for (unsigned i = 0; i < SPANS; i++) {
        const struct span *span = &ADDRESS_SPANS[i];
        if (span->table == table && span->first <= address && address + count <= span->end) {
            return MODBUS_OK;
        }
    }
    return MODBUS_ILLEGAL_ADDRESS;
}

void modbus_store_read(enum modbus_table table, unsigned address, unsigned count, uint8_t *bytes) {
    const uint8_t *first = node.image + TABLE_PLACES[table];
    if (!is_bits(table)) {
        copy_bytes(bytes, first + 2 * address, 2 * count);
        return;
    }
    for (unsigned i = 0; i < (count + 7) / 8; i++) {
        bytes[i] = 0;
    }
    for (unsigned i = 0; i < count; i++) {
        put_bit(bytes, i, get_bit(first, address + i));
    }
}

enum modbus_exception modbus_store_write_coils(unsigned address, unsigned count, const uint8_t *bits) {
    enum modbus_exception exception = modbus_store_check(MODBUS_COIL, address, count);
    if (!exception) {
        uint8_t *coils = node.image + TABLE_PLACES[MODBUS_COIL];
        for (unsigned i = 0; i < count; i++) {
            put_bit(coils, address + i, get_bit(bits, i));
        }
    }
    return exception;
}

enum modbus_exception modbus_store_write_registers(unsigned address, unsigned count, const uint8_t *words) {
    enum modbus_exception exception = modbus_store_check(MODBUS_HOLDING, address, count);
    for (unsigned i = 0; i < count && !exception; i++) {
        const struct window *window = &HOLDING_WINDOWS[address + i];
        unsigned above = (get_word(words + 2 * i) - window->lowest) & 0xFFFF;
        if (above > window->span) {
            exception = MODBUS_ILLEGAL_VALUE;
        }
    }
    if (!exception) {
        copy_bytes(node.image + TABLE_PLACES[MODBUS_HOLDING] + 2 * address, words, 2 * count);
    }
    return exception;
}

enum modbus_exception modbus_store_read_queue(unsigned address, uint8_t *words, unsigned *count) {
    for (unsigned i = 0; i < FORCES; i++) {
        if (CHANNEL_PLANS[FORCE_CHANNELS[i]].number.place != TABLE_PLACES[MODBUS_INPUT] + 2 * address) {
            continue;
        }
        unsigned place = node.queue_next + QUEUE - node.queued;
        for (unsigned k = 0; k < node.queued; k++) {
            put_word(words + 2 * k, node.force_queue[i][(place + k) % QUEUE]);
        }
        *count = node.queued;
        return MODBUS_OK;
    }
    return MODBUS_ILLEGAL_ADDRESS;
}

const uint8_t *modbus_store_server_id(size_t *size) {
    *size = SERVER_ID_SIZE;
    return SERVER_ID;
}

const struct modbus_object *modbus_store_objects(size_t *count) {
    *count = OBJECTS;
    return node.is_virtual ? OBJECTS_VIRTUAL : OBJECTS_REAL;
}
