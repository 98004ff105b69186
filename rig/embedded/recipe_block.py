"""The recipe as an embedded controller has it: a block of flash beside its program.

The layout is that of firmware_stubs/controller/recipe.h: little endian, all numbers as the press's registers show them,
lengths in mm of belt. `python -m rig.embedded RECIPE FILE` writes it for a real board.
"""

from __future__ import annotations

import struct
from typing import Final

from rig.controller.goals import path_m
from rig.controller.machine_facts import MachineFacts
from rig.protocol.crc import crc16
from rig.protocol.registers import RegisterMap
from rig.recipe import Recipe

__all__ = ["recipe_block"]

MAGIC: Final = 0x5043_4552
VERSION: Final = 1
KEEPS_CLAIMS: Final = 1


def recipe_block(recipe: Recipe, facts: MachineFacts, registers: RegisterMap, *, keeps_claims: bool = True) -> bytes:
    """The block.

    Args:
        recipe: what to make.
        facts: the press.
        registers: of the press, for the scales.
        keeps_claims: the controller refuses to start a recipe that cannot meet the claims.
    """

    def raw(tag: str, value: float) -> int:
        return round((value - registers.tags[tag].offset) / registers.tags[tag].scale)

    def mm(length_m: float) -> int:
        return round(length_m * 1e3)

    press, sheet = recipe.press, recipe.sheet
    plate, clearance, speed = (
        "heat_1_upper_setpoint_c",
        "entry_left_clearance_setpoint_um",
        "belt_upper_speed_setpoint_m_min",
    )
    words = (
        raw("sheet_entry_thickness_um", sheet.thickness_um),
        mm(sheet.length_m),
        raw(plate, recipe.composition.polyolefin_melting_point_c),
        raw(plate, press.heat_temperature_c),
        raw(plate, press.cold_temperature_c),
        raw(clearance, press.entry_clearance_um),
        raw(clearance, press.clearance_um),
        raw(speed, press.speed_m_min),
        raw("belt_upper_tension_setpoint_kn_m", press.tension_kn_m),
        raw(clearance, facts.open_clearance_um),
        raw("coolant_flow_setpoint_l_min", facts.coolant_flow_l_min),
        raw(speed, facts.creep_speed_m_min),
        raw(speed, facts.cool_speed_m_min),
        mm(facts.taper_end_m),
        mm(facts.heat_end_m),
        mm(facts.pressing_length_m),
        mm(path_m(facts)),
    )
    block = struct.pack(f"<3I{len(words)}i", MAGIC, VERSION, KEEPS_CLAIMS if keeps_claims else 0, *words)
    return block + struct.pack("<I", crc16(block))
