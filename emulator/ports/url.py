"""What can stand in an `emu://` URL: the fields of `WorldConfig`, as a query, or a snapshot.

emu://?start=warm&seed=7
emu://line?start=running            the press with the reference line around it
emu://?snapshot=out/hil/latest/film.snapshot

Behind a `#` may stand under which name the port is looked for: `emu://#ttyUSB0`, `emu://?start=warm#ttyUSB*`.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from serial import SerialException

from rig.protocol.timing import FASTEST_BAUD, SLOWEST_BAUD

if TYPE_CHECKING:
    from emulator.world import WorldConfig

__all__ = ["UrlError", "device_in", "is_same_press", "parse_url", "snapshot_in"]

DEVICE_PATTERN = re.compile(r"[A-Za-z0-9._*?\[\]-]{1,64}", re.ASCII)

LINE = "line"
"""The one place that there is: the press with a line around it."""
WHOLE_NUMBERS = {"seed": (0, 10**18 - 1), "baud": (SLOWEST_BAUD, FASTEST_BAUD)}
"""Parameters that are numbers, and the smallest and largest that make sense."""


class UrlError(SerialException, ValueError):
    """An `emu://` URL that cannot be; the message says what is wrong and what is known."""


def device_in(url: str) -> str:
    """Name, or pattern of names, under which an `emu://` URL looks for its device; empty if any will do."""
    return urlsplit(url).fragment


def is_same_press(url: str, other: str | None) -> bool:
    """Whether two URLs name the same press, whatever they call its device."""
    return other is not None and urlsplit(url)._replace(fragment="") == urlsplit(other)._replace(fragment="")


def snapshot_in(url: str) -> str | None:
    """Path of the snapshot that an `emu://` URL names; None if it names none.

    Raises:
        UrlError: it asks for something else as well: a snapshot is what it is.
    """
    parts = urlsplit(url)
    query = dict(_pairs(parts.query))
    if parts.scheme != "emu" or "snapshot" not in query:
        return None
    if len(query) > 1 or parts.netloc or parts.path:
        others = ", ".join(name for name in query if name != "snapshot") or parts.netloc + parts.path
        raise UrlError(f"{url!r}: a snapshot says everything about its press; leave out {others}")
    if not query["snapshot"]:
        raise UrlError(f"{url!r}: parameter 'snapshot' has no value; give the path of a snapshot")
    return query["snapshot"]


def _pairs(query: str, *, strict: bool = False) -> list[tuple[str, str]]:
    """Parameters of a query; a plus is a plus, as in `adapter=ideal+echo`, and no space as in web forms."""
    return parse_qsl(query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=strict)


def parse_url(url: str) -> WorldConfig:
    """Read an `emu://` URL.

    Raises:
        UrlError: another scheme, a host or path other than `line`, an unknown, repeated or malformed parameter.
    """
    from emulator.world import WorldConfig  # noqa: PLC0415 - a closed port needs no world

    known = [field.name for field in dataclasses.fields(WorldConfig)]

    def wrong(what: str) -> UrlError:
        return UrlError(f"{url!r}: {what}; expected emu:// with any of ?{'=…&'.join(known)}=…, or ?snapshot=PATH")

    try:
        parts = urlsplit(url)
        pairs = _pairs(parts.query, strict=True) if parts.query else []
    except ValueError as error:
        raise wrong(f"malformed query ({error})") from None
    if parts.scheme != "emu":
        raise wrong(f"the scheme is {parts.scheme!r}")
    place = parts.netloc + parts.path
    if place not in ("", LINE):
        raise wrong(f"{place!r} names a place, and a virtual press has none (but emu://{LINE}: the line around it)")
    if parts.fragment and not DEVICE_PATTERN.fullmatch(parts.fragment):
        raise wrong(
            f"{'#' + parts.fragment!r} is no name of a device, or pattern of names, such as #ttyUSB0 or #ttyUSB*"
        )
    values: dict[str, str | int] = {}
    for name, text in pairs:
        if name not in known:
            raise wrong(f"parameter {name!r} is unknown")
        if name in values:
            raise wrong(f"parameter {name!r} is there twice")
        if not text:
            raise wrong(f"parameter {name!r} has no value")
        values[name] = text
        if name in WHOLE_NUMBERS:
            least, most = WHOLE_NUMBERS[name]
            if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
                raise wrong(f"{name} is {text!r}, which is not a whole number from {least} to {most:,}")
            values[name] = int(text)
    if place == LINE:
        values.setdefault("line", "reference")
    if "line" in values and values.get("node") != "firmware":
        values.setdefault("wiring", "line")  # its stations have nodes
    try:
        # which of them are numbers is checked above
        return WorldConfig(**values)  # type: ignore[arg-type]
    except ValueError as error:
        raise wrong(str(error)) from error
