"""Receivers that move, restart, or lose an address while their ladder is climbed."""

from pathlib import Path

from custom_components.airplay.raop.messages import Seen
from tests.raop.engine.harness import EngineHarness, member, play, receiver, wav
from tests.virtual_receiver import Quirks, VirtualReceiver

from .test_airplay2 import REALTIME, by, finished, speaker
from .test_choice_climb import BY_NTP, LICENSED, PLAIN, way

SILENT_AFTER_SETUP = Quirks(auth_setup_silences=True)


async def den_of(harness: EngineHarness) -> VirtualReceiver:
    """Add a receiver whose first way is silent, each time at another port."""
    quirks = SILENT_AFTER_SETUP
    return await harness.add(receiver("Den", txt=LICENSED, quirks=quirks))


async def move(of: VirtualReceiver, host: str) -> None:
    """Restart a receiver at another address, at the same port."""
    await of.stop()
    of.host = host
    await of.start()


async def test_a_receiver_that_moves_while_it_is_silent_plays_at_its_new_place(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    old, new = await den_of(harness), await den_of(harness)
    number = harness.submit(play(tmp_path / "song.wav", member(old)))
    await harness.started()

    await harness.run(Seen(member=member(new)))
    await old.stop()

    assert (await harness.reply(number)).code is None
    await finished(harness)
    assert new.heard(pcm).is_complete
    assert way(harness) == PLAIN


async def test_a_receiver_that_moves_while_it_is_connected_is_tried_there_at_once(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    quirks = Quirks(unanswered=frozenset({"ANNOUNCE"}))
    old = await harness.add(receiver("Den", quirks=quirks))
    new = await harness.add(receiver("Den"))
    number = harness.submit(play(tmp_path / "song.wav", member(old)))
    await old.wait_for("ANNOUNCE")

    await harness.run(Seen(member=member(new)))
    await old.stop()

    assert (await harness.reply(number)).code is None
    await finished(harness)
    assert new.heard(pcm).is_complete


async def test_a_ladder_that_was_left_in_the_middle_goes_on_at_the_new_place(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    old, new = await den_of(harness), await den_of(harness)
    harness.submit(play(tmp_path / "song.wav", member(old)))
    await old.wait_until(lambda: len(old.asked("ANNOUNCE")) == 2)
    await harness.stop()
    await old.stop()

    assert await harness.run(play(tmp_path / "song.wav", member(new))) is None
    await finished(harness)

    assert new.heard(pcm).is_complete
    assert len(new.asked("ANNOUNCE")) == 1


async def test_all_addresses_are_tried_again_if_the_one_that_answered_is_lost(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    den = await speaker(harness, follows_ptp=False)
    both = by(den, REALTIME, addresses=("127.0.0.1", "127.0.0.2"))
    number = harness.submit(play(tmp_path / "song.wav", both, lead_ms=None))
    await harness.started()

    await move(den, "127.0.0.2")

    assert (await harness.reply(number)).code is None
    await finished(harness)
    assert den.heard(pcm).is_complete
    assert way(harness) == BY_NTP
