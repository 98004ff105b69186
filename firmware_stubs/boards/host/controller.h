/* The controller as a library on a PC: one per load of the library. Times are ns since power-on. */
#ifndef HOST_CONTROLLER_H
#define HOST_CONTROLLER_H

#include <stddef.h>
#include <stdint.h>

#include "controller/recipe.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void host_power_on(const struct recipe *recipe);

/* Buttons: bits of enum request. */
EXPORT void host_press(unsigned requests);

/* A cycle begins. */
EXPORT void host_cycle(int64_t now_ns);

/* Bytes came without pause, the last was complete at end_ns. */
EXPORT void host_hear(const uint8_t *bytes, size_t size, int64_t end_ns);

/* When host_attend has something to do; INT64_MAX without. */
EXPORT int64_t host_due_ns(void);

/* Let time pass until now_ns. Returns how many bytes are sent from now on; they are written to `bytes`. */
EXPORT size_t host_attend(int64_t now_ns, uint8_t *bytes);

/* What it has to say: up to `room` characters. */
EXPORT size_t host_console(char *text, size_t room);

#endif
