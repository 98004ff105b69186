#include "modbus/station.h"

#include "modbus/server.h"

void modbus_station_init(struct modbus_station *station, uint8_t unit, struct modbus_line line) {
    station->line = line;
    station->unit = unit;
    station->known = (struct modbus_diagnostics){0};
    station->overrun = false;
    station->spoilt = false;
    station->heard = 0;
    station->answer_size = 0;
    station->heard_ns = 0;
    station->speak_ns = MODBUS_NEVER_NS;
}

/* The silence is over: judge what was heard, as of the time when the silence had lasted long enough. */
static void end_frame(struct modbus_station *station) {
    int64_t now_ns = station->heard_ns + station->line.silence_ns;
    size_t size = station->spoilt ? 0 : station->heard;
    station->heard = 0;
    station->known.overruns += station->overrun;
    station->spoilt = station->overrun = false;
    size = modbus_serve(station->unit, station->frame, size, now_ns, &station->known, station->answer);
    if (size > 0) {
        station->answer_size = (uint16_t)size;
        station->speak_ns = now_ns + station->line.turnaround_ns;
    }
}

static bool hears(const struct modbus_station *station) {
    return station->heard > 0 || station->spoilt;
}

/* The next byte has come: whether it belongs to what was heard before does not depend on when somebody looks. */
static void begin_byte(struct modbus_station *station, int64_t now_ns) {
    int64_t pause_ns = now_ns - station->line.character_ns - station->heard_ns;
    if (hears(station) && pause_ns >= station->line.silence_ns) {
        end_frame(station);
    }
    station->heard_ns = now_ns;
}

void modbus_hear(struct modbus_station *station, uint8_t byte, int64_t now_ns) {
    begin_byte(station, now_ns);
    if (station->heard == MODBUS_MAX_FRAME) {
        station->spoilt = true;
    } else {
        station->frame[station->heard++] = byte;
    }
}

void modbus_hear_damaged(struct modbus_station *station, bool overrun, int64_t now_ns) {
    begin_byte(station, now_ns);
    station->spoilt = true;
    station->overrun |= overrun;
}

int64_t modbus_due_ns(const struct modbus_station *station) {
    int64_t due_ns = station->answer_size > 0 ? station->speak_ns : MODBUS_NEVER_NS;
    if (hears(station) && station->heard_ns + station->line.silence_ns < due_ns) {
        due_ns = station->heard_ns + station->line.silence_ns;
    }
    return due_ns;
}

size_t modbus_attend(struct modbus_station *station, int64_t now_ns) {
    if (hears(station) && now_ns >= station->heard_ns + station->line.silence_ns) {
        end_frame(station);
    }
    if (station->answer_size == 0 || now_ns < station->speak_ns) {
        return 0;
    }
    size_t size = station->answer_size;
    station->answer_size = 0;
    return size;
}
