"""The operating window of a press: its outcomes over two settings, with the limits of the claims.

`make_plan` says what to compute, `compute` does it on all cores, `write_map` and `draw_map` keep the result, and
`read_map` reads it again. `press-rig explore` is these four.
"""

from rig.explore.data import OperatingMap, read_map, write_map
from rig.explore.plan import Plan, make_plan
from rig.explore.plot import draw_map
from rig.explore.sweep import compute
from rig.explore.variables import VARIABLES, Axis, Variable, parse_axis, parse_setting

__all__ = [
    "VARIABLES",
    "Axis",
    "OperatingMap",
    "Plan",
    "Variable",
    "compute",
    "draw_map",
    "make_plan",
    "parse_axis",
    "parse_setting",
    "read_map",
    "write_map",
]
