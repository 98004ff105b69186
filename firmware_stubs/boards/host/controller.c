#include "boards/host/controller.h"

#include "controller/console.h"
#include "controller/controller.h"
#include "controller/talk.h"
#include "modbus/bytes.h"

/* 115200 bit/s, 8 data bits, no parity, 1 stop bit */
enum { CHARACTER_NS = 86806, SILENCE_NS = 1750000 };

void host_power_on(const struct recipe *recipe) {
    static struct recipe kept;
    const struct modbus_line line = {CHARACTER_NS, SILENCE_NS, PRESS_PATIENCE_NS};
    kept = *recipe;
    controller_begin(&kept, 0);
    talk_begin(line);
    console_begin();
}

void host_press(unsigned requests) {
    controller_ask(requests);
}

void host_cycle(int64_t now_ns) {
    talk_cycle(now_ns);
}

void host_hear(const uint8_t *bytes, size_t size, int64_t end_ns) {
    for (size_t i = 0; i < size; i++) {
        talk_hear(bytes[i], end_ns - (int64_t)(size - 1 - i) * CHARACTER_NS);
    }
}

int64_t host_due_ns(void) {
    return talk_due_ns();
}

size_t host_attend(int64_t now_ns, uint8_t *bytes) {
    const uint8_t *request;
    size_t size = talk_attend(now_ns, &request);
    if (size > 0) {
        copy_bytes(bytes, request, size);
    }
    console_look();
    return size;
}

size_t host_console(char *text, size_t room) {
    size_t size = 0;
    while (size < room && console_next(text + size)) {
        size++;
    }
    return size;
}
