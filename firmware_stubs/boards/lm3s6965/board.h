/* The handlers of the interrupts that this program uses. All have the same priority: none interrupts another. */
#ifndef LM3S6965_BOARD_H
#define LM3S6965_BOARD_H

void systick_handler(void);
void uart0_handler(void);
void timer0_handler(void);

#endif
