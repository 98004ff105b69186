/* What a server knows of the line (Application Protocol V1.1b3, sections 6.8 and 6.9). */
#ifndef MODBUS_DIAGNOSTICS_H
#define MODBUS_DIAGNOSTICS_H

#include <stdbool.h>
#include <stdint.h>

/* Counters since power-on or since they were cleared; on the wire they begin anew after 65535. */
struct modbus_diagnostics {
    uint16_t bus_messages;    /* sound frames, whoever they were for */
    uint16_t bus_errors;      /* frames that were not */
    uint16_t exceptions;      /* requests that were declined */
    uint16_t server_messages; /* requests to this server, broadcasts included */
    uint16_t no_responses;    /* those of them that were not answered */
    uint16_t overruns;        /* bytes that the UART lost */
    uint16_t events;          /* requests that were done, but for those that ask for this number */
    bool listen_only;         /* nothing is done or answered until communications are restarted */
};

/* Every counter to 0. */
static inline void modbus_clear_counters(struct modbus_diagnostics *known) {
    *known = (struct modbus_diagnostics){.listen_only = known->listen_only};
}

#endif
