"""The press from the side, drawn from its geometry: what a run looked like at one moment.

Lengths along the press are to scale (the drums stand further out, so that they hide nothing), thickness
and clearance are drawn much larger (the picture says how much). Zones, drums, belts and sheet have the
colour of their temperature. The SVG stands alone, so a README can show it, and follows the reader's
light or dark page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray

from rig.report.colours import TEMPERATURE_STOPS, ink_on, temperature_colour
from rig.report.geometry import PressGeometry, Zone
from rig.report.svg import arrow_arc, bracket, gradient, label

__all__ = ["PressView", "press_picture"]

Floats = NDArray[np.float64]

WIDTH, TOP, HEIGHT = 1200.0, 34.0, 508.0
PX_PER_M = 182.0
PX_PER_MM = 13.5
LEFT_M = -1.0  # left edge of the picture
NIP_Y = 262.0  # where the middle of the sheet runs
PLATE_HEIGHT = 40.0
BELT_PX = 3.6
EDGE = 12.0
UNKNOWN = "#9aa5b0"


@dataclass(frozen=True, slots=True)
class PressView:
    """What the picture shows.

    Attributes:
        zone_c: plate temperature in °C by zone and side (`heat_1_upper`); a missing one is grey.
        drum_c: shell temperature in °C by drum (`entry_drum_upper`).
        clearance_mm: at the entry, the taper's end and the cold section.
        force_kn: line force of the entry, taper-end and cold groups, both sides together.
        thickness_mm: of the sheet by place, as two arrays: x in m (rising), thickness in mm. Empty
            arrays: no sheet.
        sheet_c: temperature of the sheet by place: x in m (rising), °C.
        belt_c: temperature of the belts where they touch the sheet: x in m (rising), °C.
        speed_m_min: of the belts.
    """

    zone_c: Mapping[str, float] = field(default_factory=dict)
    drum_c: Mapping[str, float] = field(default_factory=dict)
    clearance_mm: tuple[float, float, float] = (3.2, 0.6, 0.6)
    force_kn: tuple[float, float, float] | None = None
    thickness_mm: tuple[Floats, Floats] = field(default_factory=lambda: (np.empty(0), np.empty(0)))
    sheet_c: tuple[Floats, Floats] = field(default_factory=lambda: (np.empty(0), np.empty(0)))
    belt_c: tuple[Floats, Floats] = field(default_factory=lambda: (np.empty(0), np.empty(0)))
    speed_m_min: float | None = None


def press_picture(geometry: PressGeometry, view: PressView, *, description: str = "") -> str:
    """Draw the press.

    Args:
        geometry: of the press.
        view: what to show.
        description: for people who cannot see it.

    Returns:
        One `<svg>` element; written to a file it is a picture of its own.
    """
    drawing = _Drawing(geometry, view)
    title = description or "Side view of the double-belt press"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="press-picture" role="img" '
        f'aria-label="{escape(title)}" viewBox="0 {TOP:g} {WIDTH:g} {HEIGHT:g}">'
        f"{_STYLE}{drawing.defs()}{drawing.body()}</svg>"
    )


_STYLE = (
    "<style>"
    ".press-picture{--p-ink:#1b2733;--p-soft:#5d6c7b;--p-line:#c8d0d8;--p-steel:#aab5bf;--p-frame:#e9edf1;"
    "--p-roller:#8d9aa6;--p-edge:#6c7a87;font-family:system-ui,-apple-system,'Segoe UI',Roboto,"
    "'DejaVu Sans',sans-serif}"
    "@media (prefers-color-scheme:dark){.press-picture{--p-ink:#e8edf2;--p-soft:#9fb0c0;--p-line:#3a4754;"
    "--p-steel:#7c8994;--p-frame:#1d2732;--p-roller:#91a0ad;--p-edge:#b5c1cc}}"
    ".press-picture text{fill:var(--p-ink);font-size:13px}"
    ".press-picture .soft{fill:var(--p-soft);font-size:12px}"
    ".press-picture .strong{font-weight:650}"
    ".press-picture .thin{stroke:var(--p-soft);stroke-width:1;fill:none}"
    "</style>"
)


class _Drawing:
    """Places everything; y grows downwards, the upper half is mirrored for the lower one."""

    def __init__(self, geometry: PressGeometry, view: PressView) -> None:
        self.g, self.view = geometry, view
        self.radius = geometry.drum_diameter_m / 2 * PX_PER_M
        # no nearer than the plates allow: the picture shows the drums beside what they would hide
        clear_m = geometry.drum_diameter_m / 2 + 0.04
        self.drum_in_m = min(-geometry.lead_in_length_m, geometry.entry_length_m - clear_m)
        self.drum_out_m = max(geometry.exit_m + geometry.lead_out_length_m, geometry.exit_m + clear_m)
        self.drum_in_x, self.drum_out_x = self.x(self.drum_in_m), self.x(self.drum_out_m)
        entry, taper, cold = view.clearance_mm
        self.gap_x = (0.0, geometry.taper_end_m, geometry.heat_end_m, geometry.exit_m)
        self.gap_mm = (entry, taper, taper, cold)

    # -------------------------------------------------------------- coordinates

    def x(self, x_m: float) -> float:
        return (x_m - LEFT_M) * PX_PER_M

    def gap_px(self, x_m: float) -> float:
        """Half of the clearance at a place, in pixels."""
        return float(np.interp(x_m, self.gap_x, self.gap_mm)) * PX_PER_MM / 2

    # -------------------------------------------------------------- parts

    def defs(self) -> str:
        belt = gradient("p-belt", self.drum_in_x, self.drum_out_x, self._stops(self.view.belt_c))
        xs, values = self.view.sheet_c
        if len(xs) and len(self.view.thickness_mm[0]):
            low, high = float(self.view.thickness_mm[0][0]), float(self.view.thickness_mm[0][-1])
            sheet = gradient("p-sheet", self.x(low), self.x(high), self._stops((xs, values)))
        else:
            sheet = ""
        scale = gradient("p-scale", 0, 1, [((c - 5) / 145, colour) for c, colour in TEMPERATURE_STOPS], of_object=True)
        shine = (
            '<radialGradient id="p-shine" cx="0.36" cy="0.30" r="0.85"><stop offset="0" stop-color="#fff" '
            'stop-opacity="0.42"/><stop offset="0.55" stop-color="#fff" stop-opacity="0"/><stop offset="1" '
            'stop-color="#000" stop-opacity="0.22"/></radialGradient>'
        )
        come_c, left_c = self._ends(self.view.belt_c)
        wraps = "".join(
            f'<linearGradient id="p-wrap-{side}" x1="0" x2="0" y1="{start}" y2="{end}"><stop offset="0" '
            f'stop-color="{left_c}"/><stop offset="1" stop-color="{come_c}"/></linearGradient>'
            for side, start, end in (("upper", 0, 1), ("lower", 1, 0))
        )
        return f"<defs>{belt}{wraps}{sheet}{scale}{shine}</defs>"

    def body(self) -> str:
        parts = [
            self._loop_fill(-1),
            self._loop_fill(+1),
            *self._clearances(),
            *self._half(-1),
            *self._half(+1),
            self._sheet(),
            *self._sheet_labels(),
            *self._sections(),
            *self._forces(),
            *self._speed(),
            *self._scale(),
        ]
        return "".join(parts)

    def _half(self, sign: int) -> Iterable[str]:
        """One belt with its drums, plates and rollers; sign -1 is the upper half."""
        side = "upper" if sign < 0 else "lower"
        for zone in self.g.zones:
            yield self._plate(zone, side, sign)
        yield self._rollers(sign)
        for name, drum_x in (("entry_drum", self.drum_in_x), ("exit_drum", self.drum_out_x)):
            yield self._drum(f"{name}_{side}", drum_x, self._drum_y(drum_x, sign), sign)
        yield self._belt(sign)

    def _drum_y(self, drum_x: float, sign: int) -> float:
        gap = self.gap_px(0.0) if drum_x == self.drum_in_x else self.gap_px(self.g.exit_m)
        return NIP_Y + sign * (gap + BELT_PX / 2 + self.radius)

    def _belt_points(self, sign: int) -> Sequence[tuple[float, float]]:
        """Along the nip, from the entry drum to the exit drum."""
        places = [self.drum_in_m, *self.gap_x, self.drum_out_m]
        return [(self.x(place), NIP_Y + sign * (self.gap_px(place) + BELT_PX / 2)) for place in places]

    def _belt(self, sign: int) -> str:
        """The closed loop: coloured by place along the nip, then as it left it until the entry drum."""
        points = self._belt_points(sign)
        (first_x, first_y), (last_x, last_y) = points[0], points[-1]
        far_in, far_out = (self._drum_y(x, sign) + sign * self.radius for x in (self.drum_in_x, self.drum_out_x))
        # a trifle too small, so that it is drawn as exactly half a circle
        arc = f"A{self.radius - 0.2:.2f},{self.radius - 0.2:.2f} 0 0 {int(sign > 0)}"
        nip = "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
        back = f"M{last_x:.1f},{last_y:.1f} {arc} {last_x:.1f},{far_out:.1f} L{first_x:.1f},{far_in:.1f}"
        wrap = f"M{first_x:.1f},{far_in:.1f} {arc} {first_x:.1f},{first_y:.1f}"
        _, left_c = self._ends(self.view.belt_c)
        loop = f"{nip} {back[back.index('A') :]} {wrap[wrap.index('A') :]} Z"
        strokes = [
            (loop, "var(--p-edge)", BELT_PX + 1.6),
            (back, left_c, BELT_PX),
            (wrap, f"url(#p-wrap-{'upper' if sign < 0 else 'lower'})", BELT_PX),
            (nip, "url(#p-belt)", BELT_PX),
        ]
        return "".join(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"/>'
            for path, colour, width in strokes
        )

    def _loop_fill(self, sign: int) -> str:
        """What lies inside the loop: the frame of the press."""
        nip = self._belt_points(sign)
        far = [(x, self._drum_y(x, sign) + sign * self.radius) for x in (self.drum_out_x, self.drum_in_x)]
        outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*nip, *far])
        return f'<polygon points="{outline}" fill="var(--p-frame)"/>'

    def _ends(self, curve: tuple[Floats, Floats]) -> tuple[str, str]:
        """Colours at both ends of a curve of temperatures."""
        known = curve[1][np.isfinite(curve[1])]
        return (temperature_colour(known[0]), temperature_colour(known[-1])) if len(known) else (UNKNOWN, UNKNOWN)

    def _plate(self, zone: Zone, side: str, sign: int) -> str:
        known = self.view.zone_c.get(f"{zone.name}_{side}", math.nan)
        colour = temperature_colour(known) if math.isfinite(known) else UNKNOWN
        left, right = self.x(zone.start_m) + 1.5, self.x(zone.end_m) - 1.5
        stand_off = BELT_PX + 2 * self.g.roller_diameter_m / 2 * PX_PER_M + 3
        near = [NIP_Y + sign * (self.gap_px(place) + stand_off) for place in (zone.start_m, zone.end_m)]
        bend = self.g.taper_end_m
        points = [(left, near[0])]
        if zone.start_m < bend < zone.end_m:
            points.append((self.x(bend), NIP_Y + sign * (self.gap_px(bend) + stand_off)))
        points += [
            (right, near[1]),
            (right, near[1] + sign * PLATE_HEIGHT),
            (left, near[0] + sign * PLATE_HEIGHT),
        ]
        outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        middle = (near[0] + near[1]) / 2 + sign * PLATE_HEIGHT / 2 + 5
        value = f"{known:.0f} °C" if math.isfinite(known) else "?"
        title = zone.name.replace("_", " ")
        ink = ink_on(colour)
        return (
            f'<polygon points="{outline}" fill="{colour}" stroke="{colour}" stroke-width="3" '
            'stroke-linejoin="round"/>'
            f'<text x="{(left + right) / 2:.1f}" y="{middle:.1f}" text-anchor="middle" class="strong" '
            f'style="fill:{ink};font-size:15px">{value}</text>'
        ) + (label((left + right) / 2, near[0] - PLATE_HEIGHT - 7, title, "middle", "soft") if sign < 0 else "")

    def _rollers(self, sign: int) -> str:
        radius = self.g.roller_diameter_m / 2 * PX_PER_M
        count = int(self.g.exit_m / self.g.roller_pitch_m + 1e-9) + 1
        circles = []
        for number in range(count):
            place = number * self.g.roller_pitch_m
            y = NIP_Y + sign * (self.gap_px(place) + BELT_PX + radius + 0.6)
            circles.append(f'<circle cx="{self.x(place):.1f}" cy="{y:.1f}" r="{radius:.2f}"/>')
        return f'<g fill="var(--p-roller)" stroke="var(--p-edge)" stroke-width="0.6">{"".join(circles)}</g>'

    def _drum(self, name: str, x: float, y: float, sign: int) -> str:
        known = self.view.drum_c.get(name, math.nan)
        colour = temperature_colour(known) if math.isfinite(known) else UNKNOWN
        shell = self.radius - BELT_PX / 2 - 0.5
        value = f"{known:.0f} °C" if math.isfinite(known) else ""
        title = name.rsplit("_", 1)[0].replace("_", " ")
        return (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{shell:.1f}" fill="{colour}"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{shell * 0.80:.1f}" fill="var(--p-steel)"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{shell:.1f}" fill="url(#p-shine)"/>'
            f'<text x="{x:.1f}" y="{y - 2:.1f}" text-anchor="middle" style="fill:#16202b">{title}</text>'
            f'<text x="{x:.1f}" y="{y + 17:.1f}" text-anchor="middle" class="strong" '
            f'style="fill:#16202b;font-size:15px">{value}</text>' + arrow_arc(x, y, shell * 0.62, clockwise=sign > 0)
        )

    def _sheet(self) -> str:
        places, thickness = self.view.thickness_mm
        known = np.isfinite(thickness)
        if not known.any():
            return ""
        places, thickness = places[known], thickness[known]
        # up to the edges of the picture, by not more points than it can show
        edges = (LEFT_M, LEFT_M + (WIDTH - EDGE) / PX_PER_M)
        inside = places[(places > edges[0]) & (places < edges[1])]
        ends = np.clip(np.array(edges), places[0], places[-1])
        shown = np.unique(np.concatenate([ends, inside[:: max(1, len(inside) // 400)]]))
        half = np.interp(shown, places, thickness) * PX_PER_MM / 2
        outline = [f"{self.x(x):.1f},{NIP_Y - y:.2f}" for x, y in zip(shown, half, strict=True)]
        outline += [f"{self.x(x):.1f},{NIP_Y + y:.2f}" for x, y in zip(shown[::-1], half[::-1], strict=True)]
        fill = "url(#p-sheet)" if len(self.view.sheet_c[0]) else "#e9d8a6"
        return (
            f'<polygon points="{" ".join(outline)}" fill="{fill}" stroke="var(--p-edge)" '
            'stroke-width="0.8" stroke-linejoin="round"/>'
        )

    # -------------------------------------------------------------- words

    def _sections(self) -> Iterable[str]:
        y = NIP_Y - self.gap_px(0) - 2 * self.radius - 30
        yield bracket(self.x(self.g.entry_length_m) + 2, self.x(self.g.heat_end_m) - 2, y, "heat rolling")
        yield bracket(self.x(self.g.heat_end_m) + 2, self.x(self.g.exit_m) - 2, y, "cold pressing")

    def _clearances(self) -> Iterable[str]:
        """Where the clearance is set, led out below the press."""
        below = NIP_Y + self.gap_px(0) + 2 * self.radius + 20
        places = (0.0, self.g.taper_end_m, self.g.exit_m)
        words = ("entry clearance", "end of the taper", "release")
        for place, value, word in zip(places, self.view.clearance_mm, words, strict=True):
            x = self.x(place)
            yield f'<path class="thin" stroke-dasharray="2 3" d="M{x:.1f},{NIP_Y:.1f} V{below:.1f}"/>'
            yield label(x, below + 16, f"{value:.2f} mm", "middle", "strong")
            yield label(x, below + 32, f"{word}, {place:g} m", "middle", "soft")

    def _sheet_labels(self) -> Iterable[str]:
        places, thickness = self.view.thickness_mm
        known = [row for row in range(len(places)) if math.isfinite(thickness[row])]
        if not known:
            return
        first, last = known[0], known[-1]
        yield label(EDGE, NIP_Y + thickness[first] * PX_PER_MM / 2 + 18, "sheet", "start", "soft")
        yield label(
            EDGE,
            NIP_Y + thickness[first] * PX_PER_MM / 2 + 35,
            f"{thickness[first]:.2f} mm",
            "start",
            "strong",
        )
        if places[last] > self.g.exit_m + 0.02:
            yield label(WIDTH - EDGE, NIP_Y + 28, "film", "end", "soft")
            yield label(WIDTH - EDGE, NIP_Y + 45, f"{thickness[last]:.2f} mm", "end", "strong")

    def _speed(self) -> Iterable[str]:
        if self.view.speed_m_min is None:
            return
        x = self.x((self.g.taper_end_m + self.g.exit_m) / 2)
        y = NIP_Y + self.gap_px(0) + self.radius * 1.32
        yield label(x, y, f"belts {self.view.speed_m_min:.2f} m/min  →", "middle", "strong")

    def _forces(self) -> Iterable[str]:
        if self.view.force_kn is None:
            return
        stations = self.g.stations
        y = NIP_Y - self.gap_px(0) - self.radius * 1.62
        places = (stations.entry_m, stations.taper_end_m, stations.cold_m)
        for place, force in zip(places, self.view.force_kn, strict=True):
            if not math.isfinite(force):
                continue
            x = self.x(place)
            tip = y + 26
            yield (
                f'<path d="M{x:.1f},{y:.1f} V{tip - 7:.1f}" stroke="var(--p-ink)" stroke-width="2.2"/>'
                f'<path d="M{x - 5:.1f},{tip - 9:.1f} h10 L{x:.1f},{tip:.1f} Z" fill="var(--p-ink)"/>'
            )
            yield label(x + 9, y + 13, f"{force:.0f} kN", "start", "strong")

    def _scale(self) -> Iterable[str]:
        y, left, width = 508.0, self.x(0.55), 290.0
        yield f'<rect x="{left:.1f}" y="{y}" width="{width}" height="9" rx="4.5" fill="url(#p-scale)"/>'
        for temperature in (5, 25, 60, 95, 120, 150):
            x = left + width * (temperature - 5) / 145
            yield label(x, y + 24, f"{temperature}", "middle", "soft")
        yield label(left + width + 16, y + 9, "°C", "start", "soft")
        enlarged = PX_PER_MM * 1000 / PX_PER_M
        note = f"lengths to scale, thickness and clearance {enlarged:.0f} × enlarged"
        yield label(left + width + 50, y + 9, note, "start", "soft")

    def _stops(self, curve: tuple[Floats, Floats]) -> list[tuple[float, str]]:
        places, values = curve
        known = np.isfinite(values)
        if not known.any():
            return [(0.0, UNKNOWN), (1.0, UNKNOWN)]
        if curve is self.view.belt_c:
            low, high = self.drum_in_m, self.drum_out_m
        else:
            low, high = float(self.view.thickness_mm[0][0]), float(self.view.thickness_mm[0][-1])
        offsets = np.linspace(0.0, 1.0, 49)
        shown = np.interp(low + offsets * (high - low), places[known], values[known])
        return [(float(offset), temperature_colour(float(value))) for offset, value in zip(offsets, shown, strict=True)]
