/*
 * The controller on its line: every cycle it reads what the press senses, scans, and writes what has changed; before
 * the first time, and after the node has started anew, it makes sure whom it talks to.
 *
 * Nothing is written in a cycle that had no answer to its reading. What is not answered is asked once more; then the
 * cycle is over, and the next one begins from the start.
 */
#ifndef CONTROLLER_TALK_H
#define CONTROLLER_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "modbus/master.h"

#define CONTROLLER_CYCLE_NS 100000000LL

enum { PRESS_PATIENCE_NS = 30000000 }; /* no answer has come: what a node and a slow adapter may take */

void talk_begin(struct modbus_line line);

/* A cycle begins. One that is still going on goes on. */
void talk_cycle(int64_t now_ns);

/* A byte was complete, or damaged. */
void talk_hear(uint8_t byte, int64_t now_ns);
void talk_hear_damaged(int64_t now_ns);

/* When talk_attend has something to do at the latest; MODBUS_NEVER_NS without. */
int64_t talk_due_ns(void);

/* Whatever is due. Returns how many bytes of *bytes are to be sent now. */
size_t talk_attend(int64_t now_ns, const uint8_t **bytes);

#endif
