/*
 * The press's I/O node. Every 50 ms:
 *
 *     sense  ->  judge interlocks  ->  withdraw commands  ->  close loops and command actuators  ->  publish
 *
 * The scan writes the whole image before anybody can look, so what the bus reads never tears. Replies and actuator
 * commands are equal bit by bit to those of emulator/node/, which is the reference.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "generated/node_map.h"
#include "node/interlocks.h"
#include "node/loops.h"

/* What people do to the press by hand; bits of the contacts word. */
enum {
    CONTACT_EMERGENCY_STOP_PRESSED = 1,
    CONTACT_GUARD_OPEN = 2,
};

/* What lies between these, exclusively, needs no closer look. */
struct window_of_doubles {
    double low, high;
};

struct node {
    uint8_t image[IMAGE_SIZE]; /* all registers and bits as they go on the wire */
    bool is_virtual;
    bool emergency_stop_pressed;
    bool guard_open;
    uint16_t heartbeat;      /* of the controller, as last seen */
    uint32_t scans;
    int64_t last_request_ns; /* times are since power-on */
    int64_t heartbeat_ns;    /* when it last changed */
    double sheet_length_m;
    uint32_t counts[CHANNELS];   /* of the ADC */
    int64_t raw[CHANNELS];       /* readings, as their registers show them */
    uint16_t words[SETPOINTS];   /* the holding registers that setpoints were made from */
    double setpoints[SETPOINTS]; /* holding registers in engineering units, at the last scan */
    int64_t held_raw[LOOPS];     /* what the loops hold, as its register shows it, */
    double held_c[LOOPS];        /* and as measured */
    double coolant_flow;         /* commanded while the valve is open, part of the full flow */
    double tight_kn_m[2];        /* tensions above these are those that are wanted */
    double timeout_ns;           /* of the comms watchdog */
    struct window_of_doubles near[PLATES]; /* temperatures too close to the setpoint for a warning */
    double shown[PLATES];        /* outputs of the zones as their registers show them */
    double commands[COMMANDS];   /* what the actuators are told, SI */
    uint8_t queued;               /* samples in the queues */
    uint8_t queue_next;           /* where the next one goes */
    uint16_t force_queue[FORCES][QUEUE]; /* raw line forces, one sample per scan */
    struct interlocks interlocks;
    struct loop loops[LOOPS];
};

/* The one node of this program. */
extern struct node node;

/* Everything off, all registers at their defaults. */
void node_power_on(bool is_virtual);

/*
 * One scan.
 *
 * now_ns:   since power-on.
 * counts:   what the ADC reads: per channel the steps of its register above the lowest reading of its sensor.
 * contacts: bits CONTACT_...
 */
void node_scan(int64_t now_ns, const uint32_t counts[CHANNELS], unsigned contacts);

#endif
