/* The check of every frame on the line: CRC-16/MODBUS (Serial Line V1.02, section 6.2.2). */
#ifndef MODBUS_CRC_H
#define MODBUS_CRC_H

#include <stddef.h>
#include <stdint.h>

/* It is sent low byte first, so over a frame including its check it is 0. */
uint16_t modbus_crc(const uint8_t *data, size_t size);

#endif
