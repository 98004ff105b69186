"""`make firmware`: the generated sources, then every board, then how large the one for the microcontroller is."""

from __future__ import annotations

import sys

from emulator.firmware import node_map
from emulator.firmware.build import BOARDS, BuildError, build
from emulator.firmware.report import describe, measure


def main() -> int:
    """Build everything; returns the exit code."""
    node_map.main([])
    try:
        for name, board in BOARDS.items():
            if not board.system_compiler:  # only tests need the others
                print(f"{name:12} {build(name)}")
        print("lm3s6965:")
        for line in describe(measure()):
            print(line)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
