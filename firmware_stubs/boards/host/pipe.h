/* Standard input and output of the programs for sanitizers: numbers of this machine's byte order, blocks of bytes. */
#ifndef HOST_PIPE_H
#define HOST_PIPE_H

#include <stdio.h>
#include <stdlib.h>

static inline void take(void *to, size_t size) {
    if (fread(to, 1, size, stdin) != size) {
        exit(1);
    }
}

/* A block of exactly its size, so that a read beyond its end is found. Whoever takes it frees it. */
static inline uint8_t *take_block(uint16_t *size) {
    take(size, sizeof *size);
    uint8_t *bytes = malloc(*size > 0 ? *size : 1);
    if (bytes == NULL) {
        exit(1);
    }
    take(bytes, *size);
    return bytes;
}

static inline void give(const void *from, size_t size) {
    fwrite(from, 1, size, stdout);
}

static inline void give_block(const void *from, size_t all) {
    uint16_t size = (uint16_t)all;
    give(&size, sizeof size);
    give(from, size);
}

#endif
