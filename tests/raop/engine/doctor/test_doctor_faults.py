"""Forty scripted faults: the doctor names the right cause of nearly all.

Each receiver has one fault. Those that are alike are diagnosed side by side.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
import re
import socket
from typing import Any

import pytest

from custom_components.airplay.raop.engine.ptp.links import PtpPortNumbers
from custom_components.airplay.raop.engine.ptp.service import PtpService
from custom_components.airplay.raop.messages import Member
from tests.raop.engine.harness import EngineHarness, member, receiver
from tests.raop.engine.lanes.test_airplay2 import REALTIME, by, speaker
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.pairing import Gate

from .diagnosing import diagnosed

NOBODY = "no-such-receiver.invalid"
_SERVER_PORT = re.compile(rb"server_port=\d+")


def refusing(method: str, status: int) -> Quirks:
    """Return the quirk of a receiver that refuses one step."""
    return Quirks(refuse={method: status})


def silent_at(*methods: str) -> Quirks:
    """Return the quirk of a receiver that does not answer some steps."""
    return Quirks(unanswered=frozenset(methods))


def closed_port() -> int:
    """Return a UDP port of this machine on which nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        number: int = sock.getsockname()[1]
    return number


def with_closed_port(method: str, reply: bytes) -> bytes:
    """Name a port for audio that is not open."""
    if method != "SETUP":
        return reply
    return _SERVER_PORT.sub(b"server_port=%d" % closed_port(), reply)


STATUSES = {
    ("ANNOUNCE", 400): "refused",
    ("ANNOUNCE", 403): "needs_pairing",
    ("ANNOUNCE", 404): "refused",
    ("ANNOUNCE", 415): "unsupported",
    ("ANNOUNCE", 453): "in_use",
    ("ANNOUNCE", 470): "needs_pairing",
    ("ANNOUNCE", 500): "refused",
    ("SETUP", 400): "refused",
    ("SETUP", 453): "in_use",
    ("SETUP", 500): "refused",
    ("RECORD", 400): "refused",
    ("RECORD", 453): "in_use",
    ("RECORD", 503): "in_use",
    ("OPTIONS", 403): "needs_pairing",
}
SILENCES = {
    "everything": (silent_at("*"), "mute"),
    "ANNOUNCE": (silent_at("ANNOUNCE"), "mute"),
    "SETUP": (silent_at("SETUP"), "mute"),
    "RECORD": (silent_at("RECORD"), "mute"),
    "garbage": (Quirks(garbage_reply=frozenset({"ANNOUNCE"})), "not_understood"),
    "headers": (Quirks(endless_headers=frozenset({"ANNOUNCE"})), "not_understood"),
    "busy as 200": (Quirks(refuse_as_200=frozenset({"SETUP"})), "in_use"),
}
ENDS = {
    "OPTIONS": (Quirks(drop_at="OPTIONS"), "hangs_up"),
    "ANNOUNCE": (Quirks(drop_at="ANNOUNCE"), "hangs_up"),
    "SETUP": (Quirks(drop_at="SETUP"), "hangs_up"),
    "RECORD": (Quirks(drop_at="RECORD"), "hangs_up"),
}
SOUNDLESS = {
    # A receiver that gets packets, asks for what is missing, and has no clock.
    "no time asked": (Quirks(asks_time=False), "silent"),
    # Nothing comes back, as behind a firewall.
    "UDP blocked": (Quirks(asks_time=False, asks_resends=False), "udp_blocked"),
    "no packet arrives": (
        Quirks(asks_time=False, loss=1.0, asks_resends=False),
        "udp_blocked",
    ),
    "port closed": (
        Quirks(rewrite=with_closed_port, asks_time=False),
        "udp_port_closed",
    ),
    "15 % loss": (Quirks(loss=0.15), "poor_link"),
}


async def verdicts(harness: EngineHarness, quirks: dict[str, Quirks]) -> dict[str, str]:
    """Return the codes for receivers with these quirks, diagnosed side by side."""
    added = [
        await harness.add(receiver(name, quirks=each, receiver_id=f"0A0B0C0D{at:04X}"))
        for at, (name, each) in enumerate(quirks.items())
    ]
    found = await asyncio.gather(*(diagnosed(harness, member(each)) for each in added))
    return {each.findings.name: str(each.code) for each in found}


async def test_a_refusal_of_each_step_is_named(harness: EngineHarness) -> None:
    quirks = {f"{step} {status}": refusing(step, status) for step, status in STATUSES}

    found = await verdicts(harness, quirks)

    assert found == {f"{step} {s}": code for (step, s), code in STATUSES.items()}


async def test_the_request_and_the_status_are_in_the_sentence(
    harness: EngineHarness,
) -> None:
    den = await harness.add(receiver("Den", quirks=refusing("SETUP", 500)))

    found = await diagnosed(harness, member(den))

    assert found.detail == "SETUP 500"
    assert found.sentence == (
        "Den refuses a request that playing needs (SETUP 500): restart it, and report "
        "the problem if it stays."
    )


@pytest.mark.parametrize("faults", [SILENCES, ENDS, SOUNDLESS])
async def test_a_silence_or_an_end_at_each_step_is_named(
    harness: EngineHarness, faults: dict[str, tuple[Quirks, str]]
) -> None:
    found = await verdicts(harness, {name: each for name, (each, _) in faults.items()})

    assert found == {name: code for name, (_, code) in faults.items()}


async def test_an_end_while_audio_is_sent_is_named(harness: EngineHarness) -> None:
    den = await harness.add(receiver("Den", quirks=Quirks(drop_after_s=1.0)))

    found = await diagnosed(harness, member(den))

    assert found.code == "hangs_up"


@contextmanager
def deaf_port(host: str) -> Iterator[int]:
    """Open a port at which connections are dropped: its queue is full."""
    with ExitStack() as room:
        server = room.enter_context(socket.create_server((host, 0), backlog=0))
        port: int = server.getsockname()[1]
        for _ in range(4):
            sock = room.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex((host, port))
        yield port


def somewhere(host: str, port: int, **details: object) -> Member:
    """Return a receiver at an address where there is none."""
    known = {"receiver": "0a0b0c0d0e01", "name": "Den", "host": host, "port": port}
    return Member(**{**known, **details})  # type: ignore[arg-type]


async def test_a_port_without_a_receiver_is_named(harness: EngineHarness) -> None:
    found = await diagnosed(harness, somewhere("127.0.0.1", closed_port()))

    assert found.code == "port_closed"
    assert found.detail.startswith("127.0.0.1:")


async def test_dropped_connections_to_a_device_that_is_up_are_named(
    harness: EngineHarness,
) -> None:
    with deaf_port("127.0.0.1") as port:
        found = await diagnosed(harness, somewhere("127.0.0.1", port))

    assert found.code == "tcp_blocked"
    assert found.findings.is_host_up


async def test_a_device_that_answers_nothing_is_off(harness: EngineHarness) -> None:
    with (
        deaf_port("127.0.0.9") as port,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused,
    ):
        unused.bind(("127.0.0.9", 33_434))
        found = await diagnosed(harness, somewhere("127.0.0.9", port))

    assert found.code == "offline"
    assert found.findings.is_host_up is False


@pytest.mark.parametrize("addresses", [(), ("127.0.0.1",)])
async def test_a_name_that_nobody_knows_is_named(
    harness: EngineHarness, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    den = await harness.add(receiver("Den"))
    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo

    async def look_up(host: str, *details: Any, **more: Any) -> Any:
        if host == NOBODY:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return await resolve(host, *details, **more)

    monkeypatch.setattr(loop, "getaddrinfo", look_up)

    found = await diagnosed(harness, member(den, host=NOBODY, addresses=addresses))

    # A start looks the name up, too, and fails.
    assert found.code == "name_unknown"
    assert found.detail == NOBODY
    assert found.findings.addresses == addresses


@pytest.mark.parametrize(
    ("password", "code"), [(None, "password_required"), ("wrong", "wrong_password")]
)
async def test_a_password_is_named(
    harness: EngineHarness, password: str | None, code: str
) -> None:
    den = await harness.add(receiver("Den", password="secret"))

    found = await diagnosed(harness, member(den, password=password))

    assert found.code == code
    assert "secret" not in str(found)
    assert "wrong" not in str(found).replace("wrong_password", "")


async def test_a_password_of_airplay_2_is_named(harness: EngineHarness) -> None:
    den = await speaker(harness, password="secret")

    found = await diagnosed(harness, by(den, REALTIME, password="wrong"))

    assert found.code == "wrong_password"


async def test_revoked_keys_are_named(harness: EngineHarness) -> None:
    gate = Gate("home_kit", "1234")
    den = await speaker(harness, gate=gate)
    keys = Gate("home_kit", "1234").acquaint()

    found = await diagnosed(harness, by(den, REALTIME, credentials=keys))

    assert found.code == "pairing_lost"


async def test_a_pairing_that_is_missing_is_named(harness: EngineHarness) -> None:
    den = await speaker(harness, gate=Gate("home_kit", "1234"))

    found = await diagnosed(harness, by(den, REALTIME))

    assert found.code == "needs_pairing"


async def test_a_receiver_that_has_become_open_is_named(
    harness: EngineHarness,
) -> None:
    den = await speaker(harness)

    found = await diagnosed(harness, by(den, REALTIME, password="secret"))

    assert found.code == "unlocked"


async def test_another_receiver_at_the_address_is_named(
    harness: EngineHarness,
) -> None:
    den = await speaker(harness)
    txt = den.airplay_txt({"deviceid": "0A:0B:0C:0D:0E:99"})

    found = await diagnosed(harness, by(den, receiver="0a0b0c0d0e99", airplay_txt=txt))

    assert found.code == "wrong_receiver"


async def test_a_clock_that_does_not_arrive_is_named(harness: EngineHarness) -> None:
    den = await speaker(harness, follows_ptp=False, takes_ntp=False)

    found = await diagnosed(harness, by(den, REALTIME))

    assert found.code == "ptp_blocked"


async def test_a_program_that_uses_the_ports_of_the_clock_is_named(
    harness: EngineHarness,
) -> None:
    den = await speaker(harness, takes_ntp=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        engine = harness.engine
        engine._ptp = PtpService(
            engine._pacer,
            engine.ptp.clock_id,
            ports=PtpPortNumbers(other.getsockname()[1], 0),
            receivers=PtpPortNumbers(*den.ptp_ports),
            local=["127.0.0.1"],
        )
        found = await diagnosed(harness, by(den, REALTIME))

    assert found.code == "ptp_ports_taken"


async def test_an_apple_home_is_named(harness: EngineHarness) -> None:
    den = await speaker(harness)

    found = await diagnosed(harness, by(den, airplay_txt=den.airplay_txt({"acl": "1"})))

    assert found.code == "home_only"


async def test_a_receiver_without_a_protocol_is_named(harness: EngineHarness) -> None:
    den = await harness.add(receiver("Den", txt={"tp": "TCP"}))

    found = await diagnosed(harness, member(den))

    assert found.code == "unsupported"
    assert found.detail == "tcp_only"
