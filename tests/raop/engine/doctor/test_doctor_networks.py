"""What firewalls and routes do, in a network of the test's own.

We are 127.0.0.1 there, and the receiver is 127.0.0.2.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_socket

from custom_components.airplay.raop.messages import Member
from tests.network_namespace import filter_packets, network_of_its_own
from tests.raop.engine.harness import EngineHarness, member, receiver, running_harness
from tests.raop.engine.lanes.test_airplay2 import REALTIME, by, speaker
from tests.virtual_receiver import VirtualReceiver

from .diagnosing import diagnosed

THERE = "127.0.0.2"
FAR = "10.99.99.9"


@pytest.fixture
async def apart(network: None) -> AsyncIterator[EngineHarness]:
    """Return an engine in a network of its own."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1", FAR])
    with network_of_its_own():
        async with running_harness() as harness:
            yield harness


@pytest.fixture
async def den(apart: EngineHarness) -> VirtualReceiver:
    """Return a healthy receiver in that network."""
    return await apart.add(receiver("Den", host=THERE))


@pytest.mark.parametrize(
    ("rules", "hook", "code"),
    [
        ("", "input", "ok"),
        # Our own firewall, or one between.
        (f"ip saddr {THERE} meta l4proto udp drop", "input", "udp_blocked"),
        (f"ip daddr {THERE} meta l4proto udp drop", "input", "one_way"),
        (f"ip daddr {THERE} meta l4proto udp drop", "output", "send_blocked"),
        (f"ip daddr {THERE} tcp flags syn drop", "input", "tcp_blocked"),
        (f"ip daddr {THERE} drop", "input", "offline"),
        (f"ip daddr {THERE} tcp flags syn reject with tcp reset", "input", "port_closed"),
        # Wi-Fi at the edge of its reach.
        (f"ip daddr {THERE} meta l4proto udp numgen random mod 100 < 15 drop", "input", "poor_link"),
    ],
)  # fmt: skip
async def test_a_firewall_is_named(
    apart: EngineHarness, den: VirtualReceiver, rules: str, hook: str, code: str
) -> None:
    filter_packets(rules, hook=hook)

    found = await diagnosed(apart, member(den))

    assert found.code == code
    filter_packets("")


async def test_a_session_that_freezes_is_named(
    apart: EngineHarness, den: VirtualReceiver
) -> None:
    """The connection comes about, and nothing comes after it."""
    filter_packets(f"ip daddr {THERE} tcp flags & (psh | ack) == psh | ack drop")

    found = await diagnosed(apart, member(den))

    assert found.code == "mute"
    filter_packets("")


async def test_ports_of_the_clock_that_are_blocked_are_named(
    apart: EngineHarness,
) -> None:
    den = await speaker(apart, host=THERE, takes_ntp=False)
    ports = ", ".join(map(str, den.ptp_ports))
    filter_packets(f"udp dport {{ {ports} }} drop; udp sport {{ {ports} }} drop")

    found = await diagnosed(apart, by(den, REALTIME))

    assert found.code == "ptp_blocked"
    filter_packets("")


async def test_a_network_without_a_route_is_named(apart: EngineHarness) -> None:
    known = Member(receiver="0a0b0c0d0e01", name="Den", host=FAR, port=5000)

    found = await diagnosed(apart, known)

    assert found.code == "no_route"
    assert found.detail == f"{FAR}:5000"
