"""The generated part of the firmware: what it must know of registers, sensors and settings, as C.

Everything comes from what the node in Python is made of: the register map, the node's settings, the sensors, and the
table of interlocks. `python -m emulator.firmware.node_map` writes it; `--check` fails where it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from emulator.config import ConfigError
from emulator.firmware.adc import Adc
from emulator.firmware.generated import MADE, c_enum, write_or_check
from emulator.firmware.raw_limits import limits
from emulator.image import TABLES, Layout
from emulator.node import Node, interlocks, loops, program, scan
from emulator.node.bank import raw_window
from emulator.node.config import load_node
from emulator.node.state import QUEUE
from emulator.press import commands, signals
from emulator.scan import SENSOR_SHIFTS, TRUTH
from emulator.sensors import load_sensors
from rig.protocol.registers import BIT_TABLES, Table, Tag
from rig.protocol.registers_file import default_registers

__all__ = ["FIRMWARE", "GENERATED", "SENSORS", "SENT_COMMANDS", "header", "make_node", "source", "sources"]

FIRMWARE: Final = Path(__file__).parents[2] / "firmware_stubs"
GENERATED: Final = FIRMWARE / "generated"
SENT_COMMANDS: Final = commands.FEED + 1
"""How many commands go to actuators; what lies behind them in the vector is the upstream process's."""

NODE: Final = "press"
SENSORS: Final = "reference"
COMMAND_PARTS: Final = (
    "ZONE", "DRUM", "CLEARANCE", "SPEED", "DRIVES_ON", "STEERING", "TENSION", "TENSION_ON", "HYDRAULICS_ON", "DUMP",
    "BRAKE", "COOLANT_FLOW", "FEED",
)  # fmt: skip
SETPOINT_PARTS: Final = ("CLEARANCES", "SPEEDS", "TENSIONS", "STEERING", "COOLANT", "WATCHDOG")
SHOWN: Final = ("node_heartbeat", "uptime_s", "sample_time_ms", "watchdog_remaining_s")
WORDS: Final = {"status_word": "STATUS", "warning_word": "WARNING", "alarm_word": "ALARM"}
CODES: Final = {"mode": "MODE", "first_out_alarm": "FIRST_OUT", "press_identity": "PRESS_IDENTITY"}


def make_node(identity: str = "real") -> Node:
    """A node in Python with the settings that the firmware is made for."""
    config, sensors = load_node(NODE), load_sensors(SENSORS).sensor
    return Node(config, default_registers(), sensors, TRUTH, SENSOR_SHIFTS, 0, identity)


def sources() -> Mapping[Path, str]:
    """The generated files and what belongs into them."""
    node = make_node()
    return {GENERATED / "node_map.h": header(node), GENERATED / "node_map.c": source(node)}


# -- C as text ----------------------------------------------------------------------------------------------------


def _double(value: float) -> str:
    """A number that C reads back bit by bit."""
    return f"{float(value).hex()} /* {value:g} */"


def _array(declaration: str, rows: Iterable[str]) -> Iterator[str]:
    yield f"{declaration} = {{"
    yield from (f"    {row}," for row in rows)
    yield "};"


def _bytes(data: bytes) -> Iterator[str]:
    for start in range(0, len(data), 16):
        yield ", ".join(f"0x{byte:02X}" for byte in data[start : start + 16])


def _number(layout: Layout, name: str) -> str:
    place, count, scale, offset, smallest, largest = layout.number(name)
    if scale <= 0.0:
        raise ConfigError(f"{name}: the firmware compares raw values, which takes a positive scale")
    plain, shifted = str(scale == 1.0 and offset == 0.0).lower(), str(offset != 0.0).lower()
    numbers = f"{_double(scale)}, {_double(offset)}, {smallest:.0f}LL, {largest:.0f}LL"
    return f"{{{place:.0f}, {count:.0f}, {plain}, {shifted}, {numbers}}} /* {name} */"


def _spans(addresses: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Gapless runs of addresses, as first and end."""
    first = end = -1
    for address in sorted(addresses):
        if address != end:
            if end > first:
                yield first, end
            first = address
        end = address + 1
    if end > first:
        yield first, end


# -- what the two files say ---------------------------------------------------------------------------------------


def _owned(layout: Layout, table: Table) -> list[int]:
    return [
        tag.address + step for tag in layout.tags.values() if tag.table == table for step in range(tag.count)
    ]  # fmt: skip


def _all_spans(layout: Layout) -> list[tuple[Table, int, int]]:
    return [(table, first, end) for table in TABLES for first, end in _spans(_owned(layout, table))]


def _groups(node: Node) -> Mapping[str, Sequence[int]]:
    """Channels that are looked at together, by what their names begin with."""
    sensor = node.program[0].sensor
    heated = [channel for channel, cools in zip(sensor.loops.tolist(), loops.COOLED, strict=True) if not cools]
    groups = {
        "HEATED": heated,
        "PLATE": sensor.loops.tolist()[: scan.PLATE_COUNT],
        "CLEARANCE": sensor.clearances.tolist(),
        "FORCE": sensor.forces.tolist(),
        "SPEED": sensor.speeds.tolist(),
        "TENSION": sensor.tensions.tolist(),
        "EDGE": sensor.edges.tolist(),
        "TORQUE": sensor.torques.tolist(),
    }
    numbers = [node.bank.layout.number(name) for name in node.sensors.names]
    for name, channels in groups.items():
        if len({numbers[channel][2:4] for channel in channels}) > 1:
            raise ConfigError(f"channels of {name} have different scales, and the firmware compares raw values")
    return groups


def header(node: Node) -> str:
    """The header: places, sizes, limits and codes."""
    return "\n".join(_header(node)) + "\n"


def _header(node: Node) -> Iterator[str]:
    layout, k = node.bank.layout, node.program[0]
    tags = layout.tags
    yield MADE
    yield "#ifndef GENERATED_NODE_MAP_H"
    yield "#define GENERATED_NODE_MAP_H"
    yield ""
    yield '#include "modbus/protocol.h"'
    yield '#include "modbus/store.h"'
    yield '#include "node/loops.h"'
    yield '#include "node/number.h"'
    yield ""
    yield "/* sizes of the tables below */"
    yield from c_enum(
        [
            ("UNIT_ADDRESS", node.unit),
            ("IMAGE_SIZE", layout.size),
            ("HOLDING_REGISTERS", max(_owned(layout, "holding")) + 1),
            ("SPANS", len(_all_spans(layout))),
            ("OBJECTS", len(node.bank.device_identification())),
            ("SERVER_ID_SIZE", len(node.bank.server_id())),
            ("QUEUE", QUEUE),
            ("CHANNELS", len(node.sensors.names)),
            ("SETPOINTS", len(program.SETPOINTS)),
            ("COMMANDS", SENT_COMMANDS),
            ("INTERLOCKS", len(interlocks.INTERLOCKS)),
            ("LOOPS", loops.LOOP_COUNT),
            ("MIRRORED", len(k.mirrored)),
            *((_plural(name), len(places)) for name, places in _groups(node).items()),
        ]
    )
    yield ""
    yield "/* registers: byte of the image */"
    yield from c_enum(
        (f"at_{tag.name}", layout.place(tag.name)) for tag in tags.values() if tag.table not in BIT_TABLES
    )
    yield ""
    yield "/* bits: bit of the image */"
    yield from c_enum((f"bit_{tag.name}", layout.place(tag.name)) for tag in tags.values() if tag.table in BIT_TABLES)
    yield ""
    yield "/* channels of the ADC */"
    yield from c_enum((f"channel_{name}", place) for place, name in enumerate(node.sensors.names))
    yield ""
    yield "/* places in the vector of setpoints, and of commands */"
    yield from c_enum((f"setpoint_{part}", getattr(program, part)) for part in SETPOINT_PARTS)
    yield from c_enum((f"command_{part}", getattr(commands, part)) for part in COMMAND_PARTS)
    yield ""
    yield "/* interlocks: rows, and what they take away */"
    yield from c_enum((f"interlock_{row.name}", place) for place, row in enumerate(interlocks.INTERLOCKS))
    yield from c_enum((f"takes_{what}", 1 << bit) for bit, what in enumerate(interlocks.Inhibits._fields))
    yield ""
    yield "/* words and codes */"
    for word, prefix in WORDS.items():
        yield from c_enum((f"{prefix}_{bit}", 1 << place) for place, bit in enumerate(tags[word].bits))
    for word, prefix in CODES.items():
        yield from c_enum((f"{prefix}_{name}", code) for name, code in tags[word].values.items())
    yield ""
    yield "/* settings */"
    for name, value in _settings(node):
        yield f"#define {name.upper()} {value}"
    yield ""
    yield "/* limits by raw value: the highest reading that is not above them, the lowest one that is not below */"
    yield from c_enum(limits(node, _groups(node)))
    yield ""
    yield from STRUCTS.splitlines()
    yield ""
    for name in SHOWN:
        yield f"extern const struct number {name.upper()};"
    for name in _groups(node):
        yield f"extern const uint8_t {name}_CHANNELS[{_plural(name)}];"
    yield ""
    yield "#endif"


def _plural(name: str) -> str:
    return f"{name}S"


def _settings(node: Node) -> Iterator[tuple[str, str]]:
    config = node.config
    yield "scan_period_ns", f"{config.scan_period_ns}LL"
    yield "turnaround_ns", f"{node.turnaround_ns}LL"
    yield "scan_period_s", _double(config.scan_period_ms * 1e-3)
    yield "full_flow_l_min", _double(config.coolant.full_flow_l_min)
    yield "radians_per_degree", _double(np.pi / 180.0)
    trip, warn = config.interlocks, config.warnings
    if max(trip.tension_fraction, warn.tension_fraction) >= scan.TENSION_READY_FRACTION:
        raise ConfigError("tensions that are ready would be too low, and the firmware looks no closer at what is ready")
    if trip.speed_difference_percent < warn.speed_difference_percent:
        raise ConfigError("belts would be stopped without a warning, and the firmware looks at the warning first")
    yield "limit_tension_fraction", _double(trip.tension_fraction)
    yield "limit_speed_difference_percent", _double(trip.speed_difference_percent)
    yield "warn_zone_deviation_k", _double(warn.zone_deviation_k)
    yield "warn_tension_fraction", _double(warn.tension_fraction)
    yield "warn_speed_difference_percent", _double(warn.speed_difference_percent)
    yield "tension_ready_fraction", _double(scan.TENSION_READY_FRACTION)


STRUCTS: Final = """\
/* addresses from first up to end (exclusive) have something behind them */
struct span {
    uint8_t table; /* enum modbus_table */
    uint16_t first, end;
};

/* a register takes the raw values lowest ... lowest + span, modulo 65536 */
struct window {
    uint16_t lowest, span;
};

/* a channel of the ADC: count 0 is the raw value `lowest` */
struct channel {
    int32_t lowest;
    struct number number;
};

struct interlock_row {
    int64_t delay_ns;
    uint16_t alarm, first_out;
    uint8_t takes_away;
};

extern const uint8_t POWER_ON_IMAGE[IMAGE_SIZE];
extern const double POWER_ON_COMMANDS[COMMANDS];
extern const uint16_t TABLE_PLACES[MODBUS_TABLES];
extern const struct span ADDRESS_SPANS[SPANS];
extern const struct window HOLDING_WINDOWS[HOLDING_REGISTERS];
extern const struct modbus_object OBJECTS_REAL[OBJECTS];
extern const struct modbus_object OBJECTS_VIRTUAL[OBJECTS];
extern const uint8_t SERVER_ID[SERVER_ID_SIZE];
extern const struct channel CHANNEL_PLANS[CHANNELS];
extern const struct number SETPOINT_NUMBERS[SETPOINTS];
extern const struct number ZONE_OUTPUTS[PLATES];
extern const struct loop_plan LOOP_PLANS[LOOPS];
extern const struct interlock_row INTERLOCK_ROWS[INTERLOCKS];
extern const uint16_t MIRRORED_BITS[MIRRORED];"""


def source(node: Node) -> str:
    """The tables."""
    return "\n".join(_source(node)) + "\n"


def _source(node: Node) -> Iterator[str]:
    layout, k = node.bank.layout, node.program[0]
    bank = node.bank
    yield MADE
    yield '#include "generated/node_map.h"'
    yield ""
    image = bank.state.image.tobytes()
    yield from _array("const uint8_t POWER_ON_IMAGE[IMAGE_SIZE]", _bytes(image))
    yield ""
    vector = commands.Commands().vector[:SENT_COMMANDS]
    yield from _array("const double POWER_ON_COMMANDS[COMMANDS]", map(_double, vector.tolist()))
    yield ""
    places = (f"[MODBUS_{table.upper()}] = {layout.spans[table][0]}" for table in TABLES)
    yield from _array("const uint16_t TABLE_PLACES[MODBUS_TABLES]", places)
    yield ""
    spans = (f"{{MODBUS_{table.upper()}, {first}, {end}}}" for table, first, end in _all_spans(layout))
    yield from _array("const struct span ADDRESS_SPANS[SPANS]", spans)
    yield ""
    yield from _array("const struct window HOLDING_WINDOWS[HOLDING_REGISTERS]", _windows(layout))
    yield ""
    for identity in ("real", "virtual"):
        objects = make_node(identity).bank.device_identification()
        rows = (f'{{0x{number:02X}, {len(value)}, "{value.decode()}"}}' for number, value in sorted(objects.items()))
        yield from _array(f"const struct modbus_object OBJECTS_{identity.upper()}[OBJECTS]", rows)
        yield ""
    yield from _array("const uint8_t SERVER_ID[SERVER_ID_SIZE]", _bytes(bank.server_id()))
    yield ""
    yield from _array("const struct channel CHANNEL_PLANS[CHANNELS]", _channels(node))
    yield ""
    setpoints = (_number(layout, name) for name in program.SETPOINTS)
    yield from _array("const struct number SETPOINT_NUMBERS[SETPOINTS]", setpoints)
    yield ""
    outputs = (_number(layout, f"{plate}_output_percent") for plate in signals.PLATES)
    yield from _array("const struct number ZONE_OUTPUTS[PLATES]", outputs)
    yield ""
    yield from _array("const struct loop_plan LOOP_PLANS[LOOPS]", _loops(node))
    yield ""
    yield from _array("const struct interlock_row INTERLOCK_ROWS[INTERLOCKS]", _interlocks())
    yield ""
    yield from _array("const uint16_t MIRRORED_BITS[MIRRORED]", map(str, k.mirrored.tolist()))
    yield ""
    for name in SHOWN:
        yield f"const struct number {name.upper()} = {_number(layout, name)};"
    for name, channels in _groups(node).items():
        yield f"const uint8_t {name}_CHANNELS[{_plural(name)}] = {{{', '.join(map(str, channels))}}};"


def _windows(layout: Layout) -> Iterator[str]:
    owner = {tag.address: tag for tag in layout.tags.values() if tag.table == "holding"}
    for address in range(max(owner) + 1):
        tag: Tag | None = owner.get(address)
        if tag is None:
            yield "{0, 0}"  # no register is here
            continue
        lowest, span = raw_window(tag)
        if span < 0:
            raise ConfigError(f"{tag.name}: the firmware takes holding registers of one word with limits only")
        yield f"{{{lowest & 0xFFFF}, {span}}} /* {tag.name} */"


def _channels(node: Node) -> Iterator[str]:
    for name, lowest in zip(node.sensors.names, Adc(node.sensors).lowest, strict=True):
        yield f"{{{lowest:.0f}, {_number(node.bank.layout, name)}}}"


def _loops(node: Node) -> Iterator[str]:
    plan, channels = loops.loop_plan(node.config, node.config.scan_period_ms), node.program[0].sensor.loops
    for cools, channel, *numbers in zip(loops.COOLED, channels, plan.gain, plan.step, plan.ramp_k, strict=True):
        yield f"{{{str(cools).lower()}, {channel}, {', '.join(map(_double, numbers))}}}"


def _interlocks() -> Iterator[str]:
    for row in interlocks.INTERLOCKS:
        takes = " | ".join(f"TAKES_{what.upper()}" for what, is_taken in row.takes_away._asdict().items() if is_taken)
        name = row.name.upper()
        yield f"{{{round(row.delay_s * 1e9)}LL, ALARM_{name}, FIRST_OUT_{name}, {takes}}}"


# -- the command --------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the generated files, or check them."""
    return write_or_check("emulator.firmware.node_map", sources(), arguments)


if __name__ == "__main__":
    sys.exit(main())
