#include "boards/host/host.h"

#include "modbus/bytes.h"
#include "modbus/station.h"
#include "node/node.h"

static struct modbus_station station;

void host_power_on(bool is_virtual, int64_t character_ns, int64_t silence_ns) {
    struct modbus_line line = {character_ns, silence_ns, TURNAROUND_NS};
    modbus_station_init(&station, UNIT_ADDRESS, line);
    node_power_on(is_virtual);
}

void host_hear(const uint8_t *bytes, size_t size, int64_t start_ns) {
    for (size_t i = 0; i < size; i++) {
        modbus_hear(&station, bytes[i], start_ns + (int64_t)(i + 1) * station.line.character_ns);
    }
}

void host_hear_damaged(bool overrun, int64_t now_ns) {
    modbus_hear_damaged(&station, overrun, now_ns);
}

int64_t host_due_ns(void) {
    return modbus_due_ns(&station);
}

size_t host_attend(int64_t now_ns, uint8_t *answer) {
    size_t size = modbus_attend(&station, now_ns);
    copy_bytes(answer, station.answer, size);
    return size;
}

void host_scan(int64_t now_ns, const uint32_t *counts, unsigned contacts) {
    node_scan(now_ns, counts, contacts);
}

const double *host_commands(void) {
    return node.commands;
}

const uint8_t *host_image(void) {
    return node.image;
}
