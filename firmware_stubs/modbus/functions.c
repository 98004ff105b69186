#include "modbus/functions.h"

#include "modbus/bytes.h"
#include "modbus/store.h"

enum {
    COIL_ON = 0xFF00,
    COIL_OFF = 0x0000,
    READ_DEVICE_IDENTIFICATION = 14,
    BASIC = 1,
    REGULAR = 2,
    EXTENDED = 3,
    INDIVIDUAL = 4,
    IDENTIFICATION_HEAD = 7,
    MORE_FOLLOWS = 0xFF,
};

/* -- shapes that several functions share ---------------------------------------------------------------------- */

static bool within(unsigned count, unsigned most) {
    return 1 <= count && count <= most;
}

/* The device's word on a span of addresses, which must not end beyond the last one. */
static enum modbus_exception check_span(enum modbus_table table, unsigned address, unsigned count) {
    return address + count > 0x10000 ? MODBUS_ILLEGAL_ADDRESS : modbus_store_check(table, address, count);
}

/* Answers to single and multiple writes begin like the request. */
static void echo(struct modbus_exchange *x, size_t size) {
    copy_bytes(x->answer, x->request, size);
    x->answer_size = size;
}

static enum modbus_exception legal(bool is_legal) {
    return is_legal ? MODBUS_OK : MODBUS_ILLEGAL_VALUE;
}

/* -- 1 to 4: read ---------------------------------------------------------------------------------------------- */

static enum modbus_exception check_read_bits(const struct modbus_exchange *x) {
    return legal(x->request_size == 5 && within(get_word(x->request + 3), 2000));
}

static enum modbus_exception check_read_registers(const struct modbus_exchange *x) {
    return legal(x->request_size == 5 && within(get_word(x->request + 3), 125));
}

static enum modbus_exception read(struct modbus_exchange *x, enum modbus_table table) {
    unsigned address = get_word(x->request + 1), count = get_word(x->request + 3);
    enum modbus_exception exception = check_span(table, address, count);
    if (exception) {
        return exception;
    }
    size_t size = table == MODBUS_COIL || table == MODBUS_DISCRETE ? (count + 7) / 8 : 2 * count;
    x->answer[1] = (uint8_t)size;
    modbus_store_read(table, address, count, x->answer + 2);
    x->answer_size = 2 + size;
    return MODBUS_OK;
}

static enum modbus_exception read_coils(struct modbus_exchange *x) {
    return read(x, MODBUS_COIL);
}

static enum modbus_exception read_discrete_inputs(struct modbus_exchange *x) {
    return read(x, MODBUS_DISCRETE);
}

static enum modbus_exception read_holding_registers(struct modbus_exchange *x) {
    return read(x, MODBUS_HOLDING);
}

static enum modbus_exception read_input_registers(struct modbus_exchange *x) {
    return read(x, MODBUS_INPUT);
}

/* -- 5, 6: write one ------------------------------------------------------------------------------------------- */

static enum modbus_exception check_write_coil(const struct modbus_exchange *x) {
    if (x->request_size != 5) {
        return MODBUS_ILLEGAL_VALUE;
    }
    unsigned value = get_word(x->request + 3);
    return legal(value == COIL_ON || value == COIL_OFF);
}

static enum modbus_exception write_coil(struct modbus_exchange *x) {
    uint8_t bit = get_word(x->request + 3) == COIL_ON;
    enum modbus_exception exception = modbus_store_write_coils(get_word(x->request + 1), 1, &bit);
    echo(x, 5);
    return exception;
}

static enum modbus_exception check_write_register(const struct modbus_exchange *x) {
    return legal(x->request_size == 5);
}

static enum modbus_exception write_register(struct modbus_exchange *x) {
    enum modbus_exception exception = modbus_store_write_registers(get_word(x->request + 1), 1, x->request + 3);
    echo(x, 5);
    return exception;
}

/* -- 15, 16: write several ------------------------------------------------------------------------------------- */

static enum modbus_exception check_write_coils(const struct modbus_exchange *x) {
    if (x->request_size < 6) {
        return MODBUS_ILLEGAL_VALUE;
    }
    unsigned count = get_word(x->request + 3), size = x->request[5];
    return legal(within(count, 1968) && size == (count + 7) / 8 && x->request_size == 6 + size);
}

static enum modbus_exception write_coils(struct modbus_exchange *x) {
    unsigned address = get_word(x->request + 1), count = get_word(x->request + 3);
    if (address + count > 0x10000) {
        return MODBUS_ILLEGAL_ADDRESS;
    }
    echo(x, 5);
    return modbus_store_write_coils(address, count, x->request + 6);
}

static enum modbus_exception check_write_registers(const struct modbus_exchange *x) {
    if (x->request_size < 6) {
        return MODBUS_ILLEGAL_VALUE;
    }
    unsigned count = get_word(x->request + 3), size = x->request[5];
    return legal(within(count, 123) && size == 2 * count && x->request_size == 6 + size);
}

static enum modbus_exception write_registers(struct modbus_exchange *x) {
    unsigned address = get_word(x->request + 1), count = get_word(x->request + 3);
    if (address + count > 0x10000) {
        return MODBUS_ILLEGAL_ADDRESS;
    }
    echo(x, 5);
    return modbus_store_write_registers(address, count, x->request + 6);
}

/* -- 22: mask write -------------------------------------------------------------------------------------------- */

static enum modbus_exception check_mask_write(const struct modbus_exchange *x) {
    return legal(x->request_size == 7);
}

static enum modbus_exception mask_write(struct modbus_exchange *x) {
    unsigned address = get_word(x->request + 1);
    unsigned and_mask = get_word(x->request + 3), or_mask = get_word(x->request + 5);
    enum modbus_exception exception = modbus_store_check(MODBUS_HOLDING, address, 1);
    if (exception) {
        return exception;
    }
    uint8_t word[2];
    modbus_store_read(MODBUS_HOLDING, address, 1, word);
    put_word(word, (get_word(word) & and_mask) | (or_mask & ~and_mask));
    echo(x, 7);
    return modbus_store_write_registers(address, 1, word);
}

/* -- 23: write, then read -------------------------------------------------------------------------------------- */

static enum modbus_exception check_read_write(const struct modbus_exchange *x) {
    if (x->request_size < 10) {
        return MODBUS_ILLEGAL_VALUE;
    }
    unsigned read_count = get_word(x->request + 3), count = get_word(x->request + 7), size = x->request[9];
    return legal(within(read_count, 125) && within(count, 121) && size == 2 * count && x->request_size == 10 + size);
}

static enum modbus_exception read_write(struct modbus_exchange *x) {
    unsigned read_address = get_word(x->request + 1), read_count = get_word(x->request + 3);
    unsigned address = get_word(x->request + 5), count = get_word(x->request + 7);
    /* both are checked before anything is done (section 6.17) */
    if (read_address + read_count > 0x10000 || address + count > 0x10000) {
        return MODBUS_ILLEGAL_ADDRESS;
    }
    enum modbus_exception exception = modbus_store_check(MODBUS_HOLDING, read_address, read_count);
    if (!exception) {
        exception = modbus_store_write_registers(address, count, x->request + 10);
    }
    if (exception) {
        return exception;
    }
    x->answer[1] = (uint8_t)(2 * read_count);
    modbus_store_read(MODBUS_HOLDING, read_address, read_count, x->answer + 2);
    x->answer_size = 2 + 2 * read_count;
    return MODBUS_OK;
}

/* -- 43/14: device identification ------------------------------------------------------------------------------ */

static enum modbus_exception check_identify(const struct modbus_exchange *x) {
    if (x->request_size > 1 && x->request[1] != READ_DEVICE_IDENTIFICATION) {
        return MODBUS_ILLEGAL_FUNCTION;
    }
    return legal(x->request_size == 4 && within(x->request[2], INDIVIDUAL));
}

static unsigned last_object(unsigned category) {
    return category == BASIC ? 0x02 : category == REGULAR ? 0x7F : 0xFF;
}

static enum modbus_exception identify(struct modbus_exchange *x) {
    size_t count;
    const struct modbus_object *objects = modbus_store_objects(&count);
    if (count == 0) {
        return MODBUS_ILLEGAL_FUNCTION;
    }
    unsigned category = x->request[2], wanted = x->request[3];
    size_t first = 0, end = count;
    while (first < count && objects[first].id != wanted) {
        first++;
    }
    if (category == INDIVIDUAL) {
        if (first == count) {
            return MODBUS_ILLEGAL_ADDRESS;
        }
        end = first + 1;
    } else {
        while (end > 0 && objects[end - 1].id > last_object(category)) {
            end--;
        }
        if (first >= end) {
            first = 0; /* a stream from an object that is not there starts at the first */
        }
    }
    unsigned level = BASIC;
    while (objects[count - 1].id > last_object(level)) {
        level++;
    }
    uint8_t *answer = x->answer;
    size_t size = IDENTIFICATION_HEAD;
    answer[1] = READ_DEVICE_IDENTIFICATION;
    answer[2] = (uint8_t)category;
    answer[3] = (uint8_t)(0x80 | level); /* objects can be read one by one too */
    answer[4] = 0;
    answer[5] = 0;
    answer[6] = 0;
    for (size_t i = first; i < end; i++) {
        const struct modbus_object *object = &objects[i];
        if (size + 2 + object->size > MODBUS_MAX_PDU) {
            if (answer[6] == 0) {
                return MODBUS_DEVICE_FAILURE;
            }
            answer[4] = MORE_FOLLOWS;
            answer[5] = object->id;
            break;
        }
        answer[size] = object->id;
        answer[size + 1] = object->size;
        copy_bytes(answer + size + 2, (const uint8_t *)object->value, object->size);
        size += 2 + (size_t)object->size;
        answer[6]++;
    }
    x->answer_size = size;
    return MODBUS_OK;
}

/* -- the table ------------------------------------------------------------------------------------------------- */

static const struct modbus_function FUNCTIONS[] = {
    {1, false, check_read_bits, read_coils},
    {2, false, check_read_bits, read_discrete_inputs},
    {3, false, check_read_registers, read_holding_registers},
    {4, false, check_read_registers, read_input_registers},
    {5, true, check_write_coil, write_coil},
    {6, true, check_write_register, write_register},
    {15, true, check_write_coils, write_coils},
    {16, true, check_write_registers, write_registers},
    {22, true, check_mask_write, mask_write},
    {23, false, check_read_write, read_write},
    {43, false, check_identify, identify},
};

const struct modbus_function *modbus_function(uint8_t code) {
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof FUNCTIONS[0]; i++) {
        if (FUNCTIONS[i].code == code) {
            return &FUNCTIONS[i];
        }
    }
    return NULL;
}
