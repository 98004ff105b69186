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
#include "boards/lm3s6965/clock.h"

enum { WATCHDOG_CYCLES = 5 * TICK_CYCLES };

/* Where to find things in the node's memory: for debuggers, and for a virtual press that starts running. */
__attribute__((used, section(".rodata.layout"))) const uint32_t node_layout[] = {
    offsetof(struct node, image),
    offsetof(struct node, loops),
    sizeof(struct loop),
};

static struct modbus_station station;
static volatile uint16_t sent;  /* bytes of the answer that the UART has */
static volatile uint16_t to_send; /* bytes of the answer that is being sent; 0: listening */
static int64_t sent_ns;           /* when the last of them will have left, if nothing holds them up */

void systick_handler(void) {
    ticks++;
}

void timer0_handler(void) {
    TIMER0_ICR = TIMER_A_TIMEOUT;
}

/* -- the line ---------------------------------------------------------------------------------------------------- */

/* Is the last stop bit not out yet? A master may begin right behind it. */
static bool is_sending(void) {
    return to_send > 0 && (sent < to_send || UART0_FR & FR_BUSY);
}

/* Bytes that waited in the UART came one after the other, the last of them just now. */
static void receive(int64_t complete_ns) {
    uint32_t bytes[UART_FIFO];
    unsigned count = 0;
    while (count < UART_FIFO && !(UART0_FR & FR_RECEIVE_EMPTY)) {
        bytes[count++] = UART0_DR;
    }
    if (is_sending()) {
        return; /* the transceiver's own echo */
    }
    for (unsigned i = 0; i < count; i++) {
        int64_t byte_ns = complete_ns - (int64_t)(count - 1 - i) * CHARACTER_NS;
        if (bytes[i] & (DR_DAMAGED | DR_OVERRUN)) {
            modbus_hear_damaged(&station, (bytes[i] & DR_OVERRUN) != 0, byte_ns);
        } else {
            modbus_hear(&station, (uint8_t)bytes[i], byte_ns);
        }
    }
}

/* Give the UART as many bytes as it has room for. */
static void transmit(void) {
    while (sent < to_send && !(UART0_FR & FR_TRANSMIT_FULL)) {
        UART0_DR = station.answer[sent++];
    }
    if (sent == to_send) {
        UART0_IM = INT_RECEIVE | INT_RECEIVE_TIMEOUT; /* the loop waits for the last byte to leave */
    }
}

void uart0_handler(void) {
    uint32_t causes = UART0_MIS;
    UART0_ICR = causes;
    if (causes & (INT_RECEIVE | INT_RECEIVE_TIMEOUT)) {
        receive(causes & INT_RECEIVE ? now_ns() : now_ns() - RECEIVE_TIMEOUT_NS);
    }
    if (causes & INT_TRANSMIT) {
        transmit();
    }
}

static void begin_answer(size_t size) {
    GPIOA_DATA_PIN6 = PIN_DRIVER;
    sent = 0;
    to_send = (uint16_t)size;
    UART0_IM = INT_RECEIVE | INT_RECEIVE_TIMEOUT | INT_TRANSMIT;
    transmit();
}

/* What is due on the line, with interrupts off. Returns when something will be due again. */
static int64_t attend_line(void) {
    if (is_sending()) {
        int64_t soon_ns = now_ns() + CHARACTER_NS;
        return soon_ns < sent_ns ? sent_ns : soon_ns;
    }
    GPIOA_DATA_PIN6 = 0; /* the line is the master's */
    to_send = 0;
    size_t size = modbus_attend(&station, now_ns());
    if (size > 0) {
        begin_answer(size);
        sent_ns = now_ns() + (int64_t)size * CHARACTER_NS;
        return sent_ns;
    }
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
    wake_at(attend_line());
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
