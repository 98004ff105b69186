/*
 * The line on UART 0: interrupts move bytes, the program's loop says what is due. A program includes this once, behind
 * clock.h, and defines the four functions below; it calls line_attend with interrupts off.
 */
#ifndef LM3S6965_LINE_H
#define LM3S6965_LINE_H

#include "boards/lm3s6965/clock.h"

/* -- what the program makes of it --------------------------------------------------------------------------------- */

/* A byte was complete at now_ns. */
static void station_hear(uint8_t byte, int64_t now_ns);
/* A byte was damaged, or lost in the UART (overrun). */
static void station_hear_damaged(bool overrun, int64_t now_ns);
/* Whatever is due. Returns how many bytes of *bytes are to be sent now; they stay as they are until the next is heard. */
static size_t station_attend(int64_t now_ns, const uint8_t **bytes);
/* When station_attend has something to do at the latest. */
static int64_t station_due_ns(void);

/* -- the UART ----------------------------------------------------------------------------------------------------- */

static const uint8_t *sending;
static volatile uint16_t sent;    /* bytes of it that the UART has */
static volatile uint16_t to_send; /* bytes of it in all; 0: listening */
static int64_t sent_ns;           /* when the last of them will have left, if nothing holds them up */

/* Is the last stop bit not out yet? Others may begin right behind it. */
static bool is_sending(void) {
    return to_send > 0 && (sent < to_send || UART0_FR & FR_BUSY);
}

/* Bytes that waited in the UART came one after the other, the last of them at complete_ns. */
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
            station_hear_damaged((bytes[i] & DR_OVERRUN) != 0, byte_ns);
        } else {
            station_hear((uint8_t)bytes[i], byte_ns);
        }
    }
}

/* Give the UART as many bytes as it has room for. */
static void transmit(void) {
    while (sent < to_send && !(UART0_FR & FR_TRANSMIT_FULL)) {
        UART0_DR = sending[sent++];
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

/* What is due on the line, with interrupts off. Returns when something will be due again. */
static int64_t line_attend(void) {
    if (is_sending()) {
        int64_t soon_ns = now_ns() + CHARACTER_NS;
        return soon_ns < sent_ns ? sent_ns : soon_ns;
    }
    GPIOA_DATA_PIN6 = 0; /* the line is the others' */
    to_send = 0;
    size_t size = station_attend(now_ns(), &sending);
    if (size == 0) {
        return station_due_ns();
    }
    GPIOA_DATA_PIN6 = PIN_DRIVER;
    sent = 0;
    to_send = (uint16_t)size;
    UART0_IM = INT_RECEIVE | INT_RECEIVE_TIMEOUT | INT_TRANSMIT;
    transmit();
    sent_ns = now_ns() + (int64_t)size * CHARACTER_NS;
    return sent_ns;
}

#endif
