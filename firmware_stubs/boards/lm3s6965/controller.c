/*
 * The controller on an LM3S6965: a Modbus master on UART 0, push-buttons on port A, and what it does as lines of text on
 * UART 1 for whoever listens there.
 *
 * Like the node it sleeps until a byte, the timer or the next cycle wakes it up, and interrupts only move bytes.
 *
 *     PA0, PA1, PA6   line: receive, transmit, driver enable of the RS-485 transceiver
 *     PA2             button start    \
 *     PA3             button stop      | to ground, with the chip's pull-ups: pressed is low.
 *     PA4             button reset     | They are looked at every 100 ms, so that they do not bounce.
 *     PA5             button abort    /
 *     PA7             switch hold / run, hold is low
 *     PD3             UART 1 transmit, 115200 8N1: `state preheat`, `alarm stale_data`, `clear`, `refused 2`
 */
#include "boards/lm3s6965/board.h"
#include "boards/lm3s6965/chip.h"
#include "controller/console.h"
#include "controller/controller.h"
#include "controller/talk.h"

#define TICK_NS CONTROLLER_CYCLE_NS
#include "boards/lm3s6965/line.h"

enum {
    WATCHDOG_CYCLES = 5 * TICK_CYCLES,
    PIN_START = 1 << 2,
    PIN_STOP = 1 << 3,
    PIN_RESET = 1 << 4,
    PIN_ABORT = 1 << 5,
    PIN_HOLD = 1 << 7,
    PINS_BUTTONS = PIN_START | PIN_STOP | PIN_RESET | PIN_ABORT | PIN_HOLD,
};

extern const struct recipe recipe_in_flash; /* of the linker script */

/* Nothing that could be said now is better than silence: the node's watchdog opens the press. */
void board_fail_safe(void) {
    GPIOA_DATA_PIN6 = 0;
}

/* -- the line ---------------------------------------------------------------------------------------------------- */

static void station_hear(uint8_t byte, int64_t now_ns) {
    talk_hear(byte, now_ns);
}

static void station_hear_damaged(bool overrun, int64_t now_ns) {
    (void)overrun; /* an answer that is damaged is none, whatever happened to it */
    talk_hear_damaged(now_ns);
}

static size_t station_attend(int64_t now_ns, const uint8_t **bytes) {
    return talk_attend(now_ns, bytes);
}

static int64_t station_due_ns(void) {
    return talk_due_ns();
}

/* -- people ------------------------------------------------------------------------------------------------------ */

/* What was pressed since the last look. A button that is held down counts once. */
static unsigned pressed(void) {
    static uint32_t before = PINS_BUTTONS;
    uint32_t now = GPIOA_DATA_PINS(PINS_BUTTONS), down = before & ~now, up = now & ~before;
    before = now;
    unsigned requests = down & PIN_START ? REQUEST_START : 0u;
    requests |= down & PIN_STOP ? REQUEST_STOP : 0u;
    requests |= down & PIN_RESET ? REQUEST_RESET : 0u;
    requests |= down & PIN_ABORT ? REQUEST_ABORT : 0u;
    requests |= down & PIN_HOLD ? REQUEST_HOLD : 0u;
    requests |= up & PIN_HOLD ? REQUEST_RESUME : 0u;
    return requests;
}

/* Say as much as UART 1 takes; the rest is said when somebody wakes up the next time. */
static void say(void) {
    char character;
    while (!(UART1_FR & FR_TRANSMIT_FULL) && console_next(&character)) {
        UART1_DR = (uint8_t)character;
    }
}

/* -- power-on ---------------------------------------------------------------------------------------------------- */

static void start_peripherals(void) {
    SYSCTL_RCGC0 = RCGC0_WATCHDOG;
    SYSCTL_RCGC1 = RCGC1_UART0 | RCGC1_UART1 | RCGC1_TIMER0;
    SYSCTL_RCGC2 = RCGC2_PORT_A | RCGC2_PORT_D;
    (void)SYSCTL_RCGC2; /* a few cycles until their clocks run */
    GPIOA_DIR = PIN_DRIVER;
    GPIOA_AFSEL = PINS_UART;
    GPIOA_PUR = PINS_BUTTONS;
    GPIOA_DEN = PINS_UART | PIN_DRIVER | PINS_BUTTONS;
    GPIOA_DATA_PIN6 = 0;
    GPIOD_AFSEL = PIN_TRANSMIT1;
    GPIOD_DEN = PIN_TRANSMIT1;
    UART1_CTL = 0;
    UART1_IBRD = BAUD_INTEGER;
    UART1_FBRD = BAUD_FRACTION;
    UART1_LCRH = LCRH_8_BITS_FIFO;
    UART1_CTL = CTL_RUN;
    start_line_and_ticks(WATCHDOG_CYCLES);
}

/* All that is due. It is no part of main, so that nothing is kept in registers over a sleep. */
__attribute__((noinline)) static void work(void) {
    static uint32_t begun;
    interrupts_on();
    interrupts_off();
    if (ticks != begun) {
        begun = ticks; /* a cycle that was missed is not made up for */
        controller_ask(pressed());
        talk_cycle((int64_t)begun * TICK_NS);
        WATCHDOG_LOAD = WATCHDOG_CYCLES; /* whoever does not come here any more is started anew */
    }
    wake_at(line_attend());
    console_look();
    say();
}

int main(void) {
    interrupts_off();
    const struct modbus_line line = {CHARACTER_NS, SILENCE_NS, PRESS_PATIENCE_NS};
    start_clock();
    controller_begin(&recipe_in_flash, 0);
    talk_begin(line);
    console_begin();
    start_peripherals();
    for (;;) {
        work();
        /* interrupts are off: one that is pending ends the sleep all the same, and none gets lost before it */
        __asm__ volatile(".global board_sleep\nboard_sleep:\n\twfi" ::: "memory");
    }
}
