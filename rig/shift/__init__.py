"""A production shift on the virtual line: run it, keep what became of every piece of sheet, leave a roll map.

`run_shift(plan)` runs it; `write_shift(shift, folder)` leaves the files that `press-rig trace` reads. docs/line.md
"""

from rig.shift.files import LATEST, ROLLS_FILE, write_shift
from rig.shift.run import Shift, ShiftPlan, run_shift

__all__ = ["LATEST", "ROLLS_FILE", "Shift", "ShiftPlan", "run_shift", "write_shift"]
