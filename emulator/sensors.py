"""Sensors: between the truth and what the node reads.

Every sensor has first-order lag, Gaussian noise from a random stream of its own, a resolution and a
range. All of them are read in one compiled call, which also scales the readings to raw registers.
Noise is a function of (stream, reading number), so a sensor holds no generator state and adding one
changes no other (`emulator.random`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from emulator.config import ConfigError, load_definition
from emulator.random import normal, stream_key
from emulator.units import conversion
from rig.protocol.registers import RAW_RANGE, RegisterMap

__all__ = ["SensorConfig", "SensorFile", "SensorState", "Sensors", "load_sensors"]

Floats = NDArray[np.float64]


class SensorConfig(BaseModel):
    """One sensor, or one per member of a tag group.

    Attributes:
        tag: tag or tag group that shows the reading.
        signal: truth signal; `{}` stands for what distinguishes the members of the group.
        lag_s: time constant of the first-order lag.
        noise: standard deviation, in the tag's unit.
        resolution: smallest step, in the tag's unit (the wire's scale may be coarser).
        low: lowest reading, in the tag's unit.
        high: highest reading, in the tag's unit.
        zero_without_signal: reads exactly 0 while the truth is 0 (a gauge without sheet).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    tag: str
    signal: str
    lag_s: Annotated[float, Field(ge=0.0)] = 0.0
    noise: Annotated[float, Field(ge=0.0)] = 0.0
    resolution: Annotated[float, Field(ge=0.0)] = 0.0
    low: float
    high: float
    zero_without_signal: bool = False


class SensorFile(BaseModel):
    """A set of sensors, as a file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sensor: tuple[SensorConfig, ...]


def load_sensors(name_or_path: str) -> SensorFile:
    """Read a set of sensors by name or path.

    Raises:
        ConfigError: no such file, malformed TOML, or a value that cannot be.
    """
    return load_definition(name_or_path, "sensor", SensorFile)


@dataclass(slots=True)
class SensorState:
    """Filtered truth per sensor (tag unit), last readings (tag unit) and raw registers, and how many there were."""

    filtered: Floats
    values: Floats
    image: NDArray[np.int64]
    readings: int = 0


class Sensors:
    """All sensors of the node.

    Args:
        configs: the entries of what `load_sensors` gave.
        registers: the register map.
        signals: names of the truth vector's elements.
        seed: the world's seed.
        period_s: time between readings, s.

    Attributes:
        names: tag names, in the order of `values`.
        state: filters and last readings.
    """

    def __init__(
        self,
        configs: Sequence[SensorConfig],
        registers: RegisterMap,
        signals: Sequence[str],
        seed: int,
        period_s: float,
    ) -> None:
        place = {name: index for index, name in enumerate(signals)}
        rows: list[tuple[str, SensorConfig, int]] = []
        for config in configs:
            for tag, signal in _pairs(config, registers):
                if signal not in place:
                    raise ConfigError(f"sensor {tag}: no truth signal {signal!r}")
                rows.append((tag, config, place[signal]))
        self.names = tuple(name for name, _, _ in rows)
        self.place = {name: index for index, name in enumerate(self.names)}
        tags = [registers[name] for name in self.names]
        pairs = [conversion(signals[row[2]], tag.unit) for row, tag in zip(rows, tags, strict=True)]
        self._source = np.array([source for _, _, source in rows], dtype=np.int64)
        self._parameters = np.array(
            [
                (
                    gain,
                    offset,
                    1.0 - math.exp(-period_s / config.lag_s) if config.lag_s > 0.0 else 1.0,
                    config.noise,
                    config.resolution,
                    config.low,
                    config.high,
                    float(config.zero_without_signal),
                    tag.scale,
                    tag.offset,
                    *RAW_RANGE[tag.type],
                )
                for (_, config, _), tag, (gain, offset) in zip(rows, tags, pairs, strict=True)
            ]
        )
        self._address = np.array([(tag.address, tag.count) for tag in tags], dtype=np.int64)
        self._keys = np.array([stream_key(seed, f"sensor.{name}") for name in self.names], dtype=np.uint64)
        self.state = SensorState(
            filtered=np.zeros(len(rows)),
            values=np.zeros(len(rows)),
            image=np.zeros(int(self._address.sum(axis=1).max()), dtype=np.int64),
        )

    def read(self, truth: Floats) -> None:
        """Take one reading of every sensor: refresh `values` and `image`."""
        _read(
            truth,
            self._source,
            self._parameters,
            self._address,
            self._keys,
            np.uint64(self.state.readings),
            self.state.filtered,
            self.values,
            self.image,
        )
        self.state.readings += 1

    @property
    def values(self) -> Floats:
        """Last readings, tag units, in the order of `names`."""
        return self.state.values

    @property
    def image(self) -> NDArray[np.int64]:
        """Raw input registers that the sensors fill, index = address."""
        return self.state.image

    def value(self, name: str) -> float:
        """Last reading of one sensor, in its tag's unit."""
        return float(self.values[self.place[name]])

    def readings(self) -> Mapping[str, float]:
        """Last reading of every sensor."""
        return dict(zip(self.names, self.values.tolist(), strict=True))


def _pairs(config: SensorConfig, registers: RegisterMap) -> list[tuple[str, str]]:
    """(tag, signal) of every sensor that one entry stands for."""
    members = registers.groups.get(config.tag)
    if members is None:
        if config.tag not in registers.tags:
            raise ConfigError(f"sensor {config.tag}: {registers.explain_unknown(config.tag)}")
        return [(config.tag, config.signal)]
    start, end = _common(members)
    return [(name, config.signal.replace("{}", name[start : len(name) - end])) for name in members]


def _common(names: Sequence[str]) -> tuple[int, int]:
    """Lengths of the common beginning and end of the names, cut at `_`."""
    first, last = min(names), max(names)
    start = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    start = first[:start].rfind("_") + 1
    backwards = [name[::-1] for name in names]
    first, last = min(backwards), max(backwards)
    end = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    end = first[:end].rfind("_") + 1
    return start, end


@njit(cache=True)
def _read(
    truth: Floats,
    source: NDArray[np.int64],
    parameters: Floats,
    address: NDArray[np.int64],
    keys: NDArray[np.uint64],
    reading: np.uint64,
    filtered: Floats,
    values: Floats,
    image: NDArray[np.int64],
) -> None:
    for i in range(source.shape[0]):
        p = parameters[i]
        true = truth[source[i]]
        x = true * p[0] + p[1]
        if reading == 0:
            filtered[i] = x
        else:
            filtered[i] += p[2] * (x - filtered[i])
        value = filtered[i] + p[3] * normal(keys[i], reading)
        if p[4] > 0.0:
            value = np.rint(value / p[4]) * p[4]
        value = min(max(value, p[5]), p[6])
        if p[7] != 0.0 and true == 0.0:
            value = 0.0
            filtered[i] = 0.0
        raw = min(max(np.rint((value - p[9]) / p[8]), p[10]), p[11])
        values[i] = raw * p[8] + p[9]
        word = np.int64(raw)
        if address[i, 1] == 2:
            image[address[i, 0]] = (word >> 16) & 0xFFFF
            image[address[i, 0] + 1] = word & 0xFFFF
        else:
            image[address[i, 0]] = word & 0xFFFF
