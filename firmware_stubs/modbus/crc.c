#include "modbus/crc.h"

/* Four bits a step: 32 bytes of flash, and a frame of 256 bytes still takes well below a millisecond. */
static const uint16_t STEP[16] = {
    0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
    0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
};

uint16_t modbus_crc(const uint8_t *data, size_t size) {
    unsigned crc = 0xFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ STEP[crc & 0xF];
        crc = crc >> 4 ^ STEP[crc & 0xF];
    }
    return (uint16_t)crc;
}
