#include "node/number.h"

#include "modbus/bytes.h"

#define DECIMALS 1e6

double nearest(double x) {
    /* above 2^52 the doubles are the whole numbers, so the sum rounds; there is no rint without a libm */
    const double whole = 0x1.8p52;
    if (x > -0x1p51 && x < 0x1p51) {
        return (x + whole) - whole;
    }
    return x;
}

double decode(const uint8_t *image, const struct number *number) {
    int64_t raw = get_word(image + number->place);
    if (number->registers == 2) {
        raw = raw << 16 | get_word(image + number->place + 2);
    }
    if ((double)raw > number->largest) {
        raw -= (int64_t)1 << (16 * number->registers);
    }
    if (number->plain) {
        return (double)raw;
    }
    return nearest(((double)raw * number->scale + number->offset) * DECIMALS) / DECIMALS;
}

double encode(const struct number *number, double value) {
    return between(nearest((value - number->offset) / number->scale), number->smallest, number->largest);
}

void put_raw(uint8_t *image, const struct number *number, double raw) {
    uint8_t *place = image + number->place;
    uint32_t word = (uint32_t)(int64_t)raw;
    if (number->registers == 2) {
        put_word(place, word >> 16);
        place += 2;
    }
    put_word(place, word);
}

void show(uint8_t *image, const struct number *number, double value) {
    put_raw(image, number, encode(number, value));
}

void put_f32(uint8_t *image, unsigned place, double value) {
    union {
        float number;
        uint32_t bits;
    } f32 = {.number = (float)value};
    put_word(image + place, f32.bits >> 16);
    put_word(image + place + 2, f32.bits);
}
