"""Errors of the engine if a receiver or the media does not play."""

import asyncio
from pathlib import Path
import time

from custom_components.airplay.raop.messages import MemberChanged
from tests.raop.engine.harness import (
    EngineHarness,
    member,
    outcome,
    outcomes,
    play,
    receiver,
    wav,
)
from tests.virtual_receiver import Quirks, VirtualReceiver


async def test_passwords_are_proved_and_wrong_ones_are_reported(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    names = ("right", "wrong", "missing")
    locked = [await harness.add(receiver(name, password="sesame")) for name in names]

    right, wrong, missing = await asyncio.gather(
        outcome(harness, locked[0], song, password="sesame"),
        outcome(harness, locked[1], song, password="open"),
        outcome(harness, locked[2], song),
    )

    assert right is None
    assert (wrong, missing) == ("auth_failed", "password_required")
    assert locked[0].heard(pcm).is_complete


async def test_every_refusal_has_its_code(harness: EngineHarness, song: Path) -> None:
    quirks = {
        "busy 453": Quirks(refuse={"ANNOUNCE": 453}),
        "busy 503": Quirks(refuse={"SETUP": 503}),
        "busy 200": Quirks(refuse_as_200=frozenset({"SETUP"})),
        "refused ANNOUNCE": Quirks(refuse={"ANNOUNCE": 500}),
        "refused SETUP": Quirks(refuse={"SETUP": 455}),
        "refused RECORD": Quirks(refuse={"RECORD": 500}),
        "unsupported": Quirks(refuse={"ANNOUNCE": 406}),
        "pairing_required": Quirks(refuse={"OPTIONS": 403}),
        "pairing_required 470": Quirks(refuse={"ANNOUNCE": 470}),
        "protocol garbage": Quirks(garbage_reply=frozenset({"SETUP"})),
        "protocol headers": Quirks(endless_headers=frozenset({"ANNOUNCE"})),
        "unreachable OPTIONS": Quirks(drop_at="OPTIONS"),
        "unreachable ANNOUNCE": Quirks(drop_at="ANNOUNCE"),
        "unreachable SETUP": Quirks(drop_at="SETUP"),
        "unreachable RECORD": Quirks(drop_at="RECORD"),
        "unreachable at once": Quirks(drop_after_s=0),
        "unreachable after 1 ms": Quirks(drop_after_s=0.001),
        "unreachable after 10 ms": Quirks(drop_after_s=0.01),
        "unreachable after 300 ms": Quirks(drop_after_s=0.3),
    }

    codes = await outcomes(harness, song, quirks, volume=50)

    assert codes == {name: name.split()[0] for name in quirks}


async def test_a_connection_that_ends_right_after_record_is_a_failure_without_volume_too(
    harness: EngineHarness, song: Path
) -> None:
    quirks = {f"after {ms} ms": Quirks(drop_after_s=ms / 1000) for ms in range(8)}

    codes = await outcomes(harness, song, quirks)

    assert codes == dict.fromkeys(quirks, "unreachable")
    await asyncio.sleep(0.5)
    for name in quirks:
        assert harness.states(name)[-1] == "ended"


async def test_silence_is_noticed_within_seconds(
    harness: EngineHarness, song: Path
) -> None:
    begun = time.monotonic()

    codes = await outcomes(
        harness,
        song,
        {
            "silent": Quirks(asks_time=False),
            "unreachable": Quirks(unanswered=frozenset({"SETUP"})),
        },
    )

    assert codes == {"silent": "silent", "unreachable": "unreachable"}
    assert time.monotonic() - begun < 6


async def test_a_free_address_is_unreachable(
    harness: EngineHarness, song: Path
) -> None:
    gone = receiver("Gone")
    await gone.start()
    await gone.stop()

    assert await outcome(harness, gone, song) == "unreachable"


async def test_a_receiver_that_cannot_play_is_not_even_called(
    harness: EngineHarness, kitchen: VirtualReceiver, song: Path
) -> None:
    assert await outcome(harness, kitchen, song, txt={"tp": "TCP"}) == "unsupported"

    assert kitchen.connections == 0


async def test_missing_media_is_reported_and_the_receiver_is_freed(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")

    assert await outcome(harness, kitchen, tmp_path / "none.wav") == "media_not_found"
    assert "none.wav" in (await harness.ended(kitchen.name)).text
    harness.events.clear()
    assert await outcome(harness, kitchen, tmp_path / "empty.wav") == "media_empty"
    assert not kitchen.has_session


async def test_a_second_sender_gets_the_error_busy(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    loyal = await harness.add(receiver("Loyal", quirks=Quirks(takes_over=False)))

    assert await harness.run(play(tmp_path / "song.wav", member(loyal))) is None
    second = play(tmp_path / "song.wav", member(loyal), stream="second")
    assert await harness.run(second) == "busy"

    await harness.ended()
    assert loyal.heard(pcm).is_complete


async def test_a_receiver_that_vanishes_in_mid_song_ends_the_stream(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) is None

    kitchen.disconnect()

    end = await harness.ended()
    assert (end.reason, end.code) == ("failed", "unreachable")
    assert end.receiver == kitchen.receiver_id.lower()
    lost = await harness.until(MemberChanged, lambda each: each.state == "lost")
    assert lost.code == "unreachable"


async def test_the_others_play_on_when_one_cannot_or_vanishes(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    busy = receiver(
        "Busy", receiver_id="0A0B0C0D0E02", quirks=Quirks(refuse={"ANNOUNCE": 453})
    )
    leaving = receiver("Leaving", receiver_id="0A0B0C0D0E03")
    members = [member(kitchen)]
    members += [member(await harness.add(each)) for each in (busy, leaving)]

    assert await harness.run(play(tmp_path / "song.wav", *members)) is None
    leaving.disconnect()
    assert (await harness.ended()).reason == "finished"

    assert kitchen.heard(pcm).is_complete
    lost = [each for each in harness.events_of(MemberChanged) if each.state == "lost"]
    assert [(each.receiver[-2:], each.code) for each in lost] == [
        ("02", "busy"),
        ("03", "unreachable"),
    ]
