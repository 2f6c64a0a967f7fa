"""The virtual receiver's pairing, tested with pyatv, with which it shares no code.

This is also why `srptools` stays below 2: pyatv passes its private key in a form
that srptools 2 does not accept, so that with it none of these would pair.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import secrets
from unittest.mock import patch

import pyatv
from pyatv import conf, exceptions
from pyatv.const import Protocol
from pyatv.interface import PairingHandler
from pyatv.protocols.airplay import srp
import pytest

from tests.ha.flows import FEATURES
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind

# An Apple TV shows four digits, of which the first may be 0.
CODE = "0427"


@asynccontextmanager
async def pairing(receiver: VirtualReceiver) -> AsyncIterator[PairingHandler]:
    """Begin to pair as pyatv does."""
    assert receiver.gate
    kind = Protocol.RAOP if receiver.gate.kind == "legacy" else Protocol.AirPlay
    properties = {"features": FEATURES[receiver.gate.kind]}
    config = conf.AppleTV(receiver.host, receiver.name)  # type: ignore[arg-type]
    config.add_service(conf.ManualService("id", kind, receiver.port, properties))
    # With one number in 256 pyatv fails: a salt that begins with zero, or a last byte of
    # the older kind's IV of 255.
    with (
        patch.object(secrets, "token_bytes", _numbers),
        patch.object(srp, "urandom", _numbers),
    ):
        handler = await pyatv.pair(config, kind, asyncio.get_running_loop())
        try:
            await handler.begin()
            yield handler
        finally:
            await handler.close()


def _numbers(count: int) -> bytes:
    return bytes(range(1, count + 1))


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
async def test_right_code_registers_the_sender(
    socket_enabled: None, kind: Kind
) -> None:
    gate = Gate(kind, CODE)
    async with VirtualReceiver(gate=gate) as receiver, pairing(receiver) as handler:
        handler.pin(int(CODE))
        await handler.finish()

        assert gate.shown == 1
        assert len(gate.senders) == 1
        assert handler.service.credentials
        assert receiver.violations == []


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
async def test_wrong_code_creates_no_pairing(socket_enabled: None, kind: Kind) -> None:
    gate = Gate(kind, CODE)
    async with VirtualReceiver(gate=gate) as receiver, pairing(receiver) as handler:
        handler.pin(1234)
        with pytest.raises(exceptions.PairingError):
            await handler.finish()

        assert gate.wrong == 1
        assert not gate.senders


@pytest.mark.parametrize("kind", ["legacy", "home_kit"])
async def test_code_is_hidden_from_a_sender_without_a_name(
    socket_enabled: None, kind: Kind
) -> None:
    """Pyatv 0.18 sends none, so that no user of tvOS 27 sees a code."""
    gate = Gate(kind, CODE)
    quirks = Quirks(hides_pin_without_client_name=True)
    async with (
        VirtualReceiver(gate=gate, quirks=quirks) as receiver,
        pairing(receiver) as handler,
    ):
        handler.pin(int(CODE))
        with pytest.raises(exceptions.PairingError):
            await handler.finish()

        assert gate.shown == 0
        assert not gate.senders


async def test_receiver_that_is_being_paired_is_busy(socket_enabled: None) -> None:
    gate = Gate("home_kit", CODE, guest=object())
    async with VirtualReceiver(gate=gate, quirks=Quirks(pairs_with_one=True)) as den:
        with pytest.raises(exceptions.PairingError):
            async with pairing(den):
                pass


async def test_receiver_that_requires_a_pause_offers_nothing(
    socket_enabled: None,
) -> None:
    gate = Gate("home_kit", CODE, wrong=1)
    async with VirtualReceiver(gate=gate, quirks=Quirks(back_off_after=1)) as receiver:
        with pytest.raises(exceptions.PairingError):
            async with pairing(receiver):
                pass
