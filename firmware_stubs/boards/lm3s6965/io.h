/*
 * The process image: what the board senses and what it tells the actuators, in memory that stays where it is.
 *
 * The LM3S6965 has neither 55 analogue inputs nor a bus for them, so the I/O is on modules of its own, and this block is
 * what is exchanged with them between two scans. The virtual press (and whoever holds a debugger) reads and writes it
 * directly; on a real board io_receive and io_send in io.c talk to the modules, for example over SSI0.
 *
 * Address IO_ADDRESS, little endian, doubles as IEEE 754:
 *
 *     offset  size     what
 *     0       4        identity: IO_VIRTUAL on a virtual press; anything else is a real one
 *     4       4        contacts: bit 0 emergency stop button pressed, bit 1 guard open
 *     8       4 * n    counts of the n = CHANNELS channels of the ADC, see generated/node_map.c
 *     1024    8 * m    the m = COMMANDS commands to the actuators, SI, see COMMAND_... in generated/node_map.h
 *     2040    4        scans: rises by one when all commands of a scan stand there
 */
#ifndef LM3S6965_IO_H
#define LM3S6965_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "generated/node_map.h"

#define IO_ADDRESS 0x2000F800u
#define IO_VIRTUAL 0x56495254u /* "VIRT" */

struct io_block {
    volatile uint32_t identity;
    volatile uint32_t contacts;
    volatile uint32_t counts[254];
    volatile double commands[127];
    volatile uint32_t scans;
    volatile uint32_t reserved;
};

_Static_assert(CHANNELS <= 254 && COMMANDS <= 127, "the I/O block is too small");
_Static_assert(sizeof(struct io_block) == 2048, "the I/O block is as its documentation says");

/* Is this a virtual press? Asked once, at power-on. */
bool io_is_virtual(void);

/* Take what the modules sense: a count per channel. Returns the contacts, bits CONTACT_... */
unsigned io_receive(uint32_t counts[CHANNELS]);

/* Give the actuators their commands, all at once. */
void io_send(const double commands[COMMANDS]);

/* Give up: what a node without a supply does, brake and open. Called when the program has failed. */
void io_fail_safe(void);

#endif
