#include "node/node.h"

#include "modbus/bytes.h"
#include "node/number.h"

struct node node;

void node_power_on(bool is_virtual) {
    node = (struct node){0};
    copy_bytes(node.image, POWER_ON_IMAGE, IMAGE_SIZE);
    put_word(node.image + AT_PRESS_IDENTITY, is_virtual ? PRESS_IDENTITY_VIRTUAL : PRESS_IDENTITY_REAL);
    node.is_virtual = is_virtual;
    node.heartbeat_ns = -1;
    interlocks_power_on(&node.interlocks);
    for (unsigned i = 0; i < COMMANDS; i++) {
        node.commands[i] = POWER_ON_COMMANDS[i];
    }
}

static bool coil(unsigned place) {
    return get_bit(node.image, place);
}

/* -- readings -------------------------------------------------------------------------------------------------- */

static double reading(unsigned channel) {
    return engineering(&CHANNEL_PLANS[channel].number, node.raw[channel]);
}

/*
 * Readings are compared with limits by their raw values (ABOVE_..., BELOW_...), which takes no arithmetic with doubles.
 * Channels that are looked at together have the same positive scale, so their raw values are ordered as they are.
 */
static int32_t raw(unsigned channel) {
    return (int32_t)node.raw[channel];
}

static struct range range(const uint8_t *channels, unsigned count) {
    struct range found = {raw(channels[0]), raw(channels[0])};
    for (unsigned i = 1; i < count; i++) {
        int32_t value = raw(channels[i]);
        if (value < found.lowest) {
            found.lowest = value;
        }
        if (value > found.highest) {
            found.highest = value;
        }
    }
    return found;
}

/* From counts to readings and registers. The same count as before is the same reading. */
static void read_channels(const uint32_t counts[CHANNELS]) {
    for (unsigned i = 0; i < CHANNELS; i++) {
        if (counts[i] == node.counts[i] && node.scans > 0) {
            continue;
        }
        node.counts[i] = counts[i];
        const struct number *number = &CHANNEL_PLANS[i].number;
        node.raw[i] = clip_raw(number, (int64_t)counts[i] + CHANNEL_PLANS[i].lowest);
        put_raw(node.image, number, node.raw[i]);
    }
}

/* From registers to setpoints. A register that shows the same as before means the same. Returns whether any has changed. */
static bool read_setpoints(void) {
    bool changed = node.scans == 0;
    for (unsigned i = 0; i < SETPOINTS; i++) {
        uint16_t word = (uint16_t)get_word(node.image + SETPOINT_NUMBERS[i].place);
        if (word != node.words[i] || node.scans == 0) {
            node.words[i] = word;
            node.setpoints[i] = decode(node.image, &SETPOINT_NUMBERS[i]);
            changed = true;
        }
    }
    return changed;
}

/* Commands and limits that follow from setpoints alone. */
static void follow_setpoints(void) {
    const double *wanted = node.setpoints;
    double *out = node.commands;
    for (unsigned i = 0; i < CLEARANCES; i++) {
        out[COMMAND_CLEARANCE + i] = wanted[SETPOINT_CLEARANCES + i] * 1e-6;
    }
    for (unsigned side = 0; side < 2; side++) {
        out[COMMAND_SPEED + side] = wanted[SETPOINT_SPEEDS + side] / 60.0;
        out[COMMAND_STEERING + side] = wanted[SETPOINT_STEERING + side] * RADIANS_PER_DEGREE;
    }
    out[COMMAND_TENSION] = 0.5 * (wanted[SETPOINT_TENSIONS] + wanted[SETPOINT_TENSIONS + 1]) * 1e3;
    for (unsigned side = 0; side < 2; side++) {
        node.tight_kn_m[side] = TENSION_READY_FRACTION * larger(wanted[SETPOINT_TENSIONS + side], 1.0);
    }
    for (unsigned i = 0; i < PLATES; i++) {
        node.near[i].low = wanted[i] - 0.99 * WARN_ZONE_DEVIATION_K;
        node.near[i].high = wanted[i] + 0.99 * WARN_ZONE_DEVIATION_K;
    }
    node.timeout_ns = wanted[SETPOINT_WATCHDOG] * 1e9;
    node.coolant_flow = wanted[SETPOINT_COOLANT] / FULL_FLOW_L_MIN;
}

/* -- sense ----------------------------------------------------------------------------------------------------- */

static bool is_energised(void) {
    return coil(BIT_HEATING_ENABLE) || coil(BIT_DRIVES_ENABLE) || coil(BIT_FEED_ENABLE);
}

/* Time until the comms watchdog trips; the full timeout while nothing is energised. */
static double watchdog_left_s(int64_t now_ns) {
    uint16_t heartbeat = (uint16_t)get_word(node.image + AT_CONTROLLER_HEARTBEAT);
    if (heartbeat != node.heartbeat) {
        node.heartbeat = heartbeat;
        node.heartbeat_ns = now_ns;
    }
    if (!is_energised()) {
        node.heartbeat_ns = now_ns;
        return node.setpoints[SETPOINT_WATCHDOG];
    }
    int64_t since_ns = node.last_request_ns;
    if (heartbeat != 0 && node.heartbeat_ns < since_ns) {
        since_ns = node.heartbeat_ns;
    }
    double left_ns = node.timeout_ns - (double)(now_ns - since_ns);
    return larger(left_ns, 0.0) * 1e-9;
}

/* How much slower the slower belt is; 0 for what is well below any limit. */
static double speed_difference_percent(struct range speeds) {
    int64_t difference = speeds.highest - speeds.lowest;
    if (difference * 100000 < (int64_t)speeds.highest * (int32_t)(900 * WARN_SPEED_DIFFERENCE_PERCENT)) {
        return 0.0;
    }
    const struct number *number = &CHANNEL_PLANS[SPEED_CHANNELS[0]].number;
    double fastest = engineering(number, speeds.highest);
    return 100.0 * (fastest - engineering(number, speeds.lowest)) / fastest;
}

static struct sensed sense(int64_t now_ns) {
    const double *tensions = node.setpoints + SETPOINT_TENSIONS;
    struct sensed s;
    s.emergency_stop = node.emergency_stop_pressed || coil(BIT_EMERGENCY_STOP);
    s.guard_open = node.guard_open;
    s.belts_driven = coil(BIT_DRIVES_ENABLE);
    s.hottest = range(HEATED_CHANNELS, HEATEDS).highest;
    s.largest_force = range(FORCE_CHANNELS, FORCES).highest;
    s.tension_wanted = coil(BIT_TENSION_ENABLE) && s.belts_driven && less(0.0, smaller(tensions[0], tensions[1]));
    double measured[2] = {reading(TENSION_CHANNELS[0]), reading(TENSION_CHANNELS[1])};
    s.tight = less(node.tight_kn_m[0], measured[0]) && less(node.tight_kn_m[1], measured[1]);
    s.smallest_tension_fraction = 1.0; /* tight is more than any limit asks for */
    if (s.tension_wanted && !s.tight) {
        s.smallest_tension_fraction = smaller(measured[0] / tensions[0], measured[1] / tensions[1]);
    }
    s.edges = range(EDGE_CHANNELS, EDGES);
    s.speeds = range(SPEED_CHANNELS, SPEEDS);
    s.speed_difference_percent = s.speeds.highest > ABOVE_DRIVEN_M_MIN ? speed_difference_percent(s.speeds) : 0.0;
    s.coolant_flow = raw(CHANNEL_COOLANT_FLOW_L_MIN);
    s.cooling_needed = coil(BIT_HEATING_ENABLE) || (coil(BIT_COOLING_ENABLE) && s.hottest > ABOVE_HOT_C);
    s.energised = is_energised();
    s.watchdog_left_s = watchdog_left_s(now_ns);
    s.watchdog_expired = !less(0.0, s.watchdog_left_s);
    return s;
}

/* -- command --------------------------------------------------------------------------------------------------- */

/* Commands that a latched interlock took away are gone: a reset alone starts nothing. */
static void withdraw(void) {
    unsigned taken = node.interlocks.taken;
    if (taken & TAKES_HEATING) {
        put_bit(node.image, BIT_HEATING_ENABLE, false);
    }
    if (taken & TAKES_DRIVES) {
        put_bit(node.image, BIT_DRIVES_ENABLE, false);
    }
    if (taken & TAKES_FEEDING) {
        put_bit(node.image, BIT_FEED_ENABLE, false);
    }
}

static double on(bool wanted) {
    return wanted ? 1.0 : 0.0;
}

static bool is_within(const struct window_of_doubles *window, double x) {
    return less(window->low, x) && less(x, window->high);
}

static bool is_on(unsigned command) {
    return less(0.0, node.commands[command]);
}

/* Close the temperature loops and set the actuators. */
static void command(void) {
    double *out = node.commands;
    bool heating = coil(BIT_HEATING_ENABLE), cooling = coil(BIT_COOLING_ENABLE);
    unsigned taken = node.interlocks.taken;
    for (unsigned i = 0; i < LOOPS; i++) {
        const struct loop_plan *plan = &LOOP_PLANS[i];
        if (node.raw[plan->channel] != node.held_raw[i] || node.scans == 0) {
            node.held_raw[i] = node.raw[plan->channel];
            node.held_c[i] = reading(plan->channel);
        }
        loop_scan(&node.loops[i], plan, node.held_c[i], node.setpoints[i], plan->cools ? cooling : heating);
        out[COMMAND_ZONE + i] = node.loops[i].output; /* the drums follow the zones */
    }
    for (unsigned side = 0; side < 2; side++) {
        out[COMMAND_DRIVES_ON + side] = on(coil(BIT_DRIVES_ENABLE));
    }
    out[COMMAND_TENSION_ON] = on(coil(BIT_TENSION_ENABLE));
    out[COMMAND_HYDRAULICS_ON] = on(coil(BIT_HYDRAULICS_ENABLE));
    out[COMMAND_DUMP] = on(coil(BIT_FAST_OPEN) || taken & TAKES_CLOSED);
    out[COMMAND_BRAKE] = on(taken & TAKES_BRAKE);
    out[COMMAND_COOLANT_FLOW] = cooling ? node.coolant_flow : 0.0;
    out[COMMAND_FEED] = on(coil(BIT_FEED_ENABLE));
}

/* -- publish --------------------------------------------------------------------------------------------------- */

static unsigned warnings(const struct sensed *s) {
    unsigned word = 0;
    for (unsigned i = 0; i < PLATES && coil(BIT_HEATING_ENABLE); i++) {
        if (LOOP_PLANS[i].cools) {
            continue;
        }
        if (is_within(&node.near[i], node.held_c[i])) {
            continue;
        }
        double error = node.held_c[i] - node.setpoints[i];
        if (less(WARN_ZONE_DEVIATION_K, error) || less(error, -WARN_ZONE_DEVIATION_K)) {
            word |= WARNING_ZONE_DEVIATION;
        }
    }
    if (is_outside(s->edges, BELOW_MINUS_WARN_EDGE_POSITION_MM, ABOVE_WARN_EDGE_POSITION_MM)) {
        word |= WARNING_TRACKING_LIMIT;
    }
    if (s->largest_force > ABOVE_WARN_LINE_FORCE_KN) {
        word |= WARNING_HIGH_FORCE;
    }
    if (less(s->smallest_tension_fraction, WARN_TENSION_FRACTION)) {
        word |= WARNING_LOW_TENSION;
    }
    if (is_outside(range(PLATE_CHANNELS, PLATES), BELOW_SENSOR_LOWEST_C, ABOVE_SENSOR_HIGHEST_C)) {
        word |= WARNING_SENSOR_RANGE;
    }
    struct range torques = range(TORQUE_CHANNELS, TORQUES);
    if (is_on(COMMAND_DRIVES_ON) && is_outside(torques, BELOW_MINUS_WARN_DRIVE_TORQUE_NM, ABOVE_WARN_DRIVE_TORQUE_NM)) {
        word |= WARNING_DRIVE_LIMIT;
    }
    if (s->belts_driven && less(WARN_SPEED_DIFFERENCE_PERCENT, s->speed_difference_percent)) {
        word |= WARNING_SPEED_DIFFERENCE;
    }
    return word;
}

static unsigned status(const struct sensed *s, bool tripped) {
    unsigned word = 0;
    word |= coil(BIT_HEATING_ENABLE) ? STATUS_HEATING : 0u;
    word |= coil(BIT_COOLING_ENABLE) ? STATUS_COOLING : 0u;
    word |= is_on(COMMAND_HYDRAULICS_ON) ? STATUS_HYDRAULICS : 0u;
    word |= is_on(COMMAND_TENSION_ON) ? STATUS_TENSION : 0u;
    word |= is_on(COMMAND_DRIVES_ON) ? STATUS_DRIVES : 0u;
    word |= is_on(COMMAND_FEED) ? STATUS_FEEDING : 0u;
    word |= s->largest_force > ABOVE_PRESSING_KN ? STATUS_PRESSING : 0u;
    word |= is_on(COMMAND_DUMP) ? STATUS_OPENING : 0u;
    word |= coil(BIT_SCRAP_DIVERT) ? STATUS_DIVERTING : 0u;
    word |= coil(BIT_SCRAP_MARK) ? STATUS_MARKING : 0u;
    word |= tripped ? STATUS_TRIPPED : 0u;
    word |= node.heartbeat != 0 ? STATUS_HEARTBEAT_WATCHED : 0u;
    return word;
}

static unsigned mode(bool tripped) {
    if (node.interlocks.latched[INTERLOCK_EMERGENCY_STOP]) {
        return MODE_EMERGENCY_STOP;
    }
    if (tripped) {
        return MODE_TRIPPED;
    }
    if (is_energised()) {
        return MODE_ENERGISED;
    }
    bool ready = coil(BIT_COOLING_ENABLE) || coil(BIT_HYDRAULICS_ENABLE) || coil(BIT_TENSION_ENABLE);
    return ready ? MODE_READY : MODE_OFF;
}

static void show_contacts(const struct sensed *s) {
    uint8_t *image = node.image;
    put_bit(image, BIT_EMERGENCY_STOP_RELEASED, !node.emergency_stop_pressed);
    put_bit(image, BIT_GUARDS_CLOSED, !node.guard_open);
    put_bit(image, BIT_HYDRAULICS_READY, raw(CHANNEL_HYDRAULIC_PRESSURE_BAR) > ABOVE_HYDRAULICS_READY_BAR);
    put_bit(image, BIT_TENSION_READY, s->tight);
    put_bit(image, BIT_TRACKING_OK, !is_outside(s->edges, BELOW_MINUS_WARN_EDGE_POSITION_MM, ABOVE_WARN_EDGE_POSITION_MM));
    put_bit(image, BIT_COOLANT_FLOWING, s->coolant_flow > ABOVE_LIMIT_COOLANT_FLOW_L_MIN);
    put_bit(image, BIT_BELTS_MOVING, s->speeds.lowest > ABOVE_MOVING_M_MIN);
    put_bit(image, BIT_PRESS_OPEN, range(CLEARANCE_CHANNELS, CLEARANCES).lowest > ABOVE_OPEN_UM);
    put_bit(image, BIT_SHEET_AT_ENTRY, raw(CHANNEL_SHEET_ENTRY_THICKNESS_UM) > ABOVE_NO_SHEET_UM);
    put_bit(image, BIT_SHEET_AT_EXIT, raw(CHANNEL_EXIT_THICKNESS_UM) > ABOVE_NO_SHEET_UM);
    put_bit(image, BIT_SHEET_AT_RECOVERED_GAUGE, raw(CHANNEL_RECOVERED_THICKNESS_UM) > ABOVE_NO_SHEET_UM);
    put_bit(image, BIT_DIVERTER_AT_SCRAP, coil(BIT_SCRAP_DIVERT));
    unsigned word = 0;
    for (unsigned i = 0; i < MIRRORED; i++) {
        word |= (unsigned)get_bit(image, MIRRORED_BITS[i]) << i;
    }
    put_word(image + AT_CONTACTS_WORD, word);
}

/* Keep the line forces for masters that poll more slowly than the node scans. */
static void queue_forces(void) {
    for (unsigned i = 0; i < FORCES; i++) {
        unsigned place = CHANNEL_PLANS[FORCE_CHANNELS[i]].number.place;
        node.force_queue[i][node.queue_next] = (uint16_t)get_word(node.image + place);
    }
    node.queue_next = (uint8_t)((node.queue_next + 1) % QUEUE);
    if (node.queued < QUEUE) {
        node.queued++;
    }
}

/* Refresh what the input registers and discrete inputs show beside the readings. */
static void publish(int64_t now_ns, const struct sensed *s) {
    uint8_t *image = node.image;
    for (unsigned i = 0; i < PLATES; i++) {
        double output = node.commands[COMMAND_ZONE + i];
        if (!is_same(output, node.shown[i])) {
            node.shown[i] = output;
            show(image, &ZONE_OUTPUTS[i], 100.0 * output);
        }
    }
    if (raw(CHANNEL_EXIT_THICKNESS_UM) > ABOVE_NO_SHEET_UM) {
        double speed_m_s = 0.5 * (reading(SPEED_CHANNELS[0]) + reading(SPEED_CHANNELS[1])) / 60.0;
        node.sheet_length_m += speed_m_s * SCAN_PERIOD_S;
    }
    show_whole(image, &NODE_HEARTBEAT, node.scans & 0xFFFF);
    show_whole(image, &UPTIME_S, now_ns / 1000000000);
    show_whole(image, &SAMPLE_TIME_MS, now_ns / 1000000 & 0xFFFFFFFF);
    /* it is what it was when it was judged, unless the interlocks have taken away what it watches */
    bool as_judged = is_energised() == s->energised;
    show(image, &WATCHDOG_REMAINING_S, as_judged ? s->watchdog_left_s : watchdog_left_s(now_ns));
    put_f32(image, AT_SHEET_LENGTH_M, node.sheet_length_m);
    queue_forces();
    unsigned alarms = 0;
    for (unsigned row = 0; row < INTERLOCKS; row++) {
        alarms |= node.interlocks.latched[row] ? INTERLOCK_ROWS[row].alarm : 0u;
    }
    unsigned first_out = node.interlocks.first_out;
    put_word(image + AT_ALARM_WORD, alarms);
    put_word(image + AT_FIRST_OUT_ALARM, first_out ? INTERLOCK_ROWS[first_out - 1].first_out : FIRST_OUT_NONE);
    put_word(image + AT_WARNING_WORD, warnings(s));
    put_word(image + AT_STATUS_WORD, status(s, alarms != 0));
    put_word(image + AT_MODE, mode(alarms != 0));
    show_contacts(s);
}

/* -- the scan -------------------------------------------------------------------------------------------------- */

void node_scan(int64_t now_ns, const uint32_t counts[CHANNELS], unsigned contacts) {
    node.emergency_stop_pressed = contacts & CONTACT_EMERGENCY_STOP_PRESSED;
    node.guard_open = contacts & CONTACT_GUARD_OPEN;
    read_channels(counts);
    if (read_setpoints()) {
        follow_setpoints();
    }
    struct sensed sensed = sense(now_ns);
    interlocks_judge(&node.interlocks, &sensed, now_ns, coil(BIT_ALARM_RESET));
    put_bit(node.image, BIT_ALARM_RESET, false);
    withdraw();
    command();
    node.scans++;
    publish(now_ns, &sensed);
}
