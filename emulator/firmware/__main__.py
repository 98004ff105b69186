"""`make firmware`: the generated sources, then every board."""

from __future__ import annotations

import sys

from emulator.firmware import node_map
from emulator.firmware.build import BOARDS, BuildError, build


def main() -> int:
    """Build everything; returns the exit code."""
    node_map.main([])
    for name, board in BOARDS.items():
        if board.system_compiler:
            continue  # only tests need it
        try:
            print(f"{name:12} {build(name)}")
        except BuildError as error:
            print(error, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
