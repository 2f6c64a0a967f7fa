"""One OPTIONS to a receiver."""

import pytest

from custom_components.airplay.raop.engine.probe import probe
from custom_components.airplay.raop.errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    ReceiverUnreachableError,
)
from tests.virtual_receiver import Quirks

from .stage import IDENTITY, receiver


async def test_a_receiver_tells_what_it_can_do_and_we_from_where_we_asked() -> None:
    async with receiver() as it:
        found = await probe(it.host, it.port, identity=IDENTITY, txt=it.txt)

        assert "ANNOUNCE" in found.methods
        assert found.local_address == "127.0.0.1"
        assert it.asked("OPTIONS")[0].headers["dacp-id"] == IDENTITY.dacp_id
        await it.wait_until(lambda: not it._tasks)


async def test_a_password_is_proved_without_playing() -> None:
    async with receiver(password="sesame") as it:
        await probe(it.host, it.port, password="sesame")
        with pytest.raises(PasswordRequiredError):
            await probe(it.host, it.port)
        with pytest.raises(AuthenticationError) as caught:
            await probe(it.host, it.port, password="open")

        assert caught.value.code == "auth_failed"
        assert {each.method for each in it.requests} == {"OPTIONS"}


async def test_a_receiver_that_wants_a_pin_says_so() -> None:
    async with receiver(quirks=Quirks(refuse={"OPTIONS": 403})) as it:
        with pytest.raises(PairingRequiredError):
            await probe(it.host, it.port)


async def test_a_deaf_receiver_is_given_up_in_the_time_that_is_given() -> None:
    async with receiver(quirks=Quirks(unanswered=frozenset({"OPTIONS"}))) as it:
        with pytest.raises(ReceiverUnreachableError, match=r"within 0\.1 s"):
            await probe(it.host, it.port, timeout_s=0.1)
