/* The registers of the LM3S6965 that this program uses (Stellaris LM3S6965 data sheet; ARMv7-M for the core). */
#ifndef LM3S6965_CHIP_H
#define LM3S6965_CHIP_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))

/* core: SysTick, interrupt controller */
#define SYST_CSR REGISTER(0xE000E010u)
#define SYST_RVR REGISTER(0xE000E014u)
#define SYST_CVR REGISTER(0xE000E018u)
#define NVIC_ISER0 REGISTER(0xE000E100u)
#define SCB_ICSR REGISTER(0xE000ED04u)
#define SCB_AIRCR REGISTER(0xE000ED0Cu)
enum {
    SYST_RUN = 7, /* enable, interrupt, processor clock */
    ICSR_SYSTICK_PENDING = 1 << 26,
    IRQ_UART0 = 5,
    IRQ_TIMER0A = 19,
};

/* system control */
#define SYSCTL_RIS REGISTER(0x400FE050u)
#define SYSCTL_RCC REGISTER(0x400FE060u)
#define SYSCTL_RCGC0 REGISTER(0x400FE100u)
#define SYSCTL_RCGC1 REGISTER(0x400FE104u)
#define SYSCTL_RCGC2 REGISTER(0x400FE108u)
enum {
    RIS_PLL_LOCKED = 1 << 6,
    RCC_MAIN_OSCILLATOR_OFF = 1 << 0,
    RCC_SOURCE = 3 << 4, /* 0: the main oscillator */
    RCC_CRYSTAL = 0xF << 6,
    RCC_CRYSTAL_8_MHZ = 0xE << 6,
    RCC_BYPASS_PLL = 1 << 11,
    RCC_PLL_OFF = 1 << 13,
    RCC_USE_DIVIDER = 1 << 22,
    RCC_DIVIDER = 0xF << 23,
    RCC_DIVIDE_BY_4 = 3 << 23, /* 200 MHz / 4 */
    RCGC0_WATCHDOG = 1 << 3,
    RCGC1_UART0 = 1 << 0,
    RCGC1_UART1 = 1 << 1,
    RCGC1_TIMER0 = 1 << 16,
    RCGC2_PORT_A = 1 << 0,
    RCGC2_PORT_D = 1 << 3,
};

/* port A: PA0 receive, PA1 transmit, PA6 driver enable of the RS-485 transceiver */
#define GPIOA_DATA_PIN6 REGISTER(0x40004000u + (1u << 6 << 2))
#define GPIOA_DIR REGISTER(0x40004400u)
#define GPIOA_AFSEL REGISTER(0x40004420u)
#define GPIOA_PUR REGISTER(0x40004510u)
#define GPIOA_DEN REGISTER(0x4000451Cu)
#define GPIOA_DATA_PINS(pins) REGISTER(0x40004000u + ((uint32_t)(pins) << 2))
enum {
    PINS_UART = 3,
    PIN_DRIVER = 1 << 6,
};

/* UART 0 */
#define UART0_DR REGISTER(0x4000C000u)
#define UART0_FR REGISTER(0x4000C018u)
#define UART0_IBRD REGISTER(0x4000C024u)
#define UART0_FBRD REGISTER(0x4000C028u)
#define UART0_LCRH REGISTER(0x4000C02Cu)
#define UART0_CTL REGISTER(0x4000C030u)
#define UART0_IFLS REGISTER(0x4000C034u)
#define UART0_IM REGISTER(0x4000C038u)
#define UART0_MIS REGISTER(0x4000C040u)
#define UART0_ICR REGISTER(0x4000C044u)
enum {
    DR_DAMAGED = 7 << 8, /* framing, parity, break */
    DR_OVERRUN = 1 << 11,
    FR_BUSY = 1 << 3,
    FR_RECEIVE_EMPTY = 1 << 4,
    FR_TRANSMIT_FULL = 1 << 5,
    LCRH_8_BITS_FIFO = 0x70,
    CTL_RUN = 0x301,
    IFLS_EARLY = 0, /* receive: 2 bytes there; transmit: down to 2 bytes */
    INT_RECEIVE = 1 << 4,
    INT_TRANSMIT = 1 << 5,
    INT_RECEIVE_TIMEOUT = 1 << 6, /* 32 bits after the last byte, with bytes waiting */
    INT_ALL = 0x7F0,
};

/* UART 1 */
#define UART1_DR REGISTER(0x4000D000u)
#define UART1_FR REGISTER(0x4000D018u)
#define UART1_IBRD REGISTER(0x4000D024u)
#define UART1_FBRD REGISTER(0x4000D028u)
#define UART1_LCRH REGISTER(0x4000D02Cu)
#define UART1_CTL REGISTER(0x4000D030u)

/* port D: PD3 transmits for UART 1 */
#define GPIOD_AFSEL REGISTER(0x40007420u)
#define GPIOD_DEN REGISTER(0x4000751Cu)
enum { PIN_TRANSMIT1 = 1 << 3 };

/* timer 0, as one of 32 bits */
#define TIMER0_CFG REGISTER(0x40030000u)
#define TIMER0_TAMR REGISTER(0x40030004u)
#define TIMER0_CTL REGISTER(0x4003000Cu)
#define TIMER0_IMR REGISTER(0x40030018u)
#define TIMER0_ICR REGISTER(0x40030024u)
#define TIMER0_TAILR REGISTER(0x40030028u)
enum {
    TIMER_ONE_SHOT = 1,
    TIMER_A_ENABLE = 1,
    TIMER_A_TIMEOUT = 1,
};

/* watchdog */
#define WATCHDOG_LOAD REGISTER(0x40000000u)
#define WATCHDOG_CTL REGISTER(0x40000008u)
#define WATCHDOG_LOCK REGISTER(0x40000C00u)
enum {
    WATCHDOG_UNLOCK = 0x1ACCE551,
    WATCHDOG_RESET = 3, /* interrupt at the first time-out, which nobody clears, reset at the second */
};

#endif
