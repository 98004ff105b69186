/*
 * The firmware as a library on a PC, for tests: time, bytes and ADC counts come from the caller, who loads it with
 * ctypes (emulator/firmware/host.py). One node per process.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define HOST_API __attribute__((visibility("default")))
#else
#define HOST_API
#endif

/* Switch on at time 0. */
HOST_API void host_power_on(bool is_virtual, int64_t character_ns, int64_t silence_ns);

/* Bytes come without pause, the first begins at start_ns. */
HOST_API void host_hear(const uint8_t *bytes, size_t size, int64_t start_ns);

/* A byte was damaged, or lost in the UART (overrun). */
HOST_API void host_hear_damaged(bool overrun, int64_t now_ns);

/* When host_attend has something to do, INT64_MAX without. */
HOST_API int64_t host_due_ns(void);

/* Let time pass. Returns how many bytes the node sends now, and what: `answer` has room for 256. */
HOST_API size_t host_attend(int64_t now_ns, uint8_t *answer);

/* One scan: as node_scan. */
HOST_API void host_scan(int64_t now_ns, const uint32_t *counts, unsigned contacts);

/* What the actuators are told and what the registers hold, at their places in the node's memory. */
HOST_API const double *host_commands(void);
HOST_API const uint8_t *host_image(void);

#endif
