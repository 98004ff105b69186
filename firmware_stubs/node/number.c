#include "node/number.h"

#include "modbus/bytes.h"

#define DECIMALS 1e6

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

void show(uint8_t *image, const struct number *number, double value) {
    if (number->shifted) {
        value -= number->offset;
    }
    if (!number->plain) {
        value /= number->scale;
    }
    put_raw(image, number, clip_raw(number, (int64_t)nearest(value)));
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
