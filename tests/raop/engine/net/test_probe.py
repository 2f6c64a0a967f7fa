"""Asking a receiver, without playing."""

import asyncio
from unittest.mock import patch

import pytest

from custom_components.airplay.raop.engine.net import open_way
from custom_components.airplay.raop.engine.net.probe import probe
from custom_components.airplay.raop.engine.net.rehearsal import check_password, rehearse
from custom_components.airplay.raop.errors import (
    AuthenticationError,
    CredentialsRejectedError,
    PairingRequiredError,
    PasswordRequiredError,
    ReceiverBusyError,
    ReceiverUnreachableError,
)
from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from tests.raop.engine.harness import IDENTITY, receiver
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind

FREE = PtpPorts(0, 0, None, None)


def known(virtual: VirtualReceiver) -> Receiver:
    return merge(
        Service(
            f"{virtual.receiver_id}@{virtual.name}",
            virtual.host,
            virtual.port,
            virtual.txt,
        ),
        None,
    )


async def test_the_address_that_answered_is_returned() -> None:
    async with receiver() as virtual:
        assert await probe(known(virtual), identity=IDENTITY) == "127.0.0.1"

        assert virtual.asked("OPTIONS")[0].headers["dacp-id"] == IDENTITY.dacp_id
        await virtual.wait_until(lambda: not virtual._tasks)


async def test_a_password_is_proved_without_playing() -> None:
    async with receiver(password="sesame") as virtual:
        await probe(known(virtual), password="sesame")
        with pytest.raises(PasswordRequiredError):
            await probe(known(virtual))
        with pytest.raises(AuthenticationError) as caught:
            await probe(known(virtual), password="open")

        assert caught.value.code == "auth_failed"
        assert {each.method for each in virtual.requests} == {"OPTIONS"}


async def test_a_receiver_that_requires_a_pin_is_reported() -> None:
    async with receiver(quirks=Quirks(refuse={"OPTIONS": 403})) as virtual:
        with pytest.raises(PairingRequiredError):
            await probe(known(virtual))


async def test_a_receiver_that_never_answers_times_out() -> None:
    async with receiver(quirks=Quirks(unanswered=frozenset({"OPTIONS"}))) as virtual:
        with pytest.raises(ReceiverUnreachableError, match=r"within 0\.1 s"):
            await probe(known(virtual), timeout_s=0.1)


async def test_the_probe_opens_and_ends_a_session() -> None:
    async with receiver(password="sesame") as virtual:
        await rehearse(known(virtual), password="sesame")
        with pytest.raises(AuthenticationError):
            await rehearse(known(virtual), password="open")

        await virtual.wait_until(lambda: not virtual._tasks)
        assert [each.method for each in virtual.requests[:6]] == [
            "OPTIONS",
            "OPTIONS",
            "ANNOUNCE",
            "SETUP",
            "TEARDOWN",
            "OPTIONS",
        ]
        assert not virtual.has_session
        assert virtual.violations == []


async def test_an_encrypting_receiver_gets_a_key_during_the_probe() -> None:
    async with receiver(open_key=lambda key: key[:16]) as virtual:
        await rehearse(known(virtual))

        assert b"a=rsaaeskey:" in virtual.asked("ANNOUNCE")[0].body


async def test_a_receiver_in_use_is_reported_by_the_probe() -> None:
    async with receiver(quirks=Quirks(refuse={"ANNOUNCE": 453})) as virtual:
        with pytest.raises(ReceiverBusyError):
            await rehearse(known(virtual))


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
async def test_stored_keys_open_a_receiver_that_was_paired(kind: Kind) -> None:
    gate = Gate(kind, "1234")
    credentials = gate.acquaint()
    async with receiver(gate=gate) as virtual:
        await probe(known(virtual), credentials=credentials)
        await rehearse(known(virtual), credentials=credentials)
        with pytest.raises(PairingRequiredError):
            await rehearse(known(virtual))

        gate.reset()
        with pytest.raises(CredentialsRejectedError):
            await rehearse(known(virtual), credentials=credentials)
        assert virtual.violations == []


async def test_keys_are_sent_even_if_no_record_asks_for_them() -> None:
    gate = Gate("legacy", "1234")
    async with receiver(gate=gate, txt={"sf": "0x4"}) as virtual:
        await rehearse(known(virtual), credentials=gate.acquaint())

        # After one refusal a receiver is confused on that connection.
        assert virtual.connections == 2


async def test_keys_are_not_sent_if_none_are_wanted() -> None:
    async with receiver() as virtual:
        await probe(known(virtual), credentials=Gate("legacy", "1234").acquaint())

        assert not virtual.asked("POST")


async def test_a_receiver_that_is_mute_after_pairing_is_tried_without() -> None:
    """As shairport-sync's AirPlay 2 is, which answers nothing that is encrypted."""
    credentials = Gate("home_kit", "1234").acquaint()
    async with receiver(txt={"sf": "0x204"}) as virtual:
        await probe(known(virtual), credentials=credentials)

        assert [each.method for each in virtual.requests] == ["POST", "OPTIONS"]


async def test_unreadable_keys_count_as_none() -> None:
    async with receiver() as virtual:
        with pytest.raises(CredentialsRejectedError):
            await probe(known(virtual), credentials="nonsense")
        assert virtual.connections == 0


async def test_a_cancelled_request_leaves_no_connection() -> None:
    async with receiver(quirks=Quirks(unanswered=frozenset({"OPTIONS"}))) as virtual:
        asking = asyncio.create_task(probe(known(virtual)))
        await virtual.wait_for("OPTIONS")

        asking.cancel()

        await virtual.wait_until(lambda: not virtual._tasks)


@pytest.mark.parametrize(
    ("secret", "password", "is_right"),
    [
        ("sesame", "sesame", True),
        ("sesame", "open", False),
        # This one asks for its password later, by digest.
        ("3939", "sesame", True),
    ],
)
async def test_a_password_is_proved_by_pairing(
    secret: str, password: str, is_right: bool
) -> None:
    gate = Gate("home_kit", secret, takes_transient=True, is_open=True)
    async with receiver(gate=gate) as virtual:
        if is_right:
            await check_password(known(virtual), password)
        else:
            with pytest.raises(AuthenticationError):
                await check_password(known(virtual), password)
        assert not gate.senders


@pytest.mark.parametrize("status", [403, 470, 404])
async def test_a_password_that_cannot_be_proved_by_pairing_may_be_right(
    status: int,
) -> None:
    gate = Gate("home_kit", "1234", is_open=True)
    async with receiver(
        gate=gate, quirks=Quirks(refuse={"/pair-setup": status})
    ) as virtual:
        await check_password(known(virtual), "sesame")


async def test_a_private_number_whose_public_one_has_a_leading_zero_is_left() -> None:
    gate = Gate("home_kit", "3939", takes_transient=True, is_open=True)
    bad, good = bytes.fromhex("00a6" * 16), bytes.fromhex("21" * 32)
    async with receiver(gate=gate) as virtual:
        with patch("os.urandom", side_effect=[bad, good]) as random:
            await check_password(known(virtual), "3939")

        assert random.call_count == 2


def modern(virtual: AirPlay2Receiver) -> Receiver:
    """Return a receiver that announces nothing but AirPlay 2."""
    txt = virtual.airplay_txt({}) | {"model": "AudioAccessory5,1", "osvers": "27.0"}
    return merge(None, Service(virtual.name, virtual.host, virtual.port, txt))


async def test_a_receiver_that_raop_does_not_reach_is_asked_by_airplay_2() -> None:
    async with AirPlay2Receiver(ptp=FREE) as virtual:
        assert await probe(modern(virtual)) == "127.0.0.1"
        await rehearse(modern(virtual))

        assert virtual.asked("OPTIONS") == virtual.asked("ANNOUNCE") == []
        assert len(virtual.asked("SETUP")) == 1


@pytest.mark.parametrize("by_digest", [True, False])
async def test_its_password_is_proved_without_playing(by_digest: bool) -> None:
    quirks = Quirks(setup_wants_digest=by_digest)
    async with AirPlay2Receiver(password="sesame", ptp=FREE, quirks=quirks) as virtual:
        await rehearse(modern(virtual), password="sesame")
        with pytest.raises(AuthenticationError) as caught:
            await rehearse(modern(virtual), password="open")

        assert caught.value.code == "auth_failed"


@pytest.mark.parametrize(
    "quirks", [{"drop_at": "TEARDOWN"}, {"refuse": {"TEARDOWN": 500}}]
)
async def test_what_a_receiver_does_at_the_end_says_nothing_about_access(
    quirks: dict[str, object],
) -> None:
    async with receiver(quirks=Quirks(**quirks)) as virtual:  # type: ignore[arg-type]
        await rehearse(known(virtual))

        assert len(virtual.asked("ANNOUNCE")) == 1


async def test_a_receiver_of_airplay_2_need_not_say_who_it_is() -> None:
    quirks = Quirks(unanswered=frozenset({"GET"}))
    async with AirPlay2Receiver(quirks=quirks, ptp=FREE) as virtual:
        with patch.object(open_way, "_INFO_S", 0.1):
            await rehearse(modern(virtual))

        assert len(virtual.asked("SETUP")) == 1
