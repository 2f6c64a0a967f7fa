"""Finding receivers by mDNS, announced on this machine alone."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
import secrets

import pytest
import pytest_socket
from zeroconf.asyncio import AsyncZeroconf

from custom_components.airplay.raop import scan as module
from custom_components.airplay.raop.scan import scan
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


async def test_a_scan_of_a_quiet_network_finds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No receiver answers under these names.
    monkeypatch.setattr(module, "RAOP", "_silent._tcp.local.")
    monkeypatch.setattr(module, "AIRPLAY", "_mute._tcp.local.")

    assert await scan(0.1, LOOPBACK) == []
