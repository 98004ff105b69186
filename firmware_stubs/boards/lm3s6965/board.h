/* The handlers of the interrupts that a program uses. All have the same priority: none interrupts another. */
#ifndef LM3S6965_BOARD_H
#define LM3S6965_BOARD_H

void systick_handler(void);
void uart0_handler(void);
void timer0_handler(void);

/* The program has failed, and the chip will start anew: what is connected to it goes where it is safe. */
void board_fail_safe(void);

#endif
