"""The command that listens: `press-rig sniff`."""

from __future__ import annotations

import argparse

from rig.cli_snapshot import baudrate, positive, positive_int

__all__ = ["add_sniff"]

Commands = argparse._SubParsersAction  # the type that add_subparsers returns has no public name

EXAMPLES = """\
examples:
  press-rig sniff out/hil/latest/NAME.pcapng              what was said in a run of the HIL suite
  press-rig sniff run.pcapng --summary                    only counts, answer times, bus load
  press-rig sniff run.pcapng --tags '*_temperature_c' --changes
  press-rig sniff run.pcapng --function 16 --raw          what was written, with the bytes
  press-rig sniff /dev/ttyUSB0 --baudrate 19200 --parity E --stopbits 1
  press-rig sniff /dev/ttyUSB0 --seconds 60 --json | jq 'select(.type == "exchange") | .delay_ms'
  press-rig sniff dump.hex                                bytes as hexadecimal digits, or as they are

Nothing is ever sent. A port needs an adapter of its own on the same pair of wires: two programs on one port take
the bytes away from one another. Ctrl-C ends and sums up.

A tag that was written stands with `:=`. Units and registers that the register map does not know are shown raw.
Answer times of a live adapter are as good as the adapter: an FTDI holds bytes back for up to 16 ms.

exit codes:
  0 the line was clean   1 damaged frames, requests without an answer, late or stray answers; or not one frame
  2 wrong usage, no such file, not a recording   3 the port   130 a recording was interrupted
  An exception is an answer, and no error of the line.
"""


def add_sniff(commands: Commands[argparse.ArgumentParser]) -> None:
    """`press-rig sniff`."""
    text = "listen to a Modbus RTU line, or to the recording of one, and tell what is said"
    parser = commands.add_parser(
        "sniff",
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="PORT|CAPTURE", help="port as pyserial takes it, or a recording (*.pcapng)")
    chosen = parser.add_argument_group("what is told")
    chosen.add_argument("--unit", type=_unit, action="append", default=[], help="only this address (again for more)")
    chosen.add_argument(
        "--function", type=_function, action="append", default=[], help="only this function code (again for more)"
    )
    chosen.add_argument(
        "--tags", action="append", default=[], metavar="PATTERN",
        help="only tags of this name or group, * and ? as in file names (again for more); trouble is told anyway",
    )  # fmt: skip
    chosen.add_argument("--changes", action="store_true", help="only tags that have another value than before")
    chosen.add_argument("--raw", action="store_true", help="the bytes of every frame too")
    chosen.add_argument("--json", action="store_true", help="one JSON object per line, for programs")
    chosen.add_argument("--summary", action="store_true", help="only the statistics at the end")
    line = parser.add_argument_group("the line")
    line.add_argument(
        "--baudrate", type=baudrate, metavar="BIT/S", help="speed (default: as the recording says, or 115200)"
    )
    line.add_argument("--parity", choices=("N", "E", "O"), default="N", help="none, even or odd (default: N)")
    line.add_argument("--stopbits", type=int, choices=(1, 2), default=1, help="stop bits (default: 1)")
    line.add_argument(
        "--timeout", type=positive, default=1.0, metavar="SECONDS",
        help="after so long an answer is late; best what the master has (default: 1)",
    )  # fmt: skip
    line.add_argument(
        "--gap", type=positive, metavar="MS",
        help="silence after which the rest of a frame does not come any more (default: 3.5 characters; live 50 ms)",
    )  # fmt: skip
    enough = parser.add_argument_group("how long")
    enough.add_argument("--seconds", type=positive, help="end after so long")
    enough.add_argument("--count", type=positive_int, metavar="N", help="end after so many exchanges")
    parser.set_defaults(run=_sniff)


def _sniff(arguments: argparse.Namespace) -> int:
    from rig.sniff import SniffOptions, sniff  # noqa: PLC0415 - only this command listens
    from rig.sniff.source import LineSettings  # noqa: PLC0415

    gap_ns = None if arguments.gap is None else round(arguments.gap * 1e6)
    return sniff(
        SniffOptions(
            source=arguments.source,
            line=LineSettings(arguments.baudrate, arguments.parity, arguments.stopbits, gap_ns),
            timeout_s=arguments.timeout,
            seconds=arguments.seconds,
            count=arguments.count,
            units=tuple(arguments.unit),
            functions=tuple(arguments.function),
            tags=tuple(arguments.tags),
            changes=arguments.changes,
            raw=arguments.raw,
            json=arguments.json,
            summary=arguments.summary,
        )
    )


def _unit(text: str) -> int:
    """An address, 0 for broadcasts."""
    return _whole(text, 0, 247, "an address from 0 (to all units) to 247")


def _function(text: str) -> int:
    """A function code."""
    return _whole(text, 1, 127, "a function code from 1 to 127")


def _whole(text: str, low: int, high: int, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return int(text)
