/* From reset to main, and what happens when the program fails. */
#include <stdint.h>

#include "boards/lm3s6965/board.h"
#include "boards/lm3s6965/chip.h"

/* of the linker script */
extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

int main(void);

void reset_handler(void) {
    for (uint32_t *to = data_start, *from = data_load; to < data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end;) {
        *to++ = 0;
    }
    main();
}

/* Hard fault, or an interrupt that nobody asked for: what is connected goes where it is safe, and the chip starts anew. */
static void fault_handler(void) {
    board_fail_safe();
    SCB_AIRCR = 0x05FA0004; /* system reset request */
    for (;;) {
    }
}

typedef void (*vector)(void);

enum { CORE_VECTORS = 16, INTERRUPTS = IRQ_TIMER0A + 1 }; /* no interrupt behind these is ever enabled */

#define FAULT fault_handler

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    vector core[CORE_VECTORS - 1];
    vector interrupts[INTERRUPTS];
} VECTORS = {
    stack_top,
    {
        reset_handler, FAULT, FAULT, FAULT, FAULT, FAULT, 0, 0, 0, 0, FAULT, FAULT, 0, FAULT, systick_handler,
    },
    {
        FAULT, FAULT, FAULT, FAULT, FAULT, uart0_handler, FAULT, FAULT, FAULT, FAULT, /* from interrupt 0 on */
        FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, FAULT, timer0_handler,
    },
};

_Static_assert(IRQ_UART0 == 5 && IRQ_TIMER0A == 19, "the handlers stand at their interrupts");
