"""Where a port is looked for: a path or a pattern of paths, and what is told of one that came back elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from rig.errors import PortError
from rig.port import open_again, open_port


@pytest.fixture
def devices(tmp_path: Path) -> Iterator[Path]:
    """A folder like /dev, in which a device can be given names."""
    master, slave = os.openpty()
    (tmp_path / "device").symlink_to(os.ttyname(slave))
    (tmp_path / "dev").mkdir()
    yield tmp_path / "dev"
    os.close(slave)
    os.close(master)


def plug(devices: Path, name: str) -> Path:
    (devices / name).symlink_to((devices.parent / "device").readlink())
    return devices / name


def opened(url: str) -> serial.Serial:
    port = open_port(url, "", 19_200, 0.1)
    assert isinstance(port, serial.Serial)
    return port


def test_a_pattern_finds_a_device_again_under_another_name(devices: Path) -> None:
    first, pattern = plug(devices, "ttyUSB0"), str(devices / "ttyUSB*")
    with opened(pattern) as port:
        assert port.port == str(first)
        port.close()
        first.unlink()
        with pytest.raises(PortError, match=r"no port matches .*ttyUSB\*"):
            open_again(port, pattern)
        second = plug(devices, "ttyUSB1")
        open_again(port, pattern)
        assert (port.port, port.is_open) == (str(second), True)


def test_a_pattern_that_fits_several_devices_is_refused(devices: Path) -> None:
    plug(devices, "ttyUSB0")
    plug(devices, "ttyUSB7")
    with pytest.raises(PortError, match=r"2 ports match .*ttyUSB0, .*ttyUSB7.*narrower pattern"):
        opened(str(devices / "ttyUSB*"))


def test_a_path_that_looks_like_a_pattern_and_is_there_is_that_path(devices: Path) -> None:
    odd = plug(devices, "tty[0]")
    with opened(str(odd)) as port:
        assert port.port == str(odd)


def test_a_device_that_came_back_under_another_name_is_not_found_by_its_old_one_and_that_is_told(devices: Path) -> None:
    first = plug(devices, "ttyUSB0")
    with opened(str(first)) as port:
        port.close()
        first.unlink()
        with pytest.raises(PortError, match="ttyUSB0 is not back") as caught:
            open_again(port, str(first))
        assert "by-id" not in str(caught.value)
        second = plug(devices, "ttyUSB1")
        with pytest.raises(
            PortError, match=rf"is not back: .*No such file.*; but {second} is there.*'{devices}/ttyUSB\*'"
        ):
            open_again(port, str(first))


def test_an_expression_of_pyserial_is_looked_up_anew(devices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from serial.tools import list_ports

    there = [plug(devices, "ttyUSB0")]
    monkeypatch.setattr(list_ports, "grep", lambda *_, **__: iter([(str(path), "", "") for path in there]))
    url = "hwgrep://0403:6001"
    port = open_port(url, "hwgrep", 19_200, 0.1)
    port.close()
    there[:] = [plug(devices, "ttyUSB1")]
    open_again(port, url)
    assert port.port == str(there[0])
    port.close()
    there.clear()
    with pytest.raises(PortError, match="is not back: no ports found"):
        open_again(port, url)
