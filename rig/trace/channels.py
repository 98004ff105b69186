"""Which channels a recording has: the numeric tags of a register map, and truth signals by name.

A channel is a tag without its address: what a number in a recording means, and how to store it as
the integer that went over the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.protocol.registers import RegisterMap

__all__ = ["ChannelInfo", "tag_channels", "text_tags"]


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """One recorded signal.

    Attributes:
        name: tag name, or the name of a truth signal with its unit as suffix (`press_force_kn`).
        unit: of the recorded values; empty for plain numbers.
        description: one sentence.
        type: how it goes over the wire (`u16`, `i16`, `u32`, `i32`, `f32`, `bool`, `enum`,
            `bitfield`), or `f64` for what never does.
        scale: engineering value = raw * scale + offset.
        offset: see `scale`.
        bits: names of the bits of a bitfield, lowest first.
        values: names of an enum's codes.
    """

    name: str
    unit: str = ""
    description: str = ""
    type: str = "f64"
    scale: float = 1.0
    offset: float = 0.0
    bits: tuple[str, ...] = ()
    values: Mapping[str, int] = field(default_factory=dict)

    @property
    def texts(self) -> Mapping[int, str]:
        """Name of each code of an enum."""
        return {code: name for name, code in self.values.items()}


@lru_cache(maxsize=8)
def tag_channels(registers: RegisterMap) -> tuple[ChannelInfo, ...]:
    """Channels for all numeric tags, in the order of the map (text has no place in a table of numbers)."""
    return tuple(
        ChannelInfo(
            name=tag.name,
            unit=tag.unit,
            description=tag.description,
            type=tag.type,
            scale=tag.scale,
            offset=tag.offset,
            bits=tag.bits,
            values=tag.values,
        )
        for tag in registers.tags.values()
        if tag.type != "string"
    )


def text_tags(registers: RegisterMap) -> tuple[str, ...]:
    """Names of the tags that hold text; a recording keeps their changes as events."""
    return tuple(tag.name for tag in registers.tags.values() if tag.type == "string")
