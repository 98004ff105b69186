/*
 * The controller as a program under sanitizers: commands come on standard input, what it sends and says goes to
 * standard output. It is off until the first recipe comes.
 *
 *     P  recipe                             power on, with this block of flash
 *     B  requests:u16                       buttons
 *     C  now_ns:i64                         a cycle begins
 *     H  end_ns:i64  size:u16  bytes        bytes come
 *     A  now_ns:i64                         time passes; out: size:u16 and what it sends
 *     T                                     out: size:u16 and what it has to say
 */
#include <stdint.h>

#include "boards/host/controller.h"
#include "boards/host/pipe.h"
#include "modbus/protocol.h"

enum { ROOM = 256 };

static int64_t take_time(void) {
    int64_t time_ns;
    take(&time_ns, sizeof time_ns);
    return time_ns;
}

int main(void) {
    for (int what = getchar(); what != EOF; what = getchar()) {
        if (what == 'P') {
            struct recipe recipe;
            take(&recipe, sizeof recipe);
            host_power_on(&recipe);
        } else if (what == 'B') {
            uint16_t requests;
            take(&requests, sizeof requests);
            host_press(requests);
        } else if (what == 'C') {
            host_cycle(take_time());
        } else if (what == 'H') {
            int64_t end_ns = take_time();
            uint16_t size;
            uint8_t *bytes = take_block(&size);
            host_hear(bytes, size, end_ns);
            free(bytes);
        } else if (what == 'A') {
            uint8_t request[MODBUS_MAX_FRAME];
            give_block(request, host_attend(take_time(), request));
        } else if (what == 'T') {
            char text[ROOM];
            give_block(text, host_console(text, sizeof text));
        } else {
            return 1;
        }
        fflush(stdout);
    }
    return 0;
}
