#include "node/number.h"

#include "modbus/bytes.h"

#define DECIMALS 1e6

enum {
    MANTISSA_BITS = 52,
    EXPONENT_BIAS = 1023,
    EXPONENT_MASK = 0x7FF,
};

double nearest(double x) {
    /* above 2^52 the doubles are the whole numbers, so the sum rounds; there is no rint without a libm */
    const double whole = 0x1.8p52;
    return (x + whole) - whole;
}

/* Not inlined, or the compiler would convert either way and then choose. */
__attribute__((noinline)) static double from_two_registers(int64_t raw) {
    return (double)raw;
}

double engineering(const struct number *number, int64_t raw) {
    double value = number->registers == 2 ? from_two_registers(raw) : (double)(int32_t)raw;
    if (!number->plain) {
        value *= number->scale;
    }
    return number->shifted ? value + number->offset : value;
}

double decode(const uint8_t *image, const struct number *number) {
    int64_t raw = get_word(image + number->place);
    if (number->registers == 2) {
        raw = raw << 16 | get_word(image + number->place + 2);
    }
    if (raw > number->largest) {
        raw -= (int64_t)1 << (16 * number->registers);
    }
    double value = engineering(number, raw);
    return number->plain ? value : nearest(value * DECIMALS) / DECIMALS;
}

/* The same, as an integer: it is cut out of the bits, which takes less than two sums and a conversion. */
static int64_t nearest_integer(double x) {
    union {
        double number;
        uint64_t bits;
    } as = {x};
    unsigned below = MANTISSA_BITS + EXPONENT_BIAS - (unsigned)(as.bits >> MANTISSA_BITS & EXPONENT_MASK);
    if (below > MANTISSA_BITS + 1) {
        return 0; /* less than half */
    }
    uint64_t mantissa = (as.bits & ((1ull << MANTISSA_BITS) - 1)) | 1ull << MANTISSA_BITS;
    uint64_t whole = mantissa >> below, half = 1ull << below >> 1, rest = mantissa & ((1ull << below) - 1);
    whole += rest > half || (rest == half && whole & 1);
    return as.bits >> 63 ? -(int64_t)whole : (int64_t)whole;
}

void show(uint8_t *image, const struct number *number, double value) {
    if (number->shifted) {
        value -= number->offset;
    }
    if (!number->plain) {
        value /= number->scale;
    }
    put_raw(image, number, clip_raw(number, nearest_integer(value)));
}

void show_whole(uint8_t *image, const struct number *number, int64_t value) {
    if (number->plain) {
        put_raw(image, number, clip_raw(number, value));
    } else {
        show(image, number, (double)value);
    }
}

void put_f32(uint8_t *image, unsigned place, double value) {
    union {
        float number;
        uint32_t bits;
    } f32 = {.number = (float)value};
    put_word(image + place, f32.bits >> 16);
    put_word(image + place + 2, f32.bits);
}
