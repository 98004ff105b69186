/*
 * What the controller is doing, as lines of text for a terminal or a logger:
 *
 *     state preheat        whenever it has changed
 *     alarm stale_data     when one is raised
 *     clear                when all have been reset
 *     refused 5            a start: the recipe cannot meet claim CLM-5
 */
#ifndef CONTROLLER_CONSOLE_H
#define CONTROLLER_CONSOLE_H

#include <stdbool.h>

/* Power-on: nothing has been said. */
void console_begin(void);

/* Note what is new about `controller`. */
void console_look(void);

/* Take the next character to be said. Returns false if there is none. */
bool console_next(char *character);

#endif
