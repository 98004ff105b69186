/*
 * The node on an LM3S6965: asleep until a byte, the timer or the next scan wakes it up.
 *
 * Interrupts take bytes off the UART, feed it, and count ticks; all else is done in the loop of main, one thing after the
 * other. So registers and actuators have one owner, and a scan or an answer is never seen half done. What the handlers
 * share with the loop is the station on the line, which the loop touches with interrupts off, and two flags.
 */
#include "boards/lm3s6965/board.h"
#include "boards/lm3s6965/chip.h"
#include "boards/lm3s6965/io.h"
#include "modbus/station.h"
#include "node/node.h"

/* 50 MHz, 115200 bit/s, 8 data bits, no parity, 1 stop bit */
enum {
    CYCLE_NS = 20,
    BAUD_INTEGER = 27, /* 50 MHz / 16 / 115200 = 27 + 8 / 64 */
    BAUD_FRACTION = 8,
    CHARACTER_NS = 86806,
    UART_FIFO = 16,
    RECEIVE_TIMEOUT_NS = 277778, /* 32 bits */
    SILENCE_NS = 1750000,
    TICK_CYCLES = SCAN_PERIOD_NS / CYCLE_NS,
    WATCHDOG_CYCLES = 5 * TICK_CYCLES,
    LONGEST_SLEEP_NS = 40000000, /* what the timer is set to at the most; the tick comes sooner or later anyway */
};

/* Where to find things in the node's memory: for debuggers, and for a virtual press that starts running. */
__attribute__((used, section(".rodata.layout"))) const uint32_t node_layout[] = {
    offsetof(struct node, image),
    offsetof(struct node, loops),
    sizeof(struct loop),
};

static struct modbus_station station;
static volatile uint32_t ticks; /* scan periods since power-on */
static volatile uint16_t sent;  /* bytes of the answer that the UART has */
static volatile uint16_t to_send; /* bytes of the answer that is being sent; 0: listening */
static int64_t sent_ns;           /* when the last of them will have left, if nothing holds them up */

static void interrupts_off(void) {
    __asm__ volatile("cpsid i" ::: "memory");
}

static void interrupts_on(void) {
    __asm__ volatile("cpsie i\n\tisb" ::: "memory");
}

/* -- time: interrupts are off, or it is one of them that asks ---------------------------------------------------- */

static int64_t now_ns(void) {
    uint32_t passed = ticks;
    int32_t left = (int32_t)SYST_CVR;
    if (SCB_ICSR & ICSR_SYSTICK_PENDING) {
        passed++; /* it has begun anew, and nobody has counted that yet */
        left = (int32_t)SYST_CVR;
    }
    return (int64_t)passed * SCAN_PERIOD_NS + (int64_t)(TICK_CYCLES - 1 - left) * CYCLE_NS;
}

/* Wake up at a time: never too early, and soon if it has passed. */
static void wake_at(int64_t due_ns) {
    TIMER0_CTL = 0;
    if (due_ns == MODBUS_NEVER_NS) {
        return;
    }
    int64_t left_ns = due_ns - now_ns();
    if (left_ns > LONGEST_SLEEP_NS) {
        left_ns = LONGEST_SLEEP_NS;
    }
    TIMER0_TAILR = left_ns > CYCLE_NS ? (uint32_t)left_ns / CYCLE_NS + 1 : 1;
    TIMER0_CTL = TIMER_A_ENABLE;
}

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

static void scan(uint32_t number) {
    static uint32_t counts[CHANNELS];
    unsigned contacts = io_receive(counts);
    node_scan((int64_t)number * SCAN_PERIOD_NS, counts, contacts);
    io_send(node.commands);
    WATCHDOG_LOAD = WATCHDOG_CYCLES; /* whoever does not scan any more is started anew */
}

/* -- power-on ---------------------------------------------------------------------------------------------------- */

static void start_clock(void) {
    uint32_t rcc = (SYSCTL_RCC | RCC_BYPASS_PLL) & ~(uint32_t)RCC_USE_DIVIDER;
    SYSCTL_RCC = rcc;
    rcc &= ~(uint32_t)(RCC_MAIN_OSCILLATOR_OFF | RCC_SOURCE | RCC_CRYSTAL | RCC_PLL_OFF | RCC_DIVIDER);
    rcc |= RCC_CRYSTAL_8_MHZ | RCC_DIVIDE_BY_4 | RCC_USE_DIVIDER;
    SYSCTL_RCC = rcc;
    while (!(SYSCTL_RIS & RIS_PLL_LOCKED)) {
    }
    SYSCTL_RCC = rcc & ~(uint32_t)RCC_BYPASS_PLL;
}

static void start_peripherals(void) {
    SYSCTL_RCGC0 = RCGC0_WATCHDOG;
    SYSCTL_RCGC1 = RCGC1_UART0 | RCGC1_TIMER0;
    SYSCTL_RCGC2 = RCGC2_PORT_A;
    (void)SYSCTL_RCGC2; /* a few cycles until their clocks run */
    GPIOA_DIR = PIN_DRIVER;
    GPIOA_AFSEL = PINS_UART;
    GPIOA_DEN = PINS_UART | PIN_DRIVER;
    GPIOA_DATA_PIN6 = 0;
    UART0_CTL = 0;
    UART0_IBRD = BAUD_INTEGER;
    UART0_FBRD = BAUD_FRACTION;
    UART0_LCRH = LCRH_8_BITS_FIFO;
    UART0_IFLS = IFLS_EARLY;
    UART0_ICR = INT_ALL;
    UART0_IM = INT_RECEIVE | INT_RECEIVE_TIMEOUT;
    UART0_CTL = CTL_RUN;
    TIMER0_CTL = 0;
    TIMER0_CFG = 0;
    TIMER0_TAMR = TIMER_ONE_SHOT;
    TIMER0_IMR = TIMER_A_TIMEOUT;
    WATCHDOG_LOCK = WATCHDOG_UNLOCK;
    WATCHDOG_LOAD = WATCHDOG_CYCLES;
    WATCHDOG_CTL = WATCHDOG_RESET;
    SYST_RVR = TICK_CYCLES - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_RUN;
    NVIC_ISER0 = 1u << IRQ_UART0 | 1u << IRQ_TIMER0A;
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
