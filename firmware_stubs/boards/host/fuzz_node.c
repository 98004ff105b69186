/*
 * The node's firmware as a program under sanitizers: commands come on standard input, what the node says and does goes
 * to standard output.
 *
 *     P                                     power on
 *     H  start_ns:i64  size:u16  bytes      bytes come
 *     A  now_ns:i64                         time passes; out: size:u16 and the answer
 *     S  now_ns:i64  contacts:u32  counts   a scan; out: the commands, then the image
 */
#include <stdint.h>

#include "boards/host/host.h"
#include "boards/host/pipe.h"
#include "node/node.h"

enum { CHARACTER_NS = 86806, SILENCE_NS = 1750000 }; /* 115200 bit/s, 8N1 */

int main(void) {
    host_power_on(true, CHARACTER_NS, SILENCE_NS);
    for (int what = getchar(); what != EOF; what = getchar()) {
        int64_t time_ns = 0;
        if (what == 'P') {
            host_power_on(true, CHARACTER_NS, SILENCE_NS);
            continue;
        }
        take(&time_ns, sizeof time_ns);
        if (what == 'H') {
            uint16_t size;
            uint8_t *bytes = take_block(&size);
            host_hear(bytes, size, time_ns);
            free(bytes);
        } else if (what == 'A') {
            uint8_t answer[MODBUS_MAX_FRAME];
            give_block(answer, host_attend(time_ns, answer));
        } else if (what == 'S') {
            uint32_t contacts, counts[CHANNELS];
            take(&contacts, sizeof contacts);
            take(counts, sizeof counts);
            host_scan(time_ns, counts, contacts);
            give(host_commands(), COMMANDS * sizeof(double));
            give(host_image(), IMAGE_SIZE);
        } else {
            return 1;
        }
        fflush(stdout);
    }
    return 0;
}
