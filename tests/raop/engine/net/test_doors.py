"""Receivers that announce one another's addresses, and who answers there."""

from pathlib import Path

import pytest

from custom_components.airplay.raop.messages import Member
from tests.raop.engine.harness import EAGER, EngineHarness, member, play, receiver
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver
from tests.virtual_receiver.pairing import Gate

OTHER_HOST = "127.0.0.2"
REALTIME = "airplay2-realtime"


async def both(harness: EngineHarness, lane: str) -> list[VirtualReceiver]:
    """Return a kitchen and a den, which listen at one port of two addresses."""
    kitchen = await harness.add(_speaker("Kitchen", "0A0B0C0D0E01", lane))
    den = _speaker("Den", "0A0B0C0D0E02", lane, host=OTHER_HOST, port=kitchen.port)
    return [kitchen, await harness.add(den)]


def _speaker(name: str, mac: str, lane: str, **place: object) -> VirtualReceiver:
    if lane == REALTIME:
        quirks = Quirks(takes_ptp=False)
        details = {"receiver_id": mac, "cadence": EAGER, "quirks": quirks, **place}
        return AirPlay2Receiver(name, **details)  # type: ignore[arg-type]
    gate = Gate("legacy", "1234")
    return receiver(name, receiver_id=mac, gate=gate, **place)


def wanted(of: VirtualReceiver, lane: str, *addresses: str) -> Member:
    """Return a receiver as a member that is looked for at some addresses."""
    paired = of.gate.acquaint() if of.gate and lane == "raop" else None
    return member(
        of,
        host=addresses[0],
        addresses=addresses,
        airplay_port=of.port,
        airplay_txt=of.airplay_txt({}),
        credentials=paired,
        lane=lane,
    )


@pytest.mark.parametrize("lane", ["raop", REALTIME])
async def test_the_music_of_one_room_is_not_played_in_the_other(
    harness: EngineHarness, song: Path, lane: str
) -> None:
    kitchen, den = await both(harness, lane)

    # The other one answers at the address that comes first.
    addresses = (kitchen.host, den.host)
    assert await harness.run(play(song, wanted(den, lane, *addresses))) is None

    assert den.has_session
    assert not kitchen.asked("ANNOUNCE")
    assert not kitchen.asked("SETUP")
    await harness.ended()


@pytest.mark.parametrize("lane", ["raop", REALTIME])
async def test_a_receiver_whose_address_another_one_has_is_not_played_to(
    harness: EngineHarness, song: Path, lane: str
) -> None:
    kitchen, den = await both(harness, lane)
    await den.stop()

    lost = wanted(den, lane, den.host, kitchen.host)
    assert await harness.run(play(song, lost)) == "wrong_receiver"
    lost = wanted(den, lane, kitchen.host)
    assert await harness.run(play(song, lost)) == "wrong_receiver"

    assert not kitchen.asked("ANNOUNCE")
    assert not kitchen.asked("SETUP")


async def test_a_receiver_that_does_not_say_who_it_is_is_believed(
    harness: EngineHarness, song: Path
) -> None:
    kitchen = await harness.add(receiver("Kitchen"))
    silent = member(
        kitchen,
        addresses=(kitchen.host, OTHER_HOST),
        # Nothing listens there.
        airplay_port=9,
        airplay_txt=kitchen.airplay_txt({}),
    )

    assert await harness.run(play(song, silent)) is None
    await harness.ended()


async def test_another_method_is_not_tried_with_another_receiver(
    harness: EngineHarness, song: Path
) -> None:
    kitchen, den = await both(harness, REALTIME)
    await den.stop()
    lost = wanted(den, REALTIME, kitchen.host)

    number = harness.submit(play(song, lost, stream="den"))
    assert (await harness.reply(number)).text.endswith("at the address of Den")
    assert len(kitchen.requests) == 1
