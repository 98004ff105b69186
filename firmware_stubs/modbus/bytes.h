/* Numbers as Modbus sends them: 16 bits, high byte first. */
#ifndef MODBUS_BYTES_H
#define MODBUS_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline unsigned get_word(const uint8_t *bytes) {
    return (unsigned)bytes[0] << 8 | bytes[1];
}

static inline void put_word(uint8_t *bytes, unsigned word) {
    bytes[0] = (uint8_t)(word >> 8);
    bytes[1] = (uint8_t)word;
}

/* There is no libc; the compiler may make a call to memcpy of this, which every board brings along. */
static inline void copy_bytes(uint8_t *to, const uint8_t *from, size_t size) {
    for (size_t i = 0; i < size; i++) {
        to[i] = from[i];
    }
}

#endif
