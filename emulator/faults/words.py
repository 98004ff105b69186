"""The catalogue as JSON and people's tables have it: faults of the press and of the wire alike."""

from __future__ import annotations

import dataclasses
from typing import Any

from emulator.faults.catalogue import CATALOGUE
from emulator.faults.kinds import Kind
from emulator.faults.places import PLACES
from emulator.wire.faults import KINDS as WIRE_KINDS

__all__ = ["described_kinds"]


def described_kinds() -> dict[str, dict[str, Any]]:
    """Everything that can be injected, by name.

    Every kind has `group` and `meaning`, and `amount` (empty if there is none to choose) with `usual`, `low` and
    `high`. Kinds of the press have `unit`, `targets`, `places` (names of them, empty where they are the press's tags),
    `onsets`, `reversible`, `noticed_when` and `noticed_by`; kinds of the wire `directions` and `needs_unit`.
    """
    press = {name: _of_press(kind) for name, kind in CATALOGUE.items()}
    return press | {name: {"group": "wire"} | dataclasses.asdict(kind) for name, kind in WIRE_KINDS.items()}


def _of_press(kind: Kind) -> dict[str, Any]:
    amount, places = kind.amount, PLACES.get(kind.targets)
    chosen = {} if amount is None else {name: getattr(amount, name) for name in ("unit", "usual", "low", "high")}
    return {
        "group": kind.group,
        "meaning": kind.effect,
        "targets": kind.targets,
        "places": [] if places is None else list(places.names),
        "amount": "" if amount is None else amount.meaning,
        **chosen,
        "onsets": list(kind.onsets),
        "reversible": kind.reversible,
        "noticed_when": kind.noticed_when,
        "noticed_by": list(kind.noticed_by),
    }
