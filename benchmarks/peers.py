"""Other people's Modbus RTU servers on a serial port, to compare with; each is a process of its own.

They answer reads of input registers 0 … 99 as unit 1, say `ready` and go on until they are killed. This module, run as
a program with the path of the port, is pymodbus's; libmodbus's is `libmodbus_server.c`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartAsyncSerialServer

from benchmarks.errors import Unable

__all__ = ["UNIT", "libmodbus", "pymodbus"]

UNIT = 1
REGISTERS = 100
BAUD = 115_200
SOURCE = Path(__file__).with_name("libmodbus_server.c")


def pymodbus() -> list[str]:
    """The program that serves with pymodbus; it wants the port's path."""
    return [sys.executable, "-m", "benchmarks.peers"]


def libmodbus(folder: Path) -> list[str]:
    """Compile the program that serves with libmodbus; it wants the port's path.

    Args:
        folder: where to put it.

    Raises:
        Unable: no compiler or no libmodbus.
    """
    program = folder / SOURCE.stem
    try:
        subprocess.run(["cc", "-O2", "-o", str(program), str(SOURCE), "-lmodbus"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unable("it needs a C compiler and libmodbus (Debian: apt-get install gcc libmodbus-dev)") from error
    return [str(program)]


async def _serve(path: str) -> None:
    """pymodbus's asynchronous serial server."""
    device = ModbusDeviceContext(ir=ModbusSequentialDataBlock(1, [*range(REGISTERS)]))
    context = ModbusServerContext(devices={UNIT: device}, single=False)
    server = asyncio.create_task(StartAsyncSerialServer(context, port=path, baudrate=BAUD))
    await asyncio.sleep(0)
    print("ready", flush=True)
    await server


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
