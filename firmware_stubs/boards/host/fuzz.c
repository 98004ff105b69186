/*
 * The firmware as a program under sanitizers: commands come on standard input, what the node says and does goes to
 * standard output. Numbers are of this machine's byte order.
 *
 *     P                                     power on
 *     H  start_ns:i64  size:u16  bytes      bytes come
 *     A  now_ns:i64                         time passes; out: size:u16 and the answer
 *     S  now_ns:i64  contacts:u32  counts   a scan; out: the commands, then the image
 */
#include <stdio.h>
#include <stdlib.h>

#include "boards/host/host.h"
#include "node/node.h"

enum { CHARACTER_NS = 86806, SILENCE_NS = 1750000 }; /* 115200 bit/s, 8N1 */

static void take(void *to, size_t size) {
    if (fread(to, 1, size, stdin) != size) {
        exit(1);
    }
}

static void give(const void *from, size_t size) {
    fwrite(from, 1, size, stdout);
}

int main(void) {
    host_power_on(true, CHARACTER_NS, SILENCE_NS);
    for (int what = getchar(); what != EOF; what = getchar()) {
        int64_t time_ns = 0;
        uint16_t size = 0;
        if (what == 'P') {
            host_power_on(true, CHARACTER_NS, SILENCE_NS);
            continue;
        }
        take(&time_ns, sizeof time_ns);
        if (what == 'H') {
            take(&size, sizeof size);
            /* of exactly this size, so that a read beyond its end is found */
            uint8_t *bytes = malloc(size > 0 ? size : 1);
            if (bytes == NULL) {
                return 1;
            }
            take(bytes, size);
            host_hear(bytes, size, time_ns);
            free(bytes);
        } else if (what == 'A') {
            uint8_t answer[MODBUS_MAX_FRAME];
            size = (uint16_t)host_attend(time_ns, answer);
            give(&size, sizeof size);
            give(answer, size);
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
