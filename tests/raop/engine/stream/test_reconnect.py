"""Receivers that move in mid-song, lose one of their addresses, or are taken over."""

import asyncio
from pathlib import Path
import time

import pytest

from custom_components.airplay.raop.messages import MemberChanged, Seen, StreamChanged
from tests.raop.engine.group_playback import speaker, start, states, wait_for_state
from tests.raop.engine.harness import EAGER, EngineHarness, member, play, unix
from tests.virtual_receiver import VirtualReceiver

SONG_S = 7.0
OTHER_HOST = "127.0.0.2"
# From the news of another address to the first sound there.
MOVED_S = 2.0


async def at_another_address(
    harness: EngineHarness, of: VirtualReceiver
) -> VirtualReceiver:
    """Return the same receiver as it is when it has moved."""
    moved = VirtualReceiver(
        of.name,
        host=OTHER_HOST,
        port=of.port,
        receiver_id=of.receiver_id,
        cadence=EAGER,
    )
    return await harness.add(moved)


async def first_sound(of: VirtualReceiver) -> float:
    """Wait until a receiver plays; return the Unix time of its first frame."""
    async with asyncio.timeout(10):
        while not of.recording.packets:
            await asyncio.sleep(0.02)
    return unix(of.recording.packets[0].play_ns)


@pytest.mark.parametrize("others", [0, 1])
async def test_a_receiver_that_moves_is_rejoined_within_two_seconds(
    harness: EngineHarness, tune: Path, others: int
) -> None:
    here = await speaker(harness, 1)
    rest = [await speaker(harness, 2 + number) for number in range(others)]
    await start(harness, tune, here, *rest)

    there = await at_another_address(harness, here)
    here.unplug()
    seen_s = time.time()
    await harness.run(Seen(member=member(there)))

    assert await first_sound(there) - seen_s < MOVED_S
    await wait_for_state(harness, there, "playing")
    assert len(there.asked("ANNOUNCE")) == 1
    assert "ended" not in harness.states()
    here.plug_in()
    assert await harness.stop() is None


async def test_a_receiver_that_loses_one_of_its_addresses_is_rejoined_once(
    harness: EngineHarness, tune: Path
) -> None:
    here = await speaker(harness, 1)
    there = await at_another_address(harness, here)
    both = {"addresses": (here.host, there.host)}
    assert await harness.run(play(tune, member(here, **both))) is None

    await here.stop()

    await first_sound(there)
    await wait_for_state(harness, there, "playing")
    assert len(there.asked("ANNOUNCE")) == 1
    assert "ended" not in harness.states()
    assert await harness.stop() is None


async def test_a_receiver_that_is_gone_from_all_its_addresses_ends_the_stream(
    harness: EngineHarness, tune: Path
) -> None:
    here = await speaker(harness, 1)
    both = {"addresses": (here.host, OTHER_HOST)}
    assert await harness.run(play(tune, member(here, **both))) is None

    here.disconnect()
    await here.stop()

    end = await harness.ended()
    assert (end.reason, end.code) == ("failed", "unreachable")


async def test_a_record_without_the_address_of_a_session_does_not_end_it(
    harness: EngineHarness, tune: Path
) -> None:
    here = await speaker(harness, 1)
    await start(harness, tune, here)

    await harness.run(Seen(member=member(here, host="127.0.0.9")))
    await asyncio.sleep(1)

    assert here.has_session
    assert len(here.asked("OPTIONS")) == 2
    assert "lost" not in states(harness, here)
    assert (await harness.ended()).reason == "finished"


async def test_a_lone_receiver_that_another_sender_takes_over_is_in_use(
    harness: EngineHarness, tune: Path
) -> None:
    here = await speaker(harness, 1)
    await start(harness, tune, here)

    here.hang_up()

    end = await harness.until(StreamChanged, lambda each: each.state == "ended")
    assert (end.reason, end.code) == ("failed", "taken")
    lost = await harness.until(MemberChanged, lambda each: each.state == "lost")
    assert lost.code == "taken"


async def test_a_takeover_is_not_found_out_after_a_stop(
    harness: EngineHarness, tune: Path
) -> None:
    here = await speaker(harness, 1)
    await start(harness, tune, here)
    here.hang_up()
    await asyncio.sleep(0.2)

    assert await harness.stop() is None

    end = await harness.ended()
    assert end.reason == "stopped"
    await asyncio.sleep(2)
    assert len(harness.events_of(StreamChanged)) == len(harness.states())
    assert harness.states().count("ended") == 1
