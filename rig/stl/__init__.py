"""Signal temporal logic: formulas about a recording, and how far it is from breaking them.

parse(text)                  a formula from text (`rig.stl.syntax` has the language)
Trace                        the signals that a formula is about, by name
Judge(trace).margins(formula)  the same for many formulas on one trace
robustness(formula, trace)   how far each moment is from violation, as an interval where the future is not known

The semantics are the quantitative ones of Donze and Maler (FORMATS 2010), on the samples of a trace; what the end of a
trace leaves open is bounded as by Deshmukh et al. (Formal Methods in System Design 51, 2017).
"""

from rig.stl.formula import Formula
from rig.stl.robustness import Interval, Judge, robustness
from rig.stl.syntax import FormulaError, parse
from rig.stl.trace import Trace, trace_of

__all__ = ["Formula", "FormulaError", "Interval", "Judge", "Trace", "parse", "robustness", "trace_of"]
