"""Looking for what breaks a controller: scenarios drawn, steered, played, and shrunk to the smallest that shows it."""

from rig.search.hunt import Budget, Finding, Hunt, Progress

__all__ = ["Budget", "Finding", "Hunt", "Progress"]
