"""The line controller: the press controller, and the stations around it.

LineController      `scan(inputs, now_ns) -> outputs` for press and stations; `rolls()`, `quality()`, `lots`, `state`
LineState, …        its states and what leads from one to the next, as a table
LineFacts           what it knows of the line
"""

from rig.controller.line.controller import LineController
from rig.controller.line.facts import LineFacts, load_line_facts
from rig.controller.line.states import TRANSITIONS, LineEvent, LineState

__all__ = ["TRANSITIONS", "LineController", "LineEvent", "LineFacts", "LineState", "load_line_facts"]
