"""Pairing by PIN over the network: virtual receivers, judged by pyatv."""

import asyncio
from typing import Any

from pyatv.auth.hap_pairing import parse_credentials
from pyatv.protocols.airplay.auth import verify_connection
from pyatv.support.http import http_connect
import pytest

from custom_components.airplay.raop.api import PinPairing, Receiver, rehearse
from custom_components.airplay.raop.engine.net import pairing
from custom_components.airplay.raop.engine.net.connection import STEP_S
from custom_components.airplay.raop.errors import (
    AuthenticationError,
    RaopError,
    ReceiverBusyError,
    ReceiverUnreachableError,
    TooManyTriesError,
    WrongReceiverError,
)
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from tests.ha.flows import FEATURES
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind
from tests.virtual_receiver.pairing.test_pairing import pairing as by_pyatv

pytestmark = pytest.mark.usefixtures("socket_enabled")

CODE = "0427"
KINDS: list[Kind] = ["legacy", "home_kit"]
PATHS = {"legacy": "/pair-setup-pin", "home_kit": "/pair-setup"}


def gated(
    kind: Kind, quirks: Quirks | None = None, *, name: str = "Den", **place: Any
) -> VirtualReceiver:
    txt = {"ft": FEATURES[kind], "am": "AppleTV5,3"}
    gate = Gate(kind, CODE)
    return VirtualReceiver(name, gate=gate, txt=txt, quirks=quirks, **place)


def at(virtual: VirtualReceiver, *addresses: str) -> Receiver:
    """Return a receiver with both records, that announces these addresses."""
    host, port = addresses[0], virtual.port
    instance = f"{virtual.receiver_id}@{virtual.name}"
    txt = virtual.airplay_txt({"features": virtual.txt["ft"]})
    return merge(
        Service(instance, host, port, virtual.txt, addresses),
        Service(virtual.name, host, port, txt, addresses),
    )


def known(virtual: VirtualReceiver) -> Receiver:
    instance = f"{virtual.receiver_id}@{virtual.name}"
    return merge(Service(instance, virtual.host, virtual.port, virtual.txt), None)


def other(first: VirtualReceiver) -> dict[str, Any]:
    """Return the place of a receiver at the port of another one."""
    return {"receiver_id": "0A0B0C0D0E02", "host": "127.0.0.2", "port": first.port}


def gate_of(virtual: VirtualReceiver) -> Gate:
    assert virtual.gate
    return virtual.gate


@pytest.mark.parametrize("kind", KINDS)
async def test_credentials_open_a_session_of_ours_and_one_of_pyatv(kind: Kind) -> None:
    async with gated(kind) as den:
        attempt = await PinPairing.begin(known(den), "Home")
        assert gate_of(den).shown == 1
        credentials = await attempt.finish(CODE)
        await den.wait_until(lambda: not den._tasks)

        await rehearse(known(den), credentials=credentials)
        http = await http_connect(den.host, den.port)
        await verify_connection(parse_credentials(credentials), http)
        http.close()
        assert den.violations == []


@pytest.mark.parametrize("kind", KINDS)
async def test_credentials_that_pyatv_made_open_a_session_of_ours(kind: Kind) -> None:
    async with gated(kind) as den:
        async with by_pyatv(den) as handler:
            # It pads a number to four digits.
            handler.pin(int(CODE))
            await handler.finish()
            credentials = handler.service.credentials
        assert credentials

        await rehearse(known(den), credentials=credentials)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [200, 453])
async def test_receiver_that_hides_its_pin_from_the_nameless_shows_it(
    kind: Kind, status: int
) -> None:
    quirks = Quirks(hides_pin_without_client_name=True, pin_start_status=status)
    async with gated(kind, quirks) as den:
        attempt = await PinPairing.begin(known(den), "Zuhause bei Jörg")

        assert gate_of(den).shown == 1
        assert await attempt.finish(CODE)
        names = [each.headers["x-apple-client-name"] for each in den.requests]
        assert names == ["Zuhause bei Jörg"] * 4
        assert {each.uri for each in den.requests} == {"/pair-pin-start", PATHS[kind]}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_attempt_has_an_id_of_its_own(kind: Kind) -> None:
    async with gated(kind) as den:
        for _ in range(2):
            attempt = await PinPairing.begin(known(den), "Home")
            await attempt.finish(CODE)

        assert len(gate_of(den).senders) == 2
        ids = {each.headers["x-apple-client-id"].encode() for each in den.requests}
        assert ids == gate_of(den).senders.keys()


@pytest.mark.parametrize("kind", KINDS)
async def test_pin_is_shown_by_no_other_receiver(kind: Kind) -> None:
    async with (
        gated(kind) as kitchen,
        gated(kind, name="Attic", **other(kitchen)) as attic,
    ):
        attempt = await PinPairing.begin(at(attic, kitchen.host, attic.host), "Home")
        assert await attempt.finish(CODE)
        with pytest.raises(WrongReceiverError):
            await PinPairing.begin(at(attic, kitchen.host), "Home")

        assert gate_of(attic).shown == 1
        assert gate_of(kitchen).shown == 0
        await kitchen.wait_until(lambda: not kitchen._tasks)


@pytest.mark.parametrize("kind", KINDS)
async def test_wrong_pin_ends_the_attempt(kind: Kind) -> None:
    async with gated(kind) as den:
        attempt = await PinPairing.begin(known(den), "Home")

        with pytest.raises(AuthenticationError):
            await attempt.finish("1234")

        await den.wait_until(lambda: not den._tasks)
        with pytest.raises(ReceiverUnreachableError):
            await attempt.finish(CODE)
        assert gate_of(den).wrong == 1
        assert not gate_of(den).senders


@pytest.mark.parametrize("kind", KINDS)
async def test_closed_attempt_frees_the_receiver(kind: Kind) -> None:
    async with gated(kind) as den:
        attempt = await PinPairing.begin(known(den), "Home")
        attempt.close()

        await den.wait_until(lambda: not den._tasks)


async def test_pause_is_reported_with_its_length() -> None:
    async with gated("home_kit", Quirks(back_off_after=1, back_off_s=40)) as den:
        gate_of(den).wrong = 1

        with pytest.raises(TooManyTriesError) as caught:
            await PinPairing.begin(known(den), "Home")

        assert caught.value.retry_s == 40
        await den.wait_until(lambda: not den._tasks)


async def test_receiver_that_pairs_with_another_sender_is_busy() -> None:
    async with gated("home_kit", Quirks(pairs_with_one=True)) as den:
        first = await PinPairing.begin(known(den), "Home")

        with pytest.raises(ReceiverBusyError):
            await PinPairing.begin(known(den), "Home")

        assert await first.finish(CODE)
        attempt = await PinPairing.begin(known(den), "Home")
        assert await attempt.finish(CODE)


@pytest.mark.parametrize("kind", KINDS)
async def test_two_attempts_at_once_do_not_disturb_each_other(kind: Kind) -> None:
    async with gated(kind) as den:
        begun = (PinPairing.begin(known(den), "Home") for _ in range(2))
        first, second = await asyncio.gather(*begun)

        with pytest.raises(AuthenticationError):
            await first.finish("1234")
        assert await second.finish(CODE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(unanswered=frozenset({"POST"})),
        Quirks(endless_headers=frozenset({"POST"})),
        Quirks(garbage_reply=frozenset({"POST"})),
        Quirks(drop_at="/pair-pin-start"),
    ],
)
async def test_receiver_that_does_not_answer_is_left_in_time(
    kind: Kind, quirks: Quirks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "STEP_S", 0.2)
    async with gated(kind, quirks) as den, asyncio.timeout(2):
        with pytest.raises(RaopError):
            await PinPairing.begin(known(den), "Home")

        await den.wait_until(lambda: not den._tasks)


@pytest.mark.parametrize("kind", KINDS)
async def test_receiver_that_hangs_after_the_pin_is_left_in_time(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairing, "STEP_S", 0.2)
    async with gated(kind) as den:
        attempt = await PinPairing.begin(known(den), "Home")
        den.unplug()

        async with asyncio.timeout(2):
            with pytest.raises(ReceiverUnreachableError, match=r"0\.2 s"):
                await attempt.finish(CODE)
        den.plug_in()


def test_each_step_takes_at_most_three_seconds() -> None:
    assert STEP_S == 3


async def test_receiver_that_is_gone_is_unreachable() -> None:
    async with gated("home_kit") as den:
        receiver = known(den)

    with pytest.raises(ReceiverUnreachableError):
        await PinPairing.begin(receiver, "Home")
