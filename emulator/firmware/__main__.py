"""`make firmware`: the generated sources, then every board, then how large those for the microcontroller are."""

from __future__ import annotations

import sys

from emulator.firmware import node_map, press_map
from emulator.firmware.build import BOARDS, BuildError, build
from emulator.firmware.generated import write_or_check
from emulator.firmware.report import describe, measure


def main() -> int:
    """Build everything; returns the exit code."""
    node_map.main([])
    write_or_check(press_map.__name__, press_map.sources(), [])
    try:
        for name, board in BOARDS.items():
            if not board.system_compiler:  # only tests need the others
                print(f"{name:20} {build(name)}")
        for name in ("lm3s6965", "controller-lm3s6965"):
            print(f"{name}:")
            for line in describe(measure(name)):
                print(line)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
