"""CLM-6 and CLM-7: the film on released rolls, by laboratory and feeders, and by the truth of its pieces.

The rules of `rig.requirements.verdict` with rolls in the place of sheet: what the quality gate blocked may be anything.
The laboratory cuts one sample from the end of every roll, the truth looks at every piece; so both agree if, over all
samples, readings and truth *of the same pieces* differ by no more than the uncertainty of one reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, inf, isfinite, isnan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rig.products import FILM_PROPERTIES, SEPARATOR, SHUTDOWN_WINDOW_K, Target, room_percent
from rig.requirements.claims import ELASTOMER_SHARE_LIMIT_PERCENT, Claim
from rig.requirements.run import mean_over
from rig.requirements.verdict import Judgement, Verdict, combine
from rig.rolls import GRADES

if TYPE_CHECKING:
    from rig.controller.api import RollRecord
    from rig.trace import Samples

__all__ = ["NO_LINE", "NO_RELEASED_ROLL", "Film", "elastomer", "separator"]

NO_LINE = "a press alone makes no film: it takes a line around it"
NO_RELEASED_ROLL = "no roll of film was released"
RELEASED = GRADES[0]

FEED_MEAN_OVER_S = 300.0
"""Feeds are judged as means over so many seconds: what the extruder does not mix away."""
FEEDING_KG_H = 0.1
"""Below this the polyolefin's feeder stands, and shares mean nothing."""
WAY_S = (1800.0, 3600.0)
"""Shortest and longest time from the hoppers to the winder; what was fed so long before film was wound can be in it."""
BATH_WAY_S = 1800.0
"""Longest time from the last bath to the winder."""
BATH_MEAN_OVER_S = 60.0
BATH_PERCENT = 0.05
"""Expanded uncertainty (k = 2) of the solvent in a bath, % by volume."""

Row = Mapping[str, float] | np.void
"""Properties of one piece of film by name: a sample's values, or a row of a roll map."""


@dataclass(frozen=True, slots=True)
class Film:
    """What is known of the film of a run.

    Attributes:
        rolls: what the line controller says of its rolls; None if it has no gate, and then all film counts.
        pieces: rows of a roll map (`rig.rolls.ROW`), shape (n,); None on a real line.
        tags: what was recorded through the wire; None if nothing was.
        melting_point_c: Tm of the polyolefin, °C.
    """

    rolls: Sequence[RollRecord] | None
    pieces: NDArray[np.void] | None
    tags: Samples | None
    melting_point_c: float

    @property
    def released(self) -> list[RollRecord]:
        """Rolls that were let pass as product."""
        return [roll for roll in self.rolls or () if roll.grade == RELEASED]

    @property
    def wound(self) -> NDArray[np.void] | None:
        """Pieces on released rolls; on any roll where there is no gate."""
        if self.pieces is None:
            return None
        roll = self.pieces["roll"]
        mine: NDArray[np.bool_] = (
            roll > 0 if self.rolls is None else np.isin(roll, [roll.number for roll in self.released])
        )
        found: NDArray[np.void] = self.pieces[mine]
        return found


@dataclass(frozen=True, slots=True)
class _Seen:
    """One quantity of one piece of film: its value in the claim's unit, with the words for it."""

    value: float
    uncertainty: float
    words: str
    again: Callable[[Row], float]
    """The same quantity of another piece."""


Quantity = Callable[[Row, Mapping[str, float]], _Seen]
"""From properties and their uncertainties to what a claim looks at."""


def elastomer(claim: Claim, film: Film) -> Verdict:
    """CLM-6: elastomer was fed, and the film holds together where plain polyolefin has broken up."""

    def above_k(row: Row) -> float:
        return float(row["meltdown_c"]) - film.melting_point_c

    def above_melting_point(row: Row, uncertainties: Mapping[str, float]) -> _Seen:
        words = f"meltdown {FILM_PROPERTIES['meltdown_c'].text(row['meltdown_c'])}"
        return _Seen(above_k(row), uncertainties.get("meltdown_c", 0.0), words, above_k)

    def fed(sensor: Judgement) -> Judgement:
        return _and(sensor, _fed(film), film.released)

    def held(true: Judgement, wound: NDArray[np.void]) -> Judgement:
        solids_kg = wound["polyolefin_kg"] + wound["elastomer_kg"]
        least = float((100.0 * wound["elastomer_kg"] / solids_kg).min())
        return _and(true, _share(least), ())

    return _judged(claim, film, above_melting_point, fed, held)


def separator(claim: Claim, film: Film) -> Verdict:
    """CLM-7: nothing about the film is unlike a battery separator."""

    def by_bath(sensor: Judgement) -> Judgement:
        residual = _residual_percent(film)
        if isinstance(residual, str):
            return Judgement(False, note=residual)
        percent, uncertainty, words = residual
        limits = SEPARATOR[RESIDUAL]
        value = room_percent(limits, percent)
        # a sample that is missing or no number has no value, and is worse
        if sensor.value is None or value >= sensor.value:
            return sensor
        return Judgement(value >= 0, value, value, 100.0 * uncertainty / limits.high, words, _since(film.released))

    return _judged(claim, film, _worst_room, by_bath, lambda true, wound: true)


# ------------------------------------------------------------------ both claims alike


def _judged(
    claim: Claim,
    film: Film,
    quantity: Quantity,
    complete: Callable[[Judgement], Judgement],
    complete_truth: Callable[[Judgement, NDArray[np.void]], Judgement],
) -> Verdict:
    """Samples and pieces by one quantity; `complete` and `complete_truth` add what these do not tell."""
    if film.rolls is None and film.pieces is None:
        return combine(claim, None, None, unjudged=NO_LINE)
    sensor = true = agree = None
    if film.rolls is not None:
        if not film.released:
            return combine(claim, Judgement(False, note=NO_RELEASED_ROLL), None)
        sensor, worst = _by_samples(claim, film.released, quantity)
        sensor = complete(sensor)
    wound = film.wound
    if wound is not None:
        true = Judgement(False, note="none of the pieces that were followed is on a released roll")
        if len(wound):
            true = complete_truth(_by_pieces(claim, wound, quantity), wound)
            if film.rolls is not None and worst is not None:
                agree = _agreement(film.released, wound, worst)
    return combine(claim, sensor, true, agree=agree)


def _by_samples(claim: Claim, rolls: Sequence[RollRecord], quantity: Quantity) -> tuple[Judgement, _Seen | None]:
    """The worst sample; None instead of it where a roll has none, or one that is no number."""
    seen: list[tuple[_Seen, RollRecord]] = []
    for roll in rolls:
        if roll.sample is None:
            note = f"roll {roll.number} was released without a sample"
            return Judgement(False, note=note, violated_s=_since([roll])), None
        try:
            found = quantity(roll.sample.values, roll.sample.uncertainties)
        except KeyError as error:
            note = f"the sample of roll {roll.number} does not tell {error.args[0]}"
            return Judgement(False, note=note, violated_s=_since([roll])), None
        if not isfinite(found.value):
            note = f"{found.words} in the sample of roll {roll.number}"
            return Judgement(False, note=note, violated_s=_since([roll])), None
        seen.append((found, roll))
    worst, roll = min(seen, key=lambda pair: pair[0].value)
    margin = claim.margin(worst.value)
    note = f"{worst.words}, roll {roll.number}, worst of {len(seen)}"
    bad = [roll for found, roll in seen if claim.margin(found.value) < 0]
    return Judgement(margin >= 0, worst.value, margin, worst.uncertainty, note, _since(bad)), worst


def _by_pieces(claim: Claim, wound: NDArray[np.void], quantity: Quantity) -> Judgement:
    seen = [quantity(row, {}) for row in wound]
    bad_s = [row["die_ns"] * 1e-9 for row, found in zip(wound, seen, strict=True) if not claim.margin(found.value) >= 0]
    violated_s = min(bad_s, default=None)
    place = min(range(len(seen)), key=lambda i: -inf if isnan(seen[i].value) else seen[i].value)
    worst, row = seen[place], wound[place]
    where = f"{worst.words}, roll {row['roll']} at {row['film_m']:.1f} m"
    if not isfinite(worst.value):
        return Judgement(False, note=where, violated_s=violated_s)
    margin = claim.margin(worst.value)
    return Judgement(margin >= 0, worst.value, margin, 0.0, f"{where}, worst of {len(seen)}", violated_s)


def _agreement(rolls: Iterable[RollRecord], wound: NDArray[np.void], worst: _Seen) -> bool | None:
    """Whether the laboratory reads on average what the pieces are that it measured; None if it measured none."""
    by_number = {int(row["piece"]): row for row in wound}
    apart = [
        worst.again(roll.sample.values) - worst.again(row)
        for roll in rolls
        if roll.sample is not None and (row := by_number.get(roll.sample.serial)) is not None
    ]
    return bool(abs(np.mean(apart)) <= worst.uncertainty) if apart else None


def _and(judged: Judgement, other: Judgement, rolls: Sequence[RollRecord]) -> Judgement:
    """Both must hold; the numbers are those of the first."""
    times = [seen.violated_s for seen in (judged, other) if seen.violated_s is not None]
    violated_s = min(times, default=None if other.passed else _since(rolls))
    return Judgement(
        judged.passed and other.passed,
        judged.value,
        judged.margin,
        judged.uncertainty,
        f"{judged.note}; {other.note}",
        violated_s,
    )


def _since(rolls: Iterable[RollRecord]) -> float | None:
    """Before this moment nothing of these rolls was in the line, s; None for no rolls."""
    return min((max(roll.begun_ns * 1e-9 - WAY_S[1], 0.0) for roll in rolls), default=None)


# ------------------------------------------------------------------ CLM-6: what was fed


def _share(percent: float) -> Judgement:
    passed = percent >= ELASTOMER_SHARE_LIMIT_PERCENT
    return Judgement(passed, note=f"elastomer at least {percent:.1f} % of the solids" + ("" if passed else ": none"))


def _fed(film: Film) -> Judgement:
    """The least share of elastomer in the solids from which released film can have been made."""
    names = [f"kneader_{component}_kg_h" for component in ("polyolefin", "elastomer")]
    if film.tags is None or any(name not in film.tags for name in names):
        return Judgement(False, note=f"not recorded: {', '.join(names)}")
    time_s = film.tags.time_s
    polyolefin, elastomer_ = (mean_over(FEED_MEAN_OVER_S, film.tags[name], time_s) for name in names)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 100.0 * elastomer_ / (polyolefin + elastomer_)
        feeding = polyolefin > FEEDING_KG_H
    rows = np.flatnonzero(feeding & _while_made(film, time_s))
    if not len(rows):
        return Judgement(False, note="no reading of the feeders from the time when this film was kneaded")
    least = int(rows[np.argmin(share[rows])])
    judged = _share(float(share[least]))
    fell = rows[share[rows] < ELASTOMER_SHARE_LIMIT_PERCENT]
    violated_s = max(float(time_s[fell[0]]) - FEED_MEAN_OVER_S, 0.0) if len(fell) else None
    return Judgement(judged.passed, note=f"{judged.note}, fed by {time_s[least]:.0f} s", violated_s=violated_s)


def _while_made(film: Film, time_s: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Samples at which anything of released rolls can have been fed; shape (rows,)."""
    shortest_s, longest_s = WAY_S
    made = np.zeros(len(time_s), bool)
    for roll in film.released:
        end_s = roll.ended_ns * 1e-9 if roll.ended_ns else inf
        made |= (time_s >= roll.begun_ns * 1e-9 - longest_s) & (time_s <= end_s - shortest_s)
    return made


# ------------------------------------------------------------------ CLM-7: what a separator is

RESIDUAL = "residual_solvent_percent"
"""The laboratory has no instrument for it; what the last bath holds is the least that is left in film."""
SHUTDOWN = "meltdown less shutdown"


def _worst_room(row: Row, uncertainties: Mapping[str, float]) -> _Seen:
    """The property that is nearest to its limit, or furthest beyond, in % of that limit."""
    in_a_row = isinstance(row, np.void)
    seen = [_seen_of(name, row, uncertainties) for name in (*SEPARATOR, SHUTDOWN) if name != RESIDUAL or in_a_row]
    return min(seen, key=lambda found: -inf if isnan(found.value) else found.value)


def _seen_of(name: str, row: Row, uncertainties: Mapping[str, float]) -> _Seen:
    limits, value = _limited(name, row)
    if name == SHUTDOWN:
        uncertainty = hypot(*(uncertainties.get(f"{which}_c", 0.0) for which in ("meltdown", "shutdown")))
        words = f"meltdown {value:.1f} K above shutdown"
    else:
        uncertainty = uncertainties.get(name, 0.0)
        words = f"{FILM_PROPERTIES[name].title.lower()} {FILM_PROPERTIES[name].text(value)}"

    def again(row: Row) -> float:
        return room_percent(*_limited(name, row))

    return _Seen(again(row), 100.0 * uncertainty / _nearest(limits, value), f"{words}, limit {limits}", again)


def _limited(name: str, row: Row) -> tuple[Target, float]:
    if name == SHUTDOWN:
        return SHUTDOWN_WINDOW_K, float(row["meltdown_c"] - row["shutdown_c"])
    return SEPARATOR[name], float(row[name])


def _nearest(limits: Target, value: float) -> float:
    """The limit that the room is counted from."""
    below = value / limits.low - 1.0 if isfinite(limits.low) else inf
    above = 1.0 - value / limits.high if isfinite(limits.high) else inf
    return limits.low if below < above else limits.high


def _residual_percent(film: Film) -> tuple[float, float, str] | str:
    """Least residual solvent in % of the film, with uncertainty and words; or what is missing.

    Film cannot leave a bath with less solvent in its pores than there is in the bath. As the sheet came it held the
    solvent that the feeders gave it.
    """
    tags = film.tags
    names = [f"kneader_{component}_kg_h" for component in ("polyolefin", "elastomer", "solvent")]
    baths = [] if tags is None else [channel.name for channel in tags.channels if _BATH in channel.name]
    known = [] if tags is None else [name for name in baths if not np.isnan(tags[name]).all()]
    if tags is None or not known or any(name not in tags for name in names):
        return f"not recorded: {', '.join([*names, 'the solvent in the baths'])}"
    time_s = tags.time_s
    polyolefin, elastomer_, solvent = (tags[name][_while_made(film, time_s)] for name in names)
    feeding = polyolefin > FEEDING_KG_H
    washing = np.zeros(len(time_s), bool)
    for roll in film.released:
        end_s = roll.ended_ns * 1e-9 if roll.ended_ns else inf
        washing |= (time_s >= roll.begun_ns * 1e-9 - BATH_WAY_S) & (time_s <= end_s)
    bath = mean_over(BATH_MEAN_OVER_S, tags[known[-1]], time_s)[washing]
    if not feeding.any() or np.isnan(bath).all():
        return "no reading of feeders and baths from the time when this film was made"
    per_solids = float(solvent[feeding].sum() / (polyolefin[feeding] + elastomer_[feeding]).sum())
    most = float(np.nanmax(bath))
    percent, uncertainty = _of_film(most, per_solids), _of_film(BATH_PERCENT, per_solids)
    words = f"residual solvent at least {percent:.2f} %, by {most:.2f} % in the last bath, limit {SEPARATOR[RESIDUAL]}"
    return percent, uncertainty, words


_BATH = "_solvent_percent"


def _of_film(bath_percent: float, solvent_per_solids: float) -> float:
    left = bath_percent / 100.0 * solvent_per_solids
    return 100.0 * left / (1.0 + left)
