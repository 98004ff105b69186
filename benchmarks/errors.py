"""What can go wrong with a measurement."""

from __future__ import annotations

__all__ = ["Unable"]


class Unable(Exception):
    """This machine cannot measure an entry; the message says why."""
