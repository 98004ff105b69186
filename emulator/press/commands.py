"""What can be done to the press: commands of its actuators, and disturbances.

Both are vectors of float64 in SI units with names on their parts: what is set by name is what the compiled
kernel reads, nothing is packed in between. The caller owns them; the press reads them at every `advance` and
keeps no reference. `Commands()` is a press at rest: everything off, clearances wide open. `Disturbances()` is
neutral. Every quantity is stated once, in its class: place in the kernel's input vector, size and neutral value, and
for disturbances the range within which the model means something. Whoever takes disturbances from outside asks
`Disturbances.checked`; compiled code relies on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Places in the input vector `u` of the kernel: commands first, then disturbances.
ZONE: Final = 0
DRUM: Final = 12
CLEARANCE: Final = 14
SPEED: Final = 20
DRIVES_ON: Final = 22
STEERING: Final = 24
TENSION: Final = 26
TENSION_ON: Final = 27
HYDRAULICS_ON: Final = 28
DUMP: Final = 29
BRAKE: Final = 30
COOLANT_FLOW: Final = 31
FEED: Final = 32
FEED_THICKNESS: Final = 33
FEED_TEMPERATURE: Final = 34
COMMAND_COUNT: Final = 35

STUCK_ON: Final = 35
HEATER_SCALE: Final = 47
DRUM_SCALE: Final = 59
TENSION_SCALE: Final = 61
STEERING_DISTURBANCE: Final = 63
TORQUE_SCALE: Final = 65
FRICTION_SCALE: Final = 67
CLEARANCE_OFFSET: Final = 69
COOLANT_OFFSET: Final = 75
COOLANT_SCALE: Final = 76
FEED_SCALE: Final = 77
CLEARANCE_SENSOR_OFFSET: Final = 78
RUNOUT: Final = 84
MISSING_ROLLER: Final = 85
RIPPLE: Final = 86
RIPPLE_LENGTH: Final = 87
SOLIDS: Final = 88
INPUT_COUNT: Final = 89


class InputError(ValueError):
    """A name, a size or a value that an input cannot have; says which ones it can."""


class _Part:
    """A named part of an input record: its place in the kernel's vector, its size, neutral value, range and unit."""

    def __init__(
        self,
        place: int,
        size: int = 1,
        neutral: float = 0.0,
        within: tuple[float, float] = (-math.inf, math.inf),
        unit: str = "",
    ) -> None:
        self.place = place
        self.size = size
        self.neutral = neutral
        self.low, self.high = within
        self.unit = unit

    def span(self, first: int) -> slice:
        """Where the part stands in a vector that begins at place `first`."""
        return slice(self.place - first, self.place - first + self.size)


class _Array(_Part):
    """Several numbers; reading gives a view, setting takes one number or a sequence."""

    @overload
    def __get__(self, record: None, kind: type) -> Self: ...
    @overload
    def __get__(self, record: _Inputs, kind: type) -> Floats: ...
    def __get__(self, record: _Inputs | None, kind: type) -> Floats | Self:
        return self if record is None else record.vector[self.span(record.FIRST)]

    def __set__(self, record: _Inputs, value: ArrayLike) -> None:
        record.vector[self.span(record.FIRST)] = value


class _Number(_Part):
    """One number."""

    @overload
    def __get__(self, record: None, kind: type) -> Self: ...
    @overload
    def __get__(self, record: _Inputs, kind: type) -> float: ...
    def __get__(self, record: _Inputs | None, kind: type) -> float | Self:
        return self if record is None else float(record.vector[self.place - record.FIRST])

    def __set__(self, record: _Inputs, value: float) -> None:
        record.vector[self.place - record.FIRST] = value


class _Switch(_Part):
    """On or off; 1.0 or 0.0 in the vector."""

    @overload
    def __get__(self, record: None, kind: type) -> Self: ...
    @overload
    def __get__(self, record: _Inputs, kind: type) -> bool: ...
    def __get__(self, record: _Inputs | None, kind: type) -> bool | Self:
        return self if record is None else bool(record.vector[self.place - record.FIRST])

    def __set__(self, record: _Inputs, value: bool) -> None:
        record.vector[self.place - record.FIRST] = value


@dataclass(slots=True, init=False, eq=False)
class _Inputs:
    """A vector with names on its parts."""

    FIRST = 0
    COUNT = 0
    vector: Floats

    def __init__(self, **values: Any) -> None:
        """Neutral, but for the parts named in `values`."""
        self.vector = np.zeros(self.COUNT)
        self.reset()
        for name, value in values.items():
            if not isinstance(getattr(type(self), name, None), _Part):
                raise TypeError(f"{type(self).__name__} has no {name!r}; there are {', '.join(self.names())}")
            setattr(self, name, value)

    @classmethod
    def on(cls, vector: Floats) -> Self:
        """Names on the parts of a vector that somebody else keeps."""
        record = cls.__new__(cls)
        record.vector = vector
        return record

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the parts, in the order of the vector."""
        return tuple(name for name, part in vars(cls).items() if isinstance(part, _Part))

    @classmethod
    def checked(cls, name: str, value: object) -> Floats:
        """A value for the part of this name, one number for all its places or one for each, shape (size,).

        Raises:
            InputError: no such part, not as many numbers, or one outside of the range.
        """
        part = vars(cls).get(name)
        if not isinstance(part, _Part):
            raise InputError(f"there is no {name!r}; there are {', '.join(cls.names())}")
        try:
            given = np.asarray(value, dtype=np.float64)
            values = np.broadcast_to(given, part.size).copy()
        except (TypeError, ValueError):
            numbers = "a number" if part.size == 1 else f"a number or {part.size} numbers"
            raise InputError(f"{name} is {value!r}; it must be {numbers}") from None
        for number in values.tolist():
            if not part.low <= number <= part.high:  # true for what is no number
                unit = f" {part.unit}" if part.unit else ""
                raise InputError(
                    f"{name} is {number:g}{unit}; it must be {part.low:g} … {part.high:g}{unit} "
                    f"(undisturbed: {part.neutral:g})"
                )
        return values

    def change(self, changes: Mapping[str, object]) -> None:
        """Set parts by name, as `checked` takes them.

        Raises:
            InputError: one of them cannot be; then nothing is changed.
        """
        checked = {name: self.checked(name, value) for name, value in changes.items()}
        for name, values in checked.items():
            setattr(self, name, values if values.size > 1 else values[0])

    def check(self) -> None:
        """Check all parts as they stand.

        Raises:
            InputError: one is outside of its range.
        """
        low, high = _ranges(type(self))
        if not ((low <= self.vector) & (self.vector <= high)).all():
            for name in self.names():
                self.checked(name, self.vector[vars(type(self))[name].span(self.FIRST)])

    def reset(self) -> None:
        """Make everything neutral."""
        for name in self.names():
            part = vars(type(self))[name]
            self.vector[part.span(self.FIRST)] = part.neutral


def _ranges(kind: type[_Inputs]) -> tuple[Floats, Floats]:
    """Lowest and highest value at every place of a kind of inputs."""
    parts = [vars(kind)[name] for name in kind.names()]
    sizes = [part.size for part in parts]
    return np.repeat([part.low for part in parts], sizes), np.repeat([part.high for part in parts], sizes)


class Commands(_Inputs):
    """Actuator commands; the order of array elements is that of `signals.PLATES` and `signals.ACTUATORS`."""

    __slots__ = ()
    COUNT = COMMAND_COUNT

    zone_output = _Array(ZONE, 12)
    """Heater output of heat zones, coolant valve opening of cold zones, 0..1."""
    drum_output = _Array(DRUM, 2)
    """Heater output of the entry drums (upper, lower), 0..1."""
    clearance_setpoint_m = _Array(CLEARANCE, 6, neutral=6e-3)
    speed_setpoint_m_s = _Array(SPEED, 2)
    drives_on = _Array(DRIVES_ON, 2)
    """1.0 where the drive (upper, lower) is enabled."""
    steering_rad = _Array(STEERING, 2)
    tension_setpoint_n_m = _Number(TENSION)
    tension_on = _Switch(TENSION_ON)
    hydraulics_on = _Switch(HYDRAULICS_ON)
    """Without it clearances hold where they are."""
    dump = _Switch(DUMP)
    """Fast opening; overrides set points and hydraulics."""
    brake = _Switch(BRAKE)
    """Emergency stop of both belts."""
    coolant_flow_fraction = _Number(COOLANT_FLOW)
    feed = _Switch(FEED)
    feed_thickness_m = _Number(FEED_THICKNESS, neutral=3e-3)
    feed_temperature_k = _Number(FEED_TEMPERATURE, neutral=298.15)


class Disturbances(_Inputs):
    """Things that go wrong, as physical quantities; the defaults disturb nothing."""

    __slots__ = ()
    FIRST = COMMAND_COUNT
    COUNT = INPUT_COUNT - COMMAND_COUNT

    heater_stuck_on = _Array(STUCK_ON, 12, within=(0.0, 1.0))
    """1.0: this zone runs at full output whatever is commanded."""
    heater_scale = _Array(HEATER_SCALE, 12, neutral=1.0, within=(0.0, 2.0))
    """Part of the zone output that arrives; 0.0 is a lost heater or a closed valve."""
    drum_scale = _Array(DRUM_SCALE, 2, neutral=1.0, within=(0.0, 2.0))
    tension_scale = _Array(TENSION_SCALE, 2, neutral=1.0, within=(0.0, 2.0))
    steering_disturbance_rad = _Array(STEERING_DISTURBANCE, 2, within=(-0.1, 0.1), unit="rad")
    drive_torque_scale = _Array(TORQUE_SCALE, 2, neutral=1.0, within=(0.0, 10.0))
    roller_friction_scale = _Array(FRICTION_SCALE, 2, neutral=1.0, within=(0.0, 100.0))
    clearance_offset_m = _Array(CLEARANCE_OFFSET, 6, within=(-10e-3, 10e-3), unit="m")
    """Added to the place an actuator goes to: a shifted or worn actuator."""
    coolant_supply_offset_k = _Number(COOLANT_OFFSET, within=(-15.0, 80.0), unit="K")
    coolant_flow_scale = _Number(COOLANT_SCALE, neutral=1.0, within=(0.0, 2.0))
    feed_thickness_scale = _Number(FEED_SCALE, neutral=1.0, within=(0.2, 3.0))
    clearance_sensor_offset_m = _Array(CLEARANCE_SENSOR_OFFSET, 6, within=(-10e-3, 10e-3), unit="m")
    """Added to what the clearance sensors see: a shifted sensor, which the press itself does not notice."""
    roller_runout_m = _Number(RUNOUT, within=(0.0, 1e-3), unit="m")
    """Amplitude of the gap's ripple by rollers that are out of round; neighbours differ by the golden angle."""
    missing_roller_m = _Number(MISSING_ROLLER, neutral=-1.0, within=(-1.0, 50.0), unit="m")
    """Place of a roller pair that is missing, from the entry of the press; negative: none is."""
    feed_ripple_fraction = _Number(RIPPLE, within=(0.0, 0.5))
    """Amplitude of a ripple of the feed's thickness, as part of the thickness."""
    feed_ripple_length_m = _Number(RIPPLE_LENGTH, neutral=0.5, within=(0.01, 100.0), unit="m")
    """Wavelength of that ripple along the sheet."""
    feed_solids_deviation = _Number(SOLIDS, within=(-0.5, 1.0))
    """Relative deviation of the solids fraction: 0.1 is 22 % where 20 % were ordered; oil that has bled off."""
