"""Finding receivers by mDNS, announced on this machine alone."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
import io
import json
import secrets
import sys

import ifaddr
from ifaddr import _posix
import pytest
import pytest_socket
from zeroconf import IPVersion
from zeroconf._dns import DNSPointer
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import _CLASS_IN, _FLAGS_AA, _FLAGS_QR_RESPONSE, _TYPE_PTR

from custom_components.airplay.raop import scan as module
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.scan import json_line, scan, text_line
from tests.virtual_receiver import Advertisement, VirtualReceiver

LOOPBACK = ["127.0.0.1"]


@pytest.fixture(autouse=True)
def network(socket_enabled: None) -> Iterator[None]:
    """Open this machine's own addresses."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "224.0.0.251"])
    yield
    pytest_socket.socket_allow_hosts(["127.0.0.1"])


async def test_a_scan_finds_announced_records_and_joins_those_of_a_receiver() -> None:
    unique = secrets.token_hex(4).upper()
    plain, double, stray, gone = (
        VirtualReceiver(f"{name} {unique}", receiver_id=f"0A{number}B{unique}")
        for number, name in enumerate(("Küche", "Double", "Stray", "Gone"))
    )
    async with AsyncExitStack() as stack:
        for each in (plain, double, stray, gone):
            await stack.enter_async_context(each)
        zeroconf = await stack.enter_async_context(AsyncZeroconf(interfaces=LOOPBACK))
        advertisements = [
            Advertisement(plain, zeroconf=zeroconf),
            Advertisement(double, zeroconf=zeroconf, airplay=True),
            Advertisement(stray, zeroconf=zeroconf, addresses=["169.254.1.1"]),
            Advertisement(gone, zeroconf=zeroconf),
        ]
        await asyncio.gather(*(each.announce() for each in advertisements))
        await advertisements.pop().withdraw()

        # Other tests announce on this machine too.
        seen = [each for each in await scan(2.5, LOOPBACK) if unique in each.name]
        await asyncio.gather(*(each.withdraw() for each in advertisements))

    assert [each.name for each in seen] == [double.name, plain.name]
    both, alone = seen
    assert alone.id == plain.receiver_id.lower()
    assert (alone.host, alone.port) == ("127.0.0.1", plain.port)
    assert alone.raop is not None
    assert dict(alone.raop.txt) == plain.txt
    assert alone.airplay is None
    assert both.raop is not None
    assert both.airplay is not None
    assert both.airplay.txt["deviceid"].startswith("0A:1B:")


async def test_a_name_that_is_not_valid_costs_itself_only() -> None:
    unique = secrets.token_hex(4).upper()
    good = VirtualReceiver(f"Good {unique}", receiver_id=f"0A1B{unique}")
    async with good, AsyncZeroconf(interfaces=LOOPBACK) as zeroconf:
        advertisement = Advertisement(good, zeroconf=zeroconf)
        await advertisement.announce()
        packet = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA, multicast=True)
        for bad in (f"Bad\x1b[2J {unique}", f"Bad\x00 {unique}"):
            name = f"{bad}.{module.RAOP}"
            pointer = DNSPointer(module.RAOP, _TYPE_PTR, _CLASS_IN, 4500, name)
            packet.add_answer_at_time(pointer, 0)

        scanning = asyncio.create_task(scan(2.0, LOOPBACK))
        for _ in range(4):
            await asyncio.sleep(0.3)
            zeroconf.zeroconf.async_send(packet)
        seen = [each.name for each in await scanning if unique in each.name]
        await advertisement.withdraw()

    assert seen == [good.name]


async def test_a_receiver_with_ipv6_only_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Home Assistant's tests replace the list of this machine's interfaces.
    monkeypatch.setattr(ifaddr, "get_adapters", _posix.get_adapters)
    unique = secrets.token_hex(4).upper()
    pytest_socket.socket_allow_hosts(["::1", "127.0.0.0/8", "224.0.0.251", "ff02::fb"])
    only_v6 = VirtualReceiver(f"Six {unique}", host="::1", receiver_id=f"0A6B{unique}")
    async with only_v6, AsyncZeroconf(ip_version=IPVersion.V6Only) as zeroconf:
        advertisement = Advertisement(only_v6, zeroconf=zeroconf, addresses=["fd00::7"])
        await advertisement.announce()

        (seen,) = [each for each in await scan(2.5) if unique in each.name]
        await advertisement.withdraw()

    assert seen.addresses == ("fd00::7",)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_lines_for_people_do_not_control_their_terminal(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    name, model = "K\u00fcche\x1b[2J\u202e\x07", "AirPort\x9b31m"
    service = Service(f"0A0B0C0D0E01@{name}", "fd00::7", 5000, {"am": model})
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding))

    line = text_line(merge(service, None))

    assert line.isprintable()
    assert line.isascii() == (encoding == "ascii")
    assert "[fd00::7]:5000" in line


def test_lines_for_programs_have_both_records() -> None:
    raop = Service("0A0B0C0D0E01@K", "10.0.0.5", 5000, {"am": "aircast", "et": "0,1"})
    airplay = Service("K", "10.0.0.5", 7000, {"features": "0x200"})

    row = json.loads(json_line(merge(raop, airplay)))

    assert row["txt"] == raop.txt
    assert row["airplay_txt"] == airplay.txt
    assert (row["port"], row["airplay_port"]) == (5000, 7000)
    assert row["addresses"] == ["10.0.0.5"]
    assert row["bridge"] is True


async def test_a_machine_without_ipv6_is_scanned_by_ipv4(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []

    def make(**how: object) -> AsyncZeroconf:
        tried.append(how.get("ip_version"))
        if tried[-1]:
            raise OSError(97, "Address family not supported by protocol")
        return AsyncZeroconf(interfaces=LOOPBACK)

    monkeypatch.setattr(module, "AsyncZeroconf", make)
    monkeypatch.setattr(module, "RAOP", "_silent._tcp.local.")
    monkeypatch.setattr(module, "AIRPLAY", "_mute._tcp.local.")

    assert await scan(0.1) == []
    assert tried == [IPVersion.All, None]


async def test_a_scan_of_a_quiet_network_finds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No receiver answers under these names.
    monkeypatch.setattr(module, "RAOP", "_silent._tcp.local.")
    monkeypatch.setattr(module, "AIRPLAY", "_mute._tcp.local.")

    assert await scan(0.1, LOOPBACK) == []
