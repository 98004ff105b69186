"""The generated header of the controller in C: where the press's registers are, and what their bits mean.

It knows of the press what any master does: the register map. `python -m emulator.firmware.press_map` writes it,
`--check` fails where it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from emulator.firmware.generated import MADE, c_enum, write_or_check
from emulator.firmware.node_map import GENERATED
from rig.protocol.registers import Tag
from rig.protocol.registers_file import default_registers

__all__ = ["header", "sources"]

NODE: Final = "press"
CONTACTS: Final = "contacts_word"
WORDS: Final = {CONTACTS: "CONTACT", "alarm_word": "ALARM"}
NOT_COMMANDED: Final = "watchdog_timeout_s"
"""The last holding register: the controller leaves it as it is."""


def sources() -> Mapping[Path, str]:
    """The generated file and what belongs into it."""
    return {GENERATED / "press_map.h": header()}


def header() -> str:
    """The header."""
    return "\n".join(_header()) + "\n"


def _header() -> Iterator[str]:
    registers = default_registers()
    tags = [tag for tag in registers.tags.values() if tag.node == NODE]
    inputs, holding, coils = (_in_table(tags, table) for table in ("input", "holding", "coil"))
    sensed = [tag for tag in inputs if tag in registers.polled]
    identity = registers.tags["press_identity"]
    yield MADE
    yield "#ifndef GENERATED_PRESS_MAP_H"
    yield "#define GENERATED_PRESS_MAP_H"
    yield ""
    yield "/* whom to talk to, and how much there is to read and to write from address 0 on */"
    yield from c_enum(
        [
            ("PRESS_UNIT", registers.nodes[NODE].address),
            ("PRESS_MAP_VERSION", registers.format),
            *((f"PRESS_IDENTITY_{name}", code) for name, code in identity.values.items()),
            ("SENSED_REGISTERS", max(tag.address + tag.count for tag in sensed)),
            ("COMMANDED_REGISTERS", registers.tags[NOT_COMMANDED].address),
            ("COMMANDED_COILS", len(coils)),
            ("HEAT_PLATES", sum(_is_plate(tag, "heat_") for tag in sensed)),
            ("COLD_PLATES", sum(_is_plate(tag, "cold_") for tag in sensed)),
        ]
    )
    yield ""
    yield "/* input registers */"
    yield from c_enum((f"INPUT_{tag.name}", tag.address) for tag in inputs)
    yield ""
    yield "/* holding registers */"
    yield from c_enum((f"HOLDING_{tag.name}", tag.address) for tag in holding)
    yield ""
    yield "/* coils, as bits of one word */"
    yield from c_enum((f"COIL_{tag.name}", 1 << tag.address) for tag in coils)
    yield ""
    yield "/* bits of words */"
    for word, prefix in WORDS.items():
        yield from c_enum((f"{prefix}_{bit}", 1 << place) for place, bit in enumerate(registers.tags[word].bits))
    yield ""
    yield "/* steps of a register per unit that its name ends with */"
    yield from c_enum(
        (f"PER_UNIT_{tag.name}", round(1.0 / tag.scale))
        for tag in (*sensed, *holding)
        if tag.type in ("u16", "i16", "u32")
    )
    yield ""
    yield "#endif"


def _in_table(tags: Iterable[Tag], table: str) -> list[Tag]:
    return sorted((tag for tag in tags if tag.table == table), key=lambda tag: tag.address)


def _is_plate(tag: Tag, begin: str) -> bool:
    return tag.group == "zone_temperatures" and tag.name.startswith(begin)


if __name__ == "__main__":
    sys.exit(write_or_check(__spec__.name, sources()))
