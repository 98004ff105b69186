"""Who may come in over the network, and how long a client may stay that says nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from emulator.ports.listener import Access
from emulator.ports.modbus_tcp import ModbusTcpEndpoint
from emulator.ports.paced import Endpoint, EndpointError
from emulator.ports.rfc2217 import Rfc2217Endpoint
from emulator.ports.serve import Places, open_endpoints
from emulator.ports.tcp import TcpEndpoint
from tests.emulator.fakes import FakeWorld
from tests.emulator.served import Client, serve_until

KINDS = pytest.mark.parametrize("kind", [TcpEndpoint, ModbusTcpEndpoint, Rfc2217Endpoint])
Kind = Callable[..., Endpoint]


@KINDS
@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "2001:db8::1"])
def test_only_loopback_unless_it_is_named(kind: Kind, host: str) -> None:
    with pytest.raises(EndpointError, match=r"reachable from other machines.*or --listen .* with --allow CIDR"):
        kind(host)


@KINDS
def test_a_client_from_elsewhere_is_hung_up_on(kind: Kind) -> None:
    endpoint = kind(access=Access.parse("0.0.0.0", "10.0.0.0/8,192.168.7.7"))
    stranger = Client(endpoint)
    serve_until(FakeWorld(), [endpoint], stranger.is_hung_up_on)
    assert stranger.got == b""
    stranger.close()
    endpoint.close()


@KINDS
def test_a_client_from_an_allowed_network_may_come_in(kind: Kind) -> None:
    endpoint = kind(access=Access.parse("0.0.0.0", "10.0.0.0/8,127.0.0.0/8"))
    friend = Client(endpoint)
    serve_until(FakeWorld(), [endpoint], lambda: len(endpoint.waits_on()) == 2)
    assert not friend.is_hung_up_on()
    friend.close()
    endpoint.close()


@KINDS
def test_one_that_says_nothing_makes_room(kind: Kind) -> None:
    world, endpoint = FakeWorld(), kind(idle_ns=5_000_000)
    silent = Client(endpoint)
    serve_until(world, [endpoint], silent.is_hung_up_on)
    assert len(endpoint.waits_on()) == 1
    silent.close()
    endpoint.close()


@pytest.mark.parametrize(
    ("peer", "permitted"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("::ffff:10.1.2.3", True), ("fe80::1%eth0", True), ("::1", False)],
)
def test_networks_are_of_either_version(peer: str, permitted: bool) -> None:
    assert Access.parse("::", "10.0.0.0/8, fe80::/10").permits(peer) is permitted


@pytest.mark.parametrize(
    ("listen", "allow", "words"),
    [
        ("0.0.0.0", None, "say which clients may come with --allow CIDR"),
        (None, "10.0.0.0/8", "give --listen ADDR"),
        ("example.org", "10.0.0.0/8", "is not an IP address"),
        ("0.0.0.0", "10.0.0.1/8", "has host bits set"),
        ("0.0.0.0", "everybody", "'everybody' is not a network"),
        ("0.0.0.0", "", "'' is not a network"),
    ],
)
def test_what_cannot_be_is_told(listen: str | None, allow: str | None, words: str) -> None:
    with pytest.raises(EndpointError, match=words):
        Places(tcp="0", listen=listen, allow=allow).check()


def test_an_address_to_listen_on_with_nothing_to_serve_there_is_told() -> None:
    with pytest.raises(EndpointError, match=r"nothing is served over the network.*add --tcp"):
        Places(link="/tmp/press", listen="127.0.0.2").check()


def test_the_address_to_listen_on_is_that_of_every_port_without_one() -> None:
    places = Places(tcp="0", modbus_tcp="127.0.0.1:0", rfc2217="[::1]:0", listen="127.0.0.2")
    with open_endpoints(places) as endpoints:
        urls = [endpoint.url.rsplit(":", 1)[0] for endpoint in endpoints]
    assert urls == ["socket://127.0.0.2", "modbus-tcp://127.0.0.1", "rfc2217://[::1]"]


def test_nothing_stays_open_when_one_cannot_be() -> None:
    first = TcpEndpoint()
    taken = first.url.rsplit(":", 1)[1]
    opened = partial(open_endpoints, Places(tcp="0", modbus_tcp=taken))
    with pytest.raises(EndpointError, match=f"cannot listen on 127.0.0.1:{taken}"), opened():
        pass
    first.close()


def test_ports_that_are_taken_or_asked_for_twice_are_found_by_trying() -> None:
    first = TcpEndpoint()
    taken = first.url.rsplit(":", 1)[1]
    for places in (Places(tcp=taken), Places(modbus_tcp="0", rfc2217=taken)):
        places.check()
        with pytest.raises(EndpointError, match=f"cannot listen on 127.0.0.1:{taken}.*choose another port"):
            places.try_out()
    first.close()
    with pytest.raises(EndpointError, match=f"cannot listen on 127.0.0.1:{taken}"):
        Places(tcp=taken, modbus_tcp=taken).try_out()
    Places(tcp=taken).try_out()
    with open_endpoints(Places(tcp=taken)):
        pass


def test_a_link_that_may_not_be_made_is_found_by_trying(tmp_path: Path) -> None:
    link = tmp_path / "press"
    link.symlink_to("/nowhere")
    Places(link=link).try_out()
    assert os.readlink(link) == "/nowhere"
    assert list(tmp_path.iterdir()) == [link]
    with pytest.raises(EndpointError, match=r"cannot make the link /proc/press: .*; choose another path"):
        Places(link="/proc/press").try_out()
