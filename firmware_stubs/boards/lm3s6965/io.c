#include "boards/lm3s6965/io.h"

static struct io_block *const io = (struct io_block *)IO_ADDRESS;

bool io_is_virtual(void) {
    return io->identity == IO_VIRTUAL;
}

unsigned io_receive(uint32_t counts[CHANNELS]) {
    for (unsigned i = 0; i < CHANNELS; i++) {
        counts[i] = io->counts[i];
    }
    return io->contacts;
}

void io_send(const double commands[COMMANDS]) {
    for (unsigned i = 0; i < COMMANDS; i++) {
        io->commands[i] = commands[i];
    }
    io->scans = io->scans + 1;
}

void io_fail_safe(void) {
    for (unsigned i = 0; i < COMMANDS; i++) {
        io->commands[i] = POWER_ON_COMMANDS[i];
    }
    io->commands[COMMAND_BRAKE] = 1.0;
    io->commands[COMMAND_DUMP] = 1.0;
    io->scans = io->scans + 1;
}
