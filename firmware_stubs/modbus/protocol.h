/* The words of the Modbus specification (Application Protocol V1.1b3, Serial Line V1.02). */
#ifndef MODBUS_PROTOCOL_H
#define MODBUS_PROTOCOL_H

enum {
    MODBUS_MIN_FRAME = 4,   /* address, function, CRC */
    MODBUS_MAX_FRAME = 256,
    MODBUS_MAX_PDU = 253,   /* a frame less address and CRC */
    MODBUS_MAX_QUEUE = 31,  /* registers in one queue */
    MODBUS_BROADCAST = 0,
    MODBUS_COUNT_EVENTS = 11, /* the one function that is no event for the counter it reads */
    MODBUS_EXCEPTION_FLAG = 0x80,
};

enum modbus_exception {
    MODBUS_OK = 0,
    MODBUS_ILLEGAL_FUNCTION = 1,
    MODBUS_ILLEGAL_ADDRESS = 2,
    MODBUS_ILLEGAL_VALUE = 3,
    MODBUS_DEVICE_FAILURE = 4,
};

enum modbus_table {
    MODBUS_INPUT,
    MODBUS_HOLDING,
    MODBUS_DISCRETE,
    MODBUS_COIL,
    MODBUS_TABLES,
};

#endif
