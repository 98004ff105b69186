"""Set points of the stations, all of them worked out from the product, and what they are told to do in each state.

| state | kneader and haul-off | oven, baths, dryer, clip oven | web behind the press |
| --- | --- | --- | --- |
| idle | off | off | stands |
| heat | barrel heats | heat | stands |
| fill | run; the store fills | hot | stands |
| thread | run | hot | stands until there is good sheet; goes on after a hold |
| produce | run, as fast as the press | hot | runs as soon as the loop is filled |
| hold | creep with the press | hot | creeps |
| run_out | off | hot | runs |
| clear | off | hot | is cut before the stations, which run empty |
| cure | off | off | stands |
| fault, emergency_stop | off | off | stands |

The curing room goes on in all states: rolls are in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rig.controller.api import Value
from rig.controller.line.states import LineState
from rig.products import Product

__all__ = ["CASTS", "HOT", "WEB_RUNS", "Web", "commands", "cure", "oven_zones_c", "settings"]

ZONES = 3
COLD_C = 20.0
HOT = (
    LineState.HEAT,
    LineState.FILL,
    LineState.THREAD,
    LineState.PRODUCE,
    LineState.HOLD,
    LineState.RUN_OUT,
    LineState.CLEAR,
)
"""States in which the stations behind the press are to be hot."""
CASTS = (LineState.FILL, LineState.THREAD, LineState.PRODUCE, LineState.HOLD)
"""States in which sheet is made."""
WEB_RUNS = (LineState.THREAD, LineState.PRODUCE, LineState.HOLD, LineState.RUN_OUT, LineState.CLEAR)
"""States in which the web behind the press may run."""


def oven_zones_c(product: Product) -> tuple[float, ...]:
    """Air of the zones in which the sheet runs free: the soaks of the product, each over its part of the oven."""
    soaks = product.stretching.preheat
    total_s = sum(soak.seconds for soak in soaks)
    zones = []
    for zone in range(ZONES):
        middle_s = (zone + 0.5) / ZONES * total_s
        for soak in soaks:
            middle_s -= soak.seconds
            if middle_s <= 0.0:
                break
        zones.append(soak.temperature_c)
    return tuple(zones)


def cure(product: Product) -> tuple[float, int]:
    """Temperature of the curing room, °C, and how long a roll stands in it, s; 0 where rolls do not go there.

    The room has one temperature for all rolls in it: several soaks become the hottest, for as long as all together.
    """
    soaks = product.heat_treatment.crosslinking
    hottest_c = max((soak.temperature_c for soak in soaks), default=COLD_C)
    return hottest_c, round(sum(soak.seconds for soak in soaks))


@dataclass(frozen=True, slots=True)
class Web:
    """What the web is to do.

    Attributes:
        speed_m_min: of the press, and of the web behind it.
        cast_m_min: of the haul-off, which comes after.
        feed_part: of the feeders, of what the sheet takes at the product's speed.
        store_follows: the dancer before the press trims the haul-off.
        thread_store, thread_tail: people lead the web through.
        tail_runs: the drive behind the press.
        cut: people cut the web behind the press.
        doff: the roll is taken off.
    """

    speed_m_min: float = 0.0
    cast_m_min: float = 0.0
    feed_part: float = 0.0
    store_follows: bool = False
    thread_store: bool = False
    thread_tail: bool = False
    tail_runs: bool = False
    cut: bool = False
    doff: bool = False


def settings(product: Product, roll_length_m: float) -> Mapping[str, Value]:
    """What stays as it is for the whole shift.

    Args:
        product: what to make.
        roll_length_m: of film on a full roll; 0 for what the winder is built for.
    """
    zones_c = oven_zones_c(product)
    room_c, cure_s = cure(product)
    return {
        "caster_coolant_setpoint_c": product.casting.quench_temperature_c,
        **{f"stretcher_zone_{i + 1}_air_setpoint_c": air_c for i, air_c in enumerate(zones_c)},
        "stretcher_draw_air_setpoint_c": product.stretching.temperature_c,
        "stretcher_ratio_md_setpoint": product.stretching.ratio_md,
        "stretcher_ratio_td_setpoint": product.stretching.ratio_td,
        "desolvator_bath_setpoint_c": product.desolvation.bath_temperature_c,
        "desolvator_dryer_air_setpoint_c": product.desolvation.dryer_temperature_c,
        "heat_setter_air_setpoint_c": product.heat_treatment.set_temperature_c,
        "winder_roll_length_setpoint_m": roll_length_m,
        "winder_cure_setpoint_c": room_c,
        "winder_cure_time_s": cure_s,
        "winder_heat": cure_s > 0,
    }


def commands(product: Product, state: LineState, web: Web) -> dict[str, Value]:
    """What the state and the web want of the stations."""
    hot, casts = state in HOT, state in CASTS
    feeds = product.feeds_kg_h if casts else dict.fromkeys(product.feeds_kg_h, 0.0)
    runs = web.tail_runs and state in WEB_RUNS
    return {
        **{f"kneader_{name}_setpoint_kg_h": round(kg_h * web.feed_part, 3) for name, kg_h in feeds.items()},
        "kneader_barrel_setpoint_c": product.kneading.barrel_temperature_c if hot else COLD_C,
        "kneader_screw_setpoint_rpm": product.kneading.screw_speed_rpm if casts else 0.0,
        "kneader_run": casts,
        "caster_speed_setpoint_m_min": web.cast_m_min if casts else 0.0,
        "caster_run": casts,
        "caster_follow": casts and web.store_follows,
        "caster_thread": casts and web.thread_store,
        "tail_speed_setpoint_m_min": web.speed_m_min if runs else 0.0,
        "tail_run": runs,
        "tail_follow": runs and state is not LineState.CLEAR,
        "tail_thread": web.thread_tail,
        "tail_cut": web.cut,
        "stretcher_heat": hot,
        "desolvator_flow_setpoint_l_min": product.desolvation.extractant_flow_l_min if hot else 0.0,
        "desolvator_heat": hot,
        "heat_setter_heat": hot,
        "winder_doff": web.doff,
    }
