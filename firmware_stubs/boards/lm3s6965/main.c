/*
 * The node on an LM3S6965: asleep until a byte, the timer or the next scan wakes it up.
 *
 * Interrupts take bytes off the UART, feed it, and count ticks; all else is done in the loop of main, one thing after the
 * other. So registers and actuators have one owner, and a scan or an answer is never seen half done. What the handlers
 * share with the loop is the station on the line, which the loop touches with interrupts off, and two flags.
 */
#include "boards/lm3s6965/board.h"
#include "boards/lm3s6965/io.h"
#include "modbus/station.h"
#include "node/node.h"

#define TICK_NS SCAN_PERIOD_NS
#include "boards/lm3s6965/line.h"

enum { WATCHDOG_CYCLES = 5 * TICK_CYCLES };

/* Where to find things in the node's memory: for debuggers, and for a virtual press that starts running. */
__attribute__((used, section(".rodata.layout"))) const uint32_t node_layout[] = {
    offsetof(struct node, image),
    offsetof(struct node, loops),
    sizeof(struct loop),
};

static struct modbus_station station;

/* -- the line ---------------------------------------------------------------------------------------------------- */

static void station_hear(uint8_t byte, int64_t now_ns) {
    modbus_hear(&station, byte, now_ns);
}

static void station_hear_damaged(bool overrun, int64_t now_ns) {
    modbus_hear_damaged(&station, overrun, now_ns);
}

static size_t station_attend(int64_t now_ns, const uint8_t **bytes) {
    *bytes = station.answer;
    return modbus_attend(&station, now_ns);
}

static int64_t station_due_ns(void) {
    return modbus_due_ns(&station);
}

/* -- the scan ---------------------------------------------------------------------------------------------------- */

void board_fail_safe(void) {
    io_fail_safe();
}

static void scan(uint32_t number) {
    static uint32_t counts[CHANNELS];
    unsigned contacts = io_receive(counts);
    node_scan((int64_t)number * SCAN_PERIOD_NS, counts, contacts);
    io_send(node.commands);
    WATCHDOG_LOAD = WATCHDOG_CYCLES; /* whoever does not scan any more is started anew */
}

/* -- power-on ---------------------------------------------------------------------------------------------------- */

static void start_peripherals(void) {
    SYSCTL_RCGC0 = RCGC0_WATCHDOG;
    SYSCTL_RCGC1 = RCGC1_UART0 | RCGC1_TIMER0;
    SYSCTL_RCGC2 = RCGC2_PORT_A;
    (void)SYSCTL_RCGC2; /* a few cycles until their clocks run */
    GPIOA_DIR = PIN_DRIVER;
    GPIOA_AFSEL = PINS_UART;
    GPIOA_DEN = PINS_UART | PIN_DRIVER;
    GPIOA_DATA_PIN6 = 0;
    start_line_and_ticks(WATCHDOG_CYCLES);
}

/* All that is due: first what the interrupts have to say, then a scan, then the line. Returns whether that was all. It is
 * no part of main, so that nothing is kept in registers over a sleep. */
__attribute__((noinline)) static bool work(void) {
    static uint32_t scanned;
    interrupts_on();
    if (ticks != scanned) {
        scanned = ticks; /* a scan that was missed is not made up for */
        scan(scanned);
    }
    interrupts_off();
    wake_at(line_attend());
    return ticks == scanned;
}

int main(void) {
    interrupts_off();
    const struct modbus_line line = {CHARACTER_NS, SILENCE_NS, TURNAROUND_NS};
    start_clock();
    modbus_station_init(&station, UNIT_ADDRESS, line);
    node_power_on(io_is_virtual());
    start_peripherals();
    scan(0);
    for (;;) {
        if (work()) {
            /* interrupts are off: one that is pending ends the sleep all the same, and none gets lost before it */
            __asm__ volatile(".global board_sleep\nboard_sleep:\n\twfi" ::: "memory");
        }
    }
}
