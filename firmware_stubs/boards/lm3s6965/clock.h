/*
 * Time on the LM3S6965: 64-bit nanoseconds since power-on, from SysTick, which begins anew every TICK_NS; timer 0 to
 * wake up by. A program includes this once, behind its own `#define TICK_NS`.
 */
#ifndef LM3S6965_CLOCK_H
#define LM3S6965_CLOCK_H

#include "boards/lm3s6965/chip.h"
#include "modbus/station.h"

/* 50 MHz */
enum {
    CYCLE_NS = 20,
    TICK_CYCLES = TICK_NS / CYCLE_NS,
    LONGEST_SLEEP_NS = 40000000, /* what the timer is set to at the most; it is set again when that is over */
};

/* 115200 bit/s, 8 data bits, no parity, 1 stop bit */
enum {
    BAUD_INTEGER = 27, /* 50 MHz / 16 / 115200 = 27 + 8 / 64 */
    BAUD_FRACTION = 8,
    CHARACTER_NS = 86806,
    UART_FIFO = 16,
    RECEIVE_TIMEOUT_NS = 277778, /* 32 bits */
    SILENCE_NS = 1750000,
};

static volatile uint32_t ticks; /* since power-on */

void systick_handler(void) {
    ticks++;
}

void timer0_handler(void) {
    TIMER0_ICR = TIMER_A_TIMEOUT;
}

static void interrupts_off(void) {
    __asm__ volatile("cpsid i" ::: "memory");
}

static void interrupts_on(void) {
    __asm__ volatile("cpsie i\n\tisb" ::: "memory");
}

/* Interrupts are off, or it is one of them that asks. */
static int64_t now_ns(void) {
    uint32_t passed = ticks;
    int32_t left = (int32_t)SYST_CVR;
    if (SCB_ICSR & ICSR_SYSTICK_PENDING) {
        passed++; /* it has begun anew, and nobody has counted that yet */
        left = (int32_t)SYST_CVR;
    }
    return (int64_t)passed * TICK_NS + (int64_t)(TICK_CYCLES - 1 - left) * CYCLE_NS;
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

/* UART 0 as the line, timer 0, watchdog and SysTick; their clocks run already. */
static void start_line_and_ticks(uint32_t watchdog_cycles) {
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
    WATCHDOG_LOAD = watchdog_cycles;
    WATCHDOG_CTL = WATCHDOG_RESET;
    SYST_RVR = TICK_CYCLES - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_RUN;
    NVIC_ISER0 = 1u << IRQ_UART0 | 1u << IRQ_TIMER0A;
}

#endif
