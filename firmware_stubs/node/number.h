/* Scaled numbers between registers and engineering units, and single bits; the counterpart of emulator/image.py. */
#ifndef NODE_NUMBER_H
#define NODE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* engineering value = raw * scale + offset */
struct number {
    uint16_t place;    /* byte in the image */
    uint8_t registers; /* 1 or 2, the high one first */
    bool plain;        /* scale 1, offset 0: nothing to round */
    double scale, offset;
    double smallest, largest; /* raw values that the type can show */
};

/* Nearest whole number, halves to the even one. */
double nearest(double x);

/* Engineering value of a register, rounded to six decimals: 115.2 and not 115.20000000000002. */
double decode(const uint8_t *image, const struct number *number);

/* Raw value, clipped to what its type can show as a transmitter does. */
double encode(const struct number *number, double value);

/* Write a raw value, a whole one. */
void put_raw(uint8_t *image, const struct number *number, double raw);

/* Write an engineering value. */
void show(uint8_t *image, const struct number *number, double value);

/* Write two registers with a 32-bit float. */
void put_f32(uint8_t *image, unsigned place, double value);

static inline bool get_bit(const uint8_t *image, unsigned place) {
    return image[place >> 3] >> (place & 7) & 1;
}

static inline void put_bit(uint8_t *image, unsigned place, bool value) {
    unsigned mask = 1u << (place & 7);
    image[place >> 3] = (uint8_t)(value ? image[place >> 3] | mask : image[place >> 3] & ~mask);
}

/* Plain comparisons: of two equal numbers the first. */
static inline double smaller(double a, double b) {
    return b < a ? b : a;
}

static inline double larger(double a, double b) {
    return b > a ? b : a;
}

static inline double between(double x, double low, double high) {
    return smaller(larger(x, low), high);
}

#endif
