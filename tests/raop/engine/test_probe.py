"""Asking a receiver, without playing."""

import pytest

from custom_components.airplay.raop.engine.probe import probe, rehearse
from custom_components.airplay.raop.errors import (
    AuthenticationError,
    CredentialsRejectedError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverBusyError,
    ReceiverUnreachableError,
)
from custom_components.airplay.raop.receiver import Receiver, Service, merge
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind

from .stage import IDENTITY, receiver


def known(it: VirtualReceiver) -> Receiver:
    return merge(Service(f"{it.receiver_id}@{it.name}", it.host, it.port, it.txt), None)


async def test_a_receiver_tells_what_it_can_do_and_we_from_where_we_asked() -> None:
    async with receiver() as it:
        found = await probe(known(it), identity=IDENTITY)

        assert "ANNOUNCE" in found.methods
        assert found.local_address == "127.0.0.1"
        assert it.asked("OPTIONS")[0].headers["dacp-id"] == IDENTITY.dacp_id
        await it.wait_until(lambda: not it._tasks)


async def test_a_password_is_proved_without_playing() -> None:
    async with receiver(password="sesame") as it:
        await probe(known(it), password="sesame")
        with pytest.raises(PasswordRequiredError):
            await probe(known(it))
        with pytest.raises(AuthenticationError) as caught:
            await probe(known(it), password="open")

        assert caught.value.code == "auth_failed"
        assert {each.method for each in it.requests} == {"OPTIONS"}


async def test_a_receiver_that_wants_a_pin_says_so() -> None:
    async with receiver(quirks=Quirks(refuse={"OPTIONS": 403})) as it:
        with pytest.raises(PairingRequiredError):
            await probe(known(it))


async def test_a_deaf_receiver_is_given_up_in_the_time_that_is_given() -> None:
    async with receiver(quirks=Quirks(unanswered=frozenset({"OPTIONS"}))) as it:
        with pytest.raises(ReceiverUnreachableError, match=r"within 0\.1 s"):
            await probe(known(it), timeout_s=0.1)


async def test_a_session_is_opened_and_ended_to_see_whether_it_may_be() -> None:
    async with receiver(password="sesame") as it:
        await rehearse(known(it), password="sesame")
        with pytest.raises(AuthenticationError):
            await rehearse(known(it), password="open")

        await it.wait_until(lambda: not it._tasks)
        assert [each.method for each in it.requests[:6]] == [
            "OPTIONS",
            "OPTIONS",
            "ANNOUNCE",
            "SETUP",
            "TEARDOWN",
            "OPTIONS",
        ]
        assert not it.has_session
        assert it.violations == []


async def test_an_encrypting_receiver_is_told_a_key_at_the_rehearsal() -> None:
    async with receiver(open_key=lambda key: key[:16]) as it:
        await rehearse(known(it))

        assert b"a=rsaaeskey:" in it.asked("ANNOUNCE")[0].body


async def test_a_receiver_that_plays_for_somebody_says_so_at_the_rehearsal() -> None:
    async with receiver(quirks=Quirks(refuse={"ANNOUNCE": 453})) as it:
        with pytest.raises(ReceiverBusyError):
            await rehearse(known(it))


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
async def test_stored_keys_open_a_receiver_that_was_paired(kind: Kind) -> None:
    gate = Gate(kind, "1234")
    credentials = gate.acquaint()
    async with receiver(gate=gate) as it:
        await probe(known(it), credentials=credentials)
        await rehearse(known(it), credentials=credentials)
        with pytest.raises(PairingRequiredError):
            await rehearse(known(it))

        gate.reset()
        with pytest.raises(CredentialsRejectedError):
            await rehearse(known(it), credentials=credentials)
        assert it.violations == []


async def test_keys_are_shown_also_where_no_record_asks_for_them() -> None:
    gate = Gate("legacy", "1234")
    async with receiver(gate=gate, txt={"sf": "0x4"}) as it:
        await rehearse(known(it), credentials=gate.acquaint())

        # Whoever was refused once is confused on that connection.
        assert it.connections == 2


@pytest.mark.parametrize(
    ("refused", "error"), [("401", PasswordRequiredError), ("x", RaopError)]
)
async def test_keys_are_kept_back_where_none_are_wanted(
    refused: str, error: type[RaopError]
) -> None:
    password = "sesame" if refused == "401" else None
    async with receiver(password=password) as it:
        credentials = Gate("legacy", "1234").acquaint()
        if password:
            with pytest.raises(error):
                await probe(known(it), credentials=credentials)
        else:
            await probe(known(it), credentials=credentials)

        assert not it.asked("POST")


async def test_a_receiver_that_is_mute_after_pairing_is_tried_without() -> None:
    """As shairport-sync's AirPlay 2 is, which answers nothing that is encrypted."""
    credentials = Gate("home_kit", "1234").acquaint()
    async with receiver(txt={"sf": "0x204"}) as it:
        await probe(known(it), credentials=credentials)

        assert [each.method for each in it.requests] == ["POST", "OPTIONS"]


async def test_keys_that_cannot_be_read_are_as_good_as_none() -> None:
    async with receiver() as it:
        with pytest.raises(CredentialsRejectedError):
            await probe(known(it), credentials="nonsense")
        assert it.connections == 0
