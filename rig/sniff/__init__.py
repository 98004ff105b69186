"""The passive listener: whatever is said on a Modbus RTU line, live or from a recording, in words.

source   where the bytes come from, with their times; never sends
decode   exchanges, damaged frames and stray answers out of them (`rig.protocol.Listener`)
meaning  what a request and its answer say: tags of the register map, names of functions and exceptions
choose   which of it is wanted
statistics   counts, answer times, load of the line
show     lines for people, JSON for programs
session  the whole run, from the options to the exit code
"""

from rig.sniff.session import SniffOptions, sniff

__all__ = ["SniffOptions", "sniff"]
