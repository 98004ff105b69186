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

/* -- 8, 11: diagnostics ---------------------------------------------------------------------------------------- */

enum {
    RETURN_QUERY_DATA = 0,
    RESTART_COMMUNICATIONS = 1,
    RETURN_DIAGNOSTIC_REGISTER = 2,
    FORCE_LISTEN_ONLY = 4,
    CLEAR_COUNTERS = 10,
    BUS_MESSAGE_COUNT = 11,
    BUS_ERROR_COUNT = 12,
    EXCEPTION_COUNT = 13,
    SERVER_MESSAGE_COUNT = 14,
    NO_RESPONSE_COUNT = 15,
    NAK_COUNT = 16,
    BUSY_COUNT = 17,
    OVERRUN_COUNT = 18,
    CLEAR_OVERRUN_COUNTER = 20,
    CLEAR_LOG = 0xFF00,
};

static enum modbus_exception check_diagnose(const struct modbus_exchange *x) {
    /* one word of data; what is only sent back may have more of them */
    size_t size = x->request_size;
    if (size < 5 || size % 2 == 0) {
        return MODBUS_ILLEGAL_VALUE;
    }
    return legal(size == 5 || get_word(x->request + 1) == RETURN_QUERY_DATA);
}

bool modbus_is_restart(const struct modbus_exchange *x) {
    return x->request[0] == 8 && !check_diagnose(x) && get_word(x->request + 1) == RESTART_COMMUNICATIONS;
}

/* The number that a sub-function asks for; false if it asks for none. */
static bool find_count(unsigned asked, const struct modbus_diagnostics *known, unsigned *count) {
    switch (asked) {
    case RETURN_DIAGNOSTIC_REGISTER:
        *count = known->listen_only;
        return true;
    case BUS_MESSAGE_COUNT:
        *count = known->bus_messages;
        return true;
    case BUS_ERROR_COUNT:
        *count = known->bus_errors;
        return true;
    case EXCEPTION_COUNT:
        *count = known->exceptions;
        return true;
    case SERVER_MESSAGE_COUNT:
        *count = known->server_messages;
        return true;
    case NO_RESPONSE_COUNT:
        *count = known->no_responses;
        return true;
    case NAK_COUNT:
    case BUSY_COUNT:
        *count = 0; /* what it can do, it does at once */
        return true;
    case OVERRUN_COUNT:
        *count = known->overruns;
        return true;
    default:
        return false;
    }
}

static enum modbus_exception diagnose(struct modbus_exchange *x) {
    struct modbus_diagnostics *known = x->known;
    unsigned asked = get_word(x->request + 1), data = get_word(x->request + 3), count;
    echo(x, x->request_size);
    if (asked == RETURN_QUERY_DATA) {
        return MODBUS_OK;
    }
    if (asked == RESTART_COMMUNICATIONS) {
        if (data != 0 && data != CLEAR_LOG) {
            return MODBUS_ILLEGAL_VALUE;
        }
        modbus_clear_counters(known);
        known->listen_only = false;
        return MODBUS_OK;
    }
    bool counts = find_count(asked, known, &count);
    if (!counts && asked != FORCE_LISTEN_ONLY && asked != CLEAR_COUNTERS && asked != CLEAR_OVERRUN_COUNTER) {
        return MODBUS_ILLEGAL_FUNCTION;
    }
    if (data != 0) {
        return MODBUS_ILLEGAL_VALUE;
    }
    if (counts) {
        put_word(x->answer + 3, count);
    } else if (asked == FORCE_LISTEN_ONLY) {
        known->listen_only = true;
    } else if (asked == CLEAR_COUNTERS) {
        modbus_clear_counters(known);
    } else {
        known->overruns = 0;
    }
    return MODBUS_OK;
}

static enum modbus_exception check_bare(const struct modbus_exchange *x) {
    return legal(x->request_size == 1);
}

static enum modbus_exception count_events(struct modbus_exchange *x) {
    put_word(x->answer + 1, 0); /* ready */
    put_word(x->answer + 3, x->known->events);
    x->answer_size = 5;
    return MODBUS_OK;
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

/* -- 17: server id --------------------------------------------------------------------------------------------- */

static enum modbus_exception report_server(struct modbus_exchange *x) {
    size_t size;
    const uint8_t *id = modbus_store_server_id(&size);
    x->answer[1] = (uint8_t)size;
    copy_bytes(x->answer + 2, id, size);
    x->answer_size = 2 + size;
    return MODBUS_OK;
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

/* -- 24: read a queue ------------------------------------------------------------------------------------------ */

static enum modbus_exception check_read_queue(const struct modbus_exchange *x) {
    return legal(x->request_size == 3);
}

static enum modbus_exception read_queue(struct modbus_exchange *x) {
    unsigned count = 0;
    enum modbus_exception exception = modbus_store_read_queue(get_word(x->request + 1), x->answer + 5, &count);
    put_word(x->answer + 1, 2 + 2 * count);
    put_word(x->answer + 3, count);
    x->answer_size = 5 + 2 * count;
    return exception;
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
    {8, false, check_diagnose, diagnose},
    {MODBUS_COUNT_EVENTS, false, check_bare, count_events},
    {15, true, check_write_coils, write_coils},
    {16, true, check_write_registers, write_registers},
    {17, false, check_bare, report_server},
    {22, true, check_mask_write, mask_write},
    {23, false, check_read_write, read_write},
    {24, false, check_read_queue, read_queue},
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
