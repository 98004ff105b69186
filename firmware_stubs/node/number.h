/* Scaled numbers between registers and engineering units, and single bits; the counterpart of emulator/image.py. */
#ifndef NODE_NUMBER_H
#define NODE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "modbus/bytes.h"

/* engineering value = raw * scale + offset */
struct number {
    uint16_t place;    /* byte in the image */
    uint8_t registers; /* 1 or 2, the high one first */
    bool plain;        /* scale 1, offset 0: nothing to round */
    bool shifted;      /* offset is not 0 */
    double scale, offset;
    int64_t smallest, largest; /* raw values that the type can show */
};

/* Nearest whole number, halves to the even one, of one whose magnitude is below 2^51. */
double nearest(double x);

/* Engineering value of a raw one, as it is. */
double engineering(const struct number *number, int64_t raw);

/* Engineering value of a register, rounded to six decimals: 115.2 and not 115.20000000000002. */
double decode(const uint8_t *image, const struct number *number);

/* Write a whole number, whose magnitude is below 2^51, as its engineering value. */
void show_whole(uint8_t *image, const struct number *number, int64_t value);

/* Write an engineering value. */
void show(uint8_t *image, const struct number *number, double value);

/* Write two registers with a 32-bit float. */
void put_f32(uint8_t *image, unsigned place, double value);

/* Raw value that the type can show, clipped as a transmitter does. */
static inline int64_t clip_raw(const struct number *number, int64_t raw) {
    return raw < number->smallest ? number->smallest : raw > number->largest ? number->largest : raw;
}

/* Write a raw value. */
static inline void put_raw(uint8_t *image, const struct number *number, int64_t raw) {
    uint8_t *place = image + number->place;
    uint32_t word = (uint32_t)raw;
    if (number->registers == 2) {
        put_word(place, word >> 16);
        place += 2;
    }
    put_word(place, word);
}

static inline bool get_bit(const uint8_t *image, unsigned place) {
    return image[place >> 3] >> (place & 7) & 1;
}

static inline void put_bit(uint8_t *image, unsigned place, bool value) {
    unsigned mask = 1u << (place & 7);
    image[place >> 3] = (uint8_t)(value ? image[place >> 3] | mask : image[place >> 3] & ~mask);
}

/*
 * Is a below b? Neither is a NaN. Without a unit for them, doubles are compared much faster as whole numbers: those of one
 * sign are ordered as their bits are.
 */
static inline bool less(double a, double b) {
    union {
        double number;
        int64_t bits;
    } x = {a}, y = {b};
    if (((uint64_t)(x.bits | y.bits) << 1) == 0) {
        return false; /* 0 and -0 */
    }
    return (x.bits ^ (x.bits >> 63 & INT64_MAX)) < (y.bits ^ (y.bits >> 63 & INT64_MAX));
}

/* Are these the same bits? */
static inline bool is_same(double a, double b) {
    union {
        double number;
        int64_t bits;
    } x = {a}, y = {b};
    return x.bits == y.bits;
}

/* Of two equal numbers the first. */
static inline double smaller(double a, double b) {
    return less(b, a) ? b : a;
}

static inline double larger(double a, double b) {
    return less(a, b) ? b : a;
}

static inline double between(double x, double low, double high) {
    return smaller(larger(x, low), high);
}

#endif
