"""The ports and addresses of the PTP clock: IPv4, IPv6, in use, and not permitted."""

import errno
import socket

import pytest

from custom_components.airplay.raop.engine.pacing.pacer import Pacer
from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers, place_of
from custom_components.airplay.raop.engine.ptp.service import PtpService
from custom_components.airplay.raop.errors import (
    PtpNotPermittedError,
    PtpPortsTakenError,
    PtpUnavailableError,
)
from tests.raop.engine.ptp_follower import EVENT, Follower, message

from .test_service import OUR_ID, everything_taken, pair, service_for


async def test_it_works_over_ipv6() -> None:
    async with pair(host="::1", local="::1") as (peer, follower, _):
        await follower.wait_for(0x8, 2)
        follower.send(EVENT, message(0x1, 1, bytes(10)), "::1")
        await follower.wait_for(0x9)

        assert peer.has_evidence


async def test_a_port_in_use_is_reported() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        pacer = Pacer()
        for ports in (PtpPortNumbers(taken, 0), PtpPortNumbers(0, taken)):
            service = PtpService(pacer, OUR_ID, ports=ports, local=["127.0.0.1"])
            with pytest.raises(PtpPortsTakenError) as caught:
                await service.add_peer(["127.0.0.2"])
            assert caught.value.reason == "taken"


async def test_if_one_family_is_in_use_the_other_is_closed() -> None:
    free = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    free.bind(("::1", 0))
    port = free.getsockname()[1]
    free.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        service = PtpService(
            Pacer(), OUR_ID, ports=PtpPortNumbers(port, 0), local=["::1", "127.0.0.1"]
        )
        with pytest.raises(PtpPortsTakenError):
            await service.add_peer(["127.0.0.2"])

        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as again:
            again.bind(("::1", port))


async def test_ports_in_use_and_free_again_are_each_reported_once() -> None:
    told: list[str | None] = []
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 0))
    pacer = Pacer()
    pacer.start()
    service = PtpService(
        pacer,
        OUR_ID,
        ports=PtpPortNumbers(other.getsockname()[1], 0),
        local=["127.0.0.1"],
        on_change=lambda problem: told.append(problem.reason if problem else None),
    )
    for _ in range(2):
        with pytest.raises(PtpPortsTakenError):
            await service.add_peer(["127.0.0.2"])
    other.close()
    await service.add_peer(["127.0.0.2"])
    await service.close()
    pacer.stop()

    assert told == ["taken", None]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, PtpNotPermittedError),
        (errno.EPERM, PtpNotPermittedError),
        (errno.EMFILE, PtpUnavailableError),
        (errno.EAFNOSUPPORT, PtpUnavailableError),
    ],
)
async def test_a_machine_without_the_permission_reports_the_reason(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: type[PtpUnavailableError]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    service = PtpService(Pacer(), OUR_ID)

    with pytest.raises(PtpUnavailableError) as caught:
        await service.add_peer(["127.0.0.2"])

    assert type(caught.value) is kind


async def test_without_ipv6_it_works_over_ipv4() -> None:
    follower = Follower()
    try:
        async with service_for(follower, "2001:db8::1", "127.0.0.1") as service:
            await service.add_peer(["127.0.0.2"])
            await follower.wait_for(0x0)
            assert len(service.ports) == 1
    finally:
        follower.close()


async def test_a_receiver_is_known_by_all_its_addresses() -> None:
    follower = Follower()
    other = Follower("127.0.0.3")
    try:
        async with service_for(follower) as service:
            peer = await service.add_peer(["127.0.0.2"])
            # As SETUP sends them, later.
            await service.add_peer(["127.0.0.2", "127.0.0.3", "fe80::1%1"])
            (ports,) = service.ports
            other.sender = (ports.event, ports.general)
            other.send(EVENT, message(0x1, 1, bytes(10)))
            await everything_taken(peer)

            assert peer.probes == 1
    finally:
        follower.close()
        other.close()


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("2001:db8::1", "2001:0db8:0:0::1", True),
        ("fe80::1%1", "fe80:0::1%1", True),
        ("fe80::1%1", "fe80::1%2", False),
        ("fe80::1%1", "fe80::2%1", False),
    ],
)
def test_link_local_addresses_are_distinguished_by_their_link(
    one: str, other: str, are_same: bool
) -> None:
    assert (place_of(one) == place_of(other)) is are_same
