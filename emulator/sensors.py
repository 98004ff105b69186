"""Sensors: between the truth and what the node reads.

Every sensor has first-order lag, Gaussian noise from a random stream of its own, a resolution and a range, may be
shifted by a disturbance, and may be broken: then it goes on as it would have, and something else is shown, so that a
fault that ends leaves nothing behind. All of them are read in one compiled loop, which also writes the raw registers.
Noise is a function of (stream, reading number), so a sensor holds no generator state and adding one changes no
other (`emulator.random`).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from emulator.config import ConfigError, load_definition
from emulator.image import NUMBER_COLUMNS, Layout, encode, put
from emulator.random import normal, stream_key, uniform
from emulator.units import conversion
from rig.protocol.registers import RegisterMap

__all__ = [
    "SENSOR",
    "SENSOR_MEMORY",
    "SensorConfig",
    "SensorFile",
    "SensorState",
    "Sensors",
    "load_sensors",
    "read_sensors",
]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

SENSOR: Final = np.dtype(
    [
        ("source", np.int64),  # place in the truth vector
        ("shift", np.int64),  # place in the kernel's inputs of what is added to the truth, or NOT_SHIFTED
        ("gain", np.float64),  # tag unit per SI unit
        ("offset", np.float64),  # tag unit
        ("weight", np.float64),  # of a new value in the first-order lag
        ("noise", np.float64),
        ("resolution", np.float64),
        ("low", np.float64),
        ("high", np.float64),
        ("zero_without_signal", np.int64),
        ("key", np.uint64),  # of its random stream
        ("number", np.float64, (len(NUMBER_COLUMNS),)),  # how the wire shows it
    ],
    align=True,
)
NOT_SHIFTED: Final = -1

# Rows of `SensorState.memory`.
FILTERED: Final = 0
READING: Final = 1
ALTERED: Final = 2
"""Not 0: something else is shown, as the rows from here on say, and `STRUCK` counts it."""
SHOWN_FILTERED: Final = 3
GAIN: Final = 4
OFFSET: Final = 5
NOISE: Final = 6
SPIKE_PROBABILITY: Final = 7
SPIKE: Final = 8
HELD: Final = 9
SOURCE: Final = 10
"""Place of the sensor whose quantity is seen."""
SWIFTNESS: Final = 11
"""Factor on the weight of a new value in the lag."""
STRUCK: Final = 12
SENSOR_MEMORY: Final = 13
"""How many rows there are."""

MORE_NOISE: Final = np.uint64(0x5851F42D4C957F2D)
MORE_NOISE_STILL: Final = np.uint64(0x14057B7EF767814F)
"""Make streams of a sensor's faults from its own (any odd numbers would do)."""


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


class SensorRow(Protocol):
    """One sensor as compiled code sees it; what the fields are stands at `SENSOR`."""

    source: int
    shift: int
    gain: float
    offset: float
    weight: float
    noise: float
    resolution: float
    low: float
    high: float
    zero_without_signal: int
    key: np.uint64
    number: Floats


@dataclass(slots=True, eq=False)
class SensorState:
    """What sensors remember, tag units, shape (`SENSOR_MEMORY`, sensors): rows `FILTERED`, `READING`, …"""

    memory: Floats


class Sensors:
    """All sensors of one node.

    Args:
        configs: the entries of what `load_sensors` gave; those of other nodes are left out.
        layout: where their tags stand in the image.
        signals: names of the truth vector's elements.
        seed: the world's seed.
        period_s: time between readings, s.
        shifts: by signal, the place in the kernel's inputs of a disturbance that is added to it, SI.

    Attributes:
        names: tag names, in the order of the readings.
        rows: what compiled code needs to know of every sensor (`SENSOR`).
    """

    def __init__(
        self,
        configs: Sequence[SensorConfig],
        layout: Layout,
        signals: Sequence[str],
        seed: int,
        period_s: float,
        shifts: Mapping[str, int],
    ) -> None:
        place = {name: index for index, name in enumerate(signals)}
        fitted = [
            (config, tag, signal)
            for config in configs
            for tag, signal in _pairs(config, layout.registers)
            if tag in layout.tags
        ]
        self.rows: NDArray[Any] = np.zeros(len(fitted), SENSOR)
        names: list[str] = []
        for config, tag, signal in fitted:
            if signal not in place:
                raise ConfigError(f"sensor {tag}: no truth signal {signal!r}")
            gain, offset = conversion(signal, layout.tags[tag].unit)
            self.rows[len(names)] = (
                place[signal],
                shifts.get(signal, NOT_SHIFTED),
                gain,
                offset,
                1.0 - math.exp(-period_s / config.lag_s) if config.lag_s > 0.0 else 1.0,
                config.noise,
                config.resolution,
                config.low,
                config.high,
                config.zero_without_signal,
                _key(seed, tag),
                layout.number(tag),
            )
            names.append(tag)
        self.names = tuple(names)
        self.place = {name: index for index, name in enumerate(self.names)}
        self.state = SensorState(np.zeros((SENSOR_MEMORY, len(names))))

    def reseeded(self, seed: int) -> Sensors:
        """The same sensors with the random streams of another seed; the state is shared."""
        other = copy.copy(self)
        other.rows = self.rows.copy()
        other.rows["key"] = [_key(seed, tag) for tag in self.names]
        return other

    def value(self, name: str) -> float:
        """Last reading of one sensor, in its tag's unit."""
        return float(self.state.memory[READING, self.place[name]])

    def readings(self) -> Mapping[str, float]:
        """Last reading of every sensor."""
        return dict(zip(self.names, self.state.memory[READING].tolist(), strict=True))


def _key(seed: int, tag: str) -> int:
    """Key of a sensor's random stream."""
    return stream_key(seed, f"sensor.{tag}")


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


@njit(cache=True, error_model="numpy")
def _seen(p: SensorRow, truth: Floats, inputs: Floats) -> float:
    """The truth in the unit of the tag, shifted where a disturbance shifts it."""
    true = truth[p.source]
    seen = true + inputs[p.shift] if p.shift >= 0 else true
    return float(seen * p.gain + p.offset)


@njit(cache=True, error_model="numpy")
def _displayed(p: SensorRow, value: float) -> float:
    """A value with the sensor's resolution, within its range."""
    if p.resolution > 0.0:
        value = np.rint(value / p.resolution) * p.resolution
    return min(max(value, p.low), p.high)


@njit(cache=True, error_model="numpy")
def _broken(i: int, truth: Floats, inputs: Floats, rows: Sequence[SensorRow], reading: int, memory: Floats) -> float:
    """What sensor `i` shows, as the rows from `ALTERED` on say."""
    p, source = rows[i], rows[int(memory[SOURCE, i])]
    if memory[HELD, i] != 0.0:
        return float(memory[READING, i])
    x = _seen(source, truth, inputs) * memory[GAIN, i] + memory[OFFSET, i]
    memory[SHOWN_FILTERED, i] += min(p.weight * memory[SWIFTNESS, i], 1.0) * (x - memory[SHOWN_FILTERED, i])
    if p.zero_without_signal != 0 and truth[source.source] == 0.0:
        return 0.0
    own, other = normal(p.key, np.uint64(reading)), np.uint64(p.key) ^ MORE_NOISE
    value = memory[SHOWN_FILTERED, i] + p.noise * own + memory[NOISE, i] * normal(other, np.uint64(reading))
    if memory[SPIKE_PROBABILITY, i] > 0.0:
        chance = uniform(other ^ MORE_NOISE_STILL, np.uint64(reading))
        if chance < memory[SPIKE_PROBABILITY, i]:
            value += memory[SPIKE, i] if chance < 0.5 * memory[SPIKE_PROBABILITY, i] else -memory[SPIKE, i]
    return _displayed(p, value)


@njit(cache=True, error_model="numpy")
def read_sensors(
    truth: Floats, inputs: Floats, rows: Sequence[SensorRow], reading: int, memory: Floats, image: Bytes
) -> None:
    """Take reading number `reading` of every sensor.

    Args:
        truth: what perfect instruments would read, SI.
        inputs: the kernel's inputs, for the disturbances of sensors.
        rows: the sensors.
        reading: 0 starts the lag; it also counts the random streams.
        memory: as in `SensorState`; refreshed.
        image: the node's registers; the readings are written into them.
    """
    filtered = memory[FILTERED]
    values = memory[READING]
    for i in range(values.size):
        p = rows[i]
        true = truth[p.source]
        x = _seen(p, truth, inputs)
        if reading == 0:
            filtered[i] = x
        else:
            filtered[i] += p.weight * (x - filtered[i])
        value = _displayed(p, filtered[i] + p.noise * normal(p.key, np.uint64(reading)))
        if p.zero_without_signal != 0 and true == 0.0:
            value = 0.0
            filtered[i] = 0.0
        if memory[ALTERED, i] != 0.0:
            shown = _broken(i, truth, inputs, rows, reading, memory)
            memory[STRUCK, i] += shown != value
            value = shown
        raw = encode(p.number, value)
        values[i] = raw * p.number[2] + p.number[3]
        put(image, p.number, raw)
