#include "controller/watch.h"

enum {
    FROZEN_MS = 1000,        /* the node's heartbeat counts every 50 ms */
    JITTER_MS = 75,          /* a scan of the node, and some waiting on the line */
    RESTART_MS = 1000,       /* uptime counts seconds */
    DRIFT_PER = 5000,        /* clocks run apart by less than a 5000th */
    COLDEST = -200,          /* a plate outside of this is a broken thermocouple */
    HOTTEST = 2000,
    DEVIATION = 150,
    DEVIATION_MS = 60000,
    THINNEST_PERCENT = 80,   /* a gauge behind the press that shows less than this part of the clearance is wrong */
    CLOSED = 20000,          /* µm / 10: above it there is no clearance to speak of */
    CLOSING_FORCE = 2000,    /* on a roller group, without sheet: something is between the belts */
    STANDING = 50,           /* mm/min */
    STANDING_MS = 1500,
    OPENED_SCANS = 2,
    ZONE_PLATES = HEAT_PLATES + COLD_PLATES,
};

uint32_t watch_age_ms(struct watch *watch, const struct inputs *inputs, uint32_t now_ms, struct alarms *alarms) {
    uint32_t sample_ms = sensed_long(inputs, INPUT_SAMPLE_TIME_MS);
    uint32_t uptime_s = sensed_long(inputs, INPUT_UPTIME_S);
    if (watch->has_seen && uptime_s < watch->uptime_s && sample_ms < (now_ms - watch->heard_ms) + RESTART_MS) {
        raise_alarm(alarms, ALARM_OF_RESTART);
        watch->has_clock = false;
    }
    uint32_t ahead_ms = now_ms - sample_ms;
    if (!watch->has_clock) {
        watch->has_clock = true;
        watch->ahead_ms = ahead_ms;
    }
    uint32_t least_ms = watch->ahead_ms + (now_ms - watch->heard_ms) / DRIFT_PER;
    int32_t age_ms = (int32_t)(ahead_ms - least_ms);
    if (age_ms > JITTER_MS) {
        return (uint32_t)age_ms;
    }
    watch->ahead_ms = age_ms < 0 ? ahead_ms : least_ms;
    watch->heard_ms = now_ms;
    watch->uptime_s = uptime_s;
    watch->has_seen = true;
    return 0;
}

static void watch_node(struct watch *watch, const struct inputs *inputs, uint32_t now_ms, struct alarms *alarms) {
    uint16_t heartbeat = inputs->words[INPUT_NODE_HEARTBEAT];
    if (heartbeat != watch->heartbeat || watch->heartbeat_ms == 0) {
        watch->heartbeat = heartbeat;
        watch->heartbeat_ms = now_ms;
    } else if (now_ms - watch->heartbeat_ms > FROZEN_MS) {
        raise_alarm(alarms, ALARM_OF_FROZEN_NODE);
    }
}

static void watch_sensors(const struct inputs *inputs, const struct recipe *recipe, struct alarms *alarms) {
    for (unsigned i = 0; i < ZONE_PLATES; i++) {
        int32_t plate = sensed_signed(inputs, INPUT_HEAT_1_UPPER_TEMPERATURE_C + i);
        if (plate < COLDEST || plate > HOTTEST) {
            raise_alarm(alarms, ALARM_OF_SENSOR);
        } else if (plate > recipe->melting_point) {
            raise_alarm(alarms, ALARM_OF_OVER_LIMIT);
        }
    }
    int32_t left = sensed(inputs, INPUT_TAPER_END_LEFT_CLEARANCE_UM);
    int32_t right = sensed(inputs, INPUT_TAPER_END_RIGHT_CLEARANCE_UM);
    int32_t thinnest = left < right ? left : right;
    int32_t shown[] = {sensed(inputs, INPUT_EXIT_THICKNESS_UM), sensed(inputs, INPUT_RECOVERED_THICKNESS_UM)};
    for (unsigned i = 0; i < 2; i++) {
        if (thinnest < CLOSED && shown[i] > 0 && shown[i] < thinnest * THINNEST_PERCENT / 100) {
            raise_alarm(alarms, ALARM_OF_SENSOR);
        }
    }
}

/* In production a zone that has left its setpoint for good. */
static void watch_zones(struct watch *watch, const struct inputs *inputs, const struct recipe *recipe, uint32_t now_ms,
                        struct alarms *alarms) {
    bool deviates = false;
    for (unsigned i = 0; i < HEAT_PLATES; i++) {
        int32_t off = sensed_signed(inputs, INPUT_HEAT_1_UPPER_TEMPERATURE_C + i) - recipe->hot;
        deviates |= off > DEVIATION || off < -DEVIATION;
    }
    if (!deviates) {
        watch->deviation_ms = 0;
    } else if (watch->deviation_ms == 0) {
        watch->deviation_ms = now_ms;
    } else if (now_ms - watch->deviation_ms > DEVIATION_MS) {
        raise_alarm(alarms, ALARM_OF_DEVIATION);
    }
}

/* Sheet would pile up before a belt that stands, and a hot one must not stand. */
static void watch_belts(struct watch *watch, const struct inputs *inputs, int32_t told_speed, uint32_t now_ms,
                        struct alarms *alarms) {
    bool stands = sensed(inputs, INPUT_BELT_UPPER_SPEED_M_MIN) <= STANDING ||
                  sensed(inputs, INPUT_BELT_LOWER_SPEED_M_MIN) <= STANDING;
    if (told_speed <= STANDING || !stands) {
        watch->standing_ms = 0;
    } else if (watch->standing_ms == 0) {
        watch->standing_ms = now_ms | 1;
    } else if (now_ms - watch->standing_ms > STANDING_MS) {
        raise_alarm(alarms, ALARM_OF_STANDING_BELT);
    }
}

/* A press that is to be closed and has opened by itself. */
static void watch_press(struct watch *watch, const struct inputs *inputs, struct alarms *alarms) {
    watch->opened_scans = contact(inputs, CONTACT_PRESS_OPEN) ? (uint8_t)(watch->opened_scans + 1) : 0;
    if (watch->opened_scans >= OPENED_SCANS) {
        watch->opened_scans = OPENED_SCANS;
        raise_alarm(alarms, ALARM_OF_OPENED_PRESS);
    }
}

void watch_inputs(struct watch *watch, const struct inputs *inputs, const struct recipe *recipe, enum state state,
                  int32_t told_speed, uint32_t now_ms, struct alarms *alarms) {
    watch_node(watch, inputs, now_ms, alarms);
    watch_sensors(inputs, recipe, alarms);
    if (state != STATE_FAULT && state != STATE_EMERGENCY_STOP) {
        watch_belts(watch, inputs, told_speed, now_ms, alarms);
    }
    if (state == STATE_THREAD || state == STATE_PRODUCE || state == STATE_HOLD) {
        watch_press(watch, inputs, alarms);
    }
    if (state == STATE_PRODUCE) {
        watch_zones(watch, inputs, recipe, now_ms, alarms);
    }
    if (state == STATE_CLOSE && !inputs->words[INPUT_ALARM_WORD]) {
        for (unsigned i = 0; i < 6; i++) {
            if (sensed(inputs, INPUT_ENTRY_LEFT_LINE_FORCE_KN + i) > CLOSING_FORCE) {
                raise_alarm(alarms, ALARM_OF_BLOCKED_PRESS);
            }
        }
    }
}
