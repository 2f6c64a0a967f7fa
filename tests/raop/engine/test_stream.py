"""Media to sound: the engine against receivers on real sockets."""

import asyncio
from functools import partial
from pathlib import Path
import time
from typing import Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa as rsa_keys
import numpy as np
import pytest

from custom_components.airplay.raop.auth import rsa
from custom_components.airplay.raop.messages import (
    Media,
    MediaChanged,
    MemberChanged,
    Progress,
    SetArtwork,
    SetTags,
    SetVolume,
    Stop,
    StreamChanged,
    Tags,
)
from tests.virtual_receiver import Quirks, VirtualReceiver

from .stage import STREAM, Desk, member, play, receiver, until, wav

MS = 1_000_000
PRECISE_S = 0.002


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Return a file of 0.6 s."""
    wav(tmp_path / "song.wav", 0.6)
    return tmp_path / "song.wav"


@pytest.fixture
def pcm(song: Path) -> bytes:
    """Return the sound of the file."""
    return song.read_bytes()[44:]


def unix(monotonic_ns: int | None) -> float:
    """Return the Unix time of an instant of CLOCK_MONOTONIC."""
    assert monotonic_ns is not None
    return (monotonic_ns + time.time_ns() - time.monotonic_ns()) / 1e9


def heard_at(of: VirtualReceiver, pcm: bytes) -> float:
    """Return the Unix time at which a source's first frame was heard."""
    return unix(of.heard(pcm).first_frame_ns)


async def outcome(
    desk: Desk, of: VirtualReceiver, song: Path, **details: object
) -> str | None:
    """Play a song on a stream of its own and return the error's code, if any."""
    code = await desk.run(play(song, member(of, **details), stream=of.name))
    end = await desk.ended(of.name)
    assert end.code == code
    return code


async def outcomes(
    desk: Desk, song: Path, quirks: dict[str, Quirks], **details: object
) -> dict[str, str | None]:
    """Play on many receivers at once, each in a stream of its own."""
    all_of = [
        await desk.add(receiver(name, quirks=each)) for name, each in quirks.items()
    ]
    codes = await asyncio.gather(
        *(outcome(desk, each, song, **details) for each in all_of)
    )
    return dict(zip(quirks, codes, strict=True))


# What is heard, and when


async def test_a_file_is_heard_to_the_end_bit_by_bit_from_the_instant_that_was_told(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)

    assert await desk.run(play(tmp_path / "song.wav", member(kitchen))) is None
    end = await desk.ended()

    heard = kitchen.heard(pcm)
    assert heard.is_complete
    assert heard.frames == 44_100
    started = await desk.started()
    assert abs(heard_at(kitchen, pcm) - started.at) < PRECISE_S
    assert abs(unix(kitchen.stats.first_packet_ns) - started.first_packet_at) < 0.1
    assert desk.states() == ["connecting", "buffering", "playing", "ended"]
    assert (end.reason, end.code) == ("finished", None)
    assert kitchen.violations == []
    assert kitchen.stats.missing == 0


async def test_play_is_answered_when_it_is_heard(
    desk: Desk, kitchen: VirtualReceiver, song: Path
) -> None:
    assert await desk.run(play(song, member(kitchen))) is None

    assert time.time() >= (await desk.started()).at
    assert desk.states()[-1] == "playing"
    position = (await desk.state("playing")).position_ms
    assert position < 600


async def test_the_first_frame_is_heard_at_the_instant_that_is_wanted(
    desk: Desk, kitchen: VirtualReceiver, song: Path, pcm: bytes
) -> None:
    at = time.time() + 0.8

    assert await desk.run(play(song, member(kitchen), start_at=at)) is None
    await desk.ended()

    assert abs((await desk.started()).at - at) < 0.0001
    assert abs(heard_at(kitchen, pcm) - at) < PRECISE_S
    assert kitchen.heard(pcm).is_complete


async def test_an_instant_that_is_past_means_as_soon_as_possible(
    desk: Desk, kitchen: VirtualReceiver, song: Path, pcm: bytes
) -> None:
    begun = time.time()

    command = play(song, member(kitchen), start_at=begun - 60, depth_ms=300)
    assert await desk.run(command) is None
    await desk.ended()

    assert begun + 0.3 < (await desk.started()).at < begun + 1.5
    assert kitchen.heard(pcm).is_complete


async def test_two_receivers_play_the_same_frame_at_the_same_time(
    desk: Desk, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    ahead = receiver("Ahead", clock_offset_ns=7_000 * MS, clock_drift_ppm=30)
    behind = receiver("Behind", receiver_id="0A0B0C0D0E02", clock_offset_ns=-9)
    members = [member(await desk.add(each)) for each in (ahead, behind)]

    assert await desk.run(play(tmp_path / "song.wav", *members)) is None
    await desk.ended()

    one, other = ahead.play_times(), behind.play_times()
    assert one.keys() == other.keys()
    first, second = ahead.heard(pcm), behind.heard(pcm)
    assert first.is_complete
    assert second.is_complete
    apart = [abs(one[rtptime] - other[rtptime]) for rtptime in one]
    assert sorted(apart)[len(apart) // 2] < 50_000


async def test_a_group_of_unlike_receivers_hears_the_same(
    desk: Desk, song: Path, pcm: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = rsa_keys.generate_private_key(65537, 2048)
    monkeypatch.setattr(rsa, "_PUBLIC_KEY", private.public_key())
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    group = [
        receiver("Plain"),
        receiver("Sealed", open_key=lambda key: private.decrypt(key, oaep)),
        receiver("Also sealed", open_key=lambda key: private.decrypt(key, oaep)),
        receiver("L16", txt={"cn": "0"}),
        receiver("IPv6", host="::1"),
        receiver("Locked", password="sesame"),
        receiver("Picky", quirks=Quirks(uppercase_digest=True), password="sesame"),
    ]
    for number, each in enumerate(group):
        each.receiver_id = f"0A0B0C0D0E{number:02}"
    members = [member(await desk.add(each), password=each.password) for each in group]

    assert await desk.run(play(song, *members)) is None
    await desk.ended()

    for each in group:
        assert each.heard(pcm).is_complete, each.name
        assert each.violations == [], each.name
    announced = {each.name: each.asked("ANNOUNCE")[-1].body for each in group}
    assert {name for name, body in announced.items() if b"rsaaeskey" in body} == {
        "Sealed",
        "Also sealed",
    }
    assert b"L16/44100/2" in announced["L16"]
    assert b"IN IP6 ::1" in announced["IPv6"]


async def test_lost_packets_are_sent_again_until_no_frame_is_missing(
    desk: Desk, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 2)
    lossy = [
        receiver(
            f"{loss}",
            receiver_id=f"0A0B0C0D0E{loss:02}",
            quirks=Quirks(loss=loss / 100, seed=3),
        )
        for loss in (1, 5)
    ]
    members = [member(await desk.add(each)) for each in lossy]

    command = play(tmp_path / "song.wav", *members, depth_ms=1500, lead_ms=1500)
    assert await desk.run(command) is None
    await desk.ended()

    for each in lossy:
        assert each.stats.lost_by_quirk > 0
        assert each.heard(pcm).is_complete
        assert each.stats.resent >= each.stats.lost_by_quirk / 2


async def test_receivers_that_ask_for_everything_again_disturb_nobody(
    desk: Desk, song: Path, pcm: bytes
) -> None:
    quirks = {
        "Burst": Quirks(ask_burst=1000),
        "Often": Quirks(ask_received_every=2),
        "Never sent": Quirks(ask_never_sent=True),
        "Many times": Quirks(timing_copies=50),
    }
    noisy = [
        await desk.add(receiver(name, quirks=each)) for name, each in quirks.items()
    ]
    for number, each in enumerate(noisy):
        each.receiver_id = f"0A0B0C0D0E{number:02}"

    members = [member(each) for each in noisy]
    assert await desk.run(play(song, *members)) is None
    await desk.ended()

    assert {each.name: each.heard(pcm).is_complete for each in noisy} == dict.fromkeys(
        quirks, True
    )


async def test_odd_receivers_are_played_to_all_the_same(
    desk: Desk, song: Path, pcm: bytes
) -> None:
    quirks = {
        "byte by byte": Quirks(byte_by_byte=True),
        "wrong CSeq": Quirks(wrong_cseq=True),
        "no timing port": Quirks(zero_timing_port=True),
        "no OPTIONS": Quirks(refuse={"OPTIONS": 404}),
        "no SET_PARAMETER": Quirks(refuse={"SET_PARAMETER": 501}),
        "no GET_PARAMETER": Quirks(refuse={"GET_PARAMETER": 501}),
        "no TEARDOWN": Quirks(refuse={"TEARDOWN": 500}),
        "mute at first": Quirks(mutes_first_packets=9),
        "forgets before sync": Quirks(drops_audio_before_sync=True),
        "auth-setup wanted": Quirks(requires_auth_setup=True),
        "slow": Quirks(setup_delay_s=0.2),
        "jitter": Quirks(jitter_s=0.02),
    }

    codes = await outcomes(desk, song, quirks, volume=50)

    assert codes == dict.fromkeys(quirks)
    for each in desk.receivers:
        assert each.heard(pcm).is_complete, each.name
        assert each.violations == [], each.name


async def test_auth_setup_is_asked_for_by_record_and_left_out_where_it_does_harm(
    desk: Desk, song: Path, pcm: bytes
) -> None:
    wanted = {"et": "0,4"}
    needs_it = receiver("Needs", txt=wanted, quirks=Quirks(requires_auth_setup=True))
    hates_it = receiver("Hates", txt=wanted, quirks=Quirks(drop_at="POST"))
    fails_it = receiver("Fails", txt=wanted, quirks=Quirks(auth_setup_status=500))
    for each in (needs_it, hates_it, fails_it):
        await desk.add(each)

    codes = await asyncio.gather(
        *(outcome(desk, each, song) for each in (needs_it, hates_it, fails_it))
    )

    assert codes == [None, None, None]
    assert all(each.heard(pcm).is_complete for each in (needs_it, hates_it, fails_it))
    methods = [request.method for request in needs_it.requests[:3]]
    assert methods == ["OPTIONS", "POST", "ANNOUNCE"]
    assert (hates_it.connections, len(hates_it.asked("POST"))) == (2, 1)


# What goes wrong


async def test_passwords_are_proved_or_the_user_is_told(
    desk: Desk, song: Path, pcm: bytes
) -> None:
    names = ("right", "wrong", "missing")
    locked = [await desk.add(receiver(name, password="sesame")) for name in names]

    right, wrong, missing = await asyncio.gather(
        outcome(desk, locked[0], song, password="sesame"),
        outcome(desk, locked[1], song, password="open"),
        outcome(desk, locked[2], song),
    )

    assert right is None
    assert (wrong, missing) == ("auth_failed", "password_required")
    assert locked[0].heard(pcm).is_complete


async def test_every_refusal_has_its_code(desk: Desk, song: Path) -> None:
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
        "unreachable SET_PARAMETER": Quirks(drop_at="SET_PARAMETER"),
        "unreachable at once": Quirks(drop_after_s=0),
        "unreachable after 1 ms": Quirks(drop_after_s=0.001),
        "unreachable after 10 ms": Quirks(drop_after_s=0.01),
        "unreachable after 300 ms": Quirks(drop_after_s=0.3),
    }

    codes = await outcomes(desk, song, quirks, volume=50)

    assert codes == {name: name.split()[0] for name in quirks}


async def test_a_connection_that_ends_right_after_record_is_a_failure_without_volume_too(
    desk: Desk, song: Path
) -> None:
    quirks = {f"after {ms} ms": Quirks(drop_after_s=ms / 1000) for ms in range(8)}

    codes = await outcomes(desk, song, quirks)

    assert codes == dict.fromkeys(quirks, "unreachable")
    await asyncio.sleep(0.5)
    for name in quirks:
        assert desk.states(name)[-1] == "ended"


async def test_silence_is_noticed_within_seconds(desk: Desk, song: Path) -> None:
    begun = time.monotonic()

    codes = await outcomes(
        desk,
        song,
        {
            "silent": Quirks(asks_time=False),
            "unreachable": Quirks(unanswered=frozenset({"SETUP"})),
        },
    )

    assert codes == {"silent": "silent", "unreachable": "unreachable"}
    assert time.monotonic() - begun < 6


async def test_nobody_at_the_address_is_unreachable(desk: Desk, song: Path) -> None:
    gone = receiver("Gone")
    await gone.start()
    await gone.stop()

    assert await outcome(desk, gone, song) == "unreachable"


async def test_a_receiver_that_cannot_play_is_not_even_called(
    desk: Desk, kitchen: VirtualReceiver, song: Path
) -> None:
    assert await outcome(desk, kitchen, song, txt={"tp": "TCP"}) == "unsupported"

    assert kitchen.connections == 0


async def test_media_that_is_missing_is_told_and_the_receiver_is_freed(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")

    assert await outcome(desk, kitchen, tmp_path / "none.wav") == "media_not_found"
    assert "none.wav" in (await desk.ended(kitchen.name)).text
    desk.events.clear()
    assert await outcome(desk, kitchen, tmp_path / "empty.wav") == "media_empty"
    assert not kitchen.has_session


async def test_a_second_sender_is_told_that_the_receiver_is_busy(
    desk: Desk, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    loyal = await desk.add(receiver("Loyal", quirks=Quirks(takes_over=False)))

    assert await desk.run(play(tmp_path / "song.wav", member(loyal))) is None
    second = play(tmp_path / "song.wav", member(loyal), stream="second")
    assert await desk.run(second) == "busy"

    await desk.ended()
    assert loyal.heard(pcm).is_complete


async def test_a_receiver_that_vanishes_in_mid_song_ends_the_stream(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    assert await desk.run(play(tmp_path / "song.wav", member(kitchen))) is None

    kitchen.disconnect()

    end = await desk.ended(timeout_s=2)
    assert (end.reason, end.code) == ("failed", "unreachable")
    assert end.receiver == kitchen.receiver_id.lower()
    lost = await desk.until(MemberChanged, lambda each: each.state == "lost")
    assert lost.code == "unreachable"


async def test_the_others_play_on_when_one_cannot_or_vanishes(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    busy = receiver(
        "Busy", receiver_id="0A0B0C0D0E02", quirks=Quirks(refuse={"ANNOUNCE": 453})
    )
    leaving = receiver("Leaving", receiver_id="0A0B0C0D0E03")
    members = [member(kitchen)]
    members += [member(await desk.add(each)) for each in (busy, leaving)]

    assert await desk.run(play(tmp_path / "song.wav", *members)) is None
    leaving.disconnect()
    assert (await desk.ended()).reason == "finished"

    assert kitchen.heard(pcm).is_complete
    lost = [each for each in desk.told(MemberChanged) if each.state == "lost"]
    assert [(each.receiver[-2:], each.code) for each in lost] == [
        ("02", "busy"),
        ("03", "unreachable"),
    ]


# One command after the other


async def test_new_media_takes_the_session_over(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    first = wav(tmp_path / "first.wav", 5)
    second = wav(tmp_path / "second.wav", 0.6, seed=2)
    assert await desk.run(play(tmp_path / "first.wav", member(kitchen))) is None
    await kitchen.wait_frames(24 * 352 + 8820)
    desk.events.clear()
    begun = time.time()

    command = play(tmp_path / "second.wav", member(kitchen), lead_ms=500)
    assert await desk.run(command) is None
    await desk.ended()

    assert len(kitchen.asked("ANNOUNCE")) == len(kitchen.asked("FLUSH")) == 1
    assert kitchen.heard(second).is_complete
    started = await desk.started()
    assert abs(heard_at(kitchen, second) - started.at) < PRECISE_S
    assert started.at - begun < 1.5
    assert kitchen.heard(first[: 4410 * 4]).is_complete
    assert kitchen.heard(first[-4410 * 4 :]).frames == 0
    told = [each.position_ms for each in desk.told(Progress)]
    assert all(position < 700 for position in told)


async def test_new_media_that_fails_leaves_the_old_one_playing(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 1)
    assert await desk.run(play(tmp_path / "song.wav", member(kitchen))) is None

    missing = await desk.run(play(tmp_path / "none.wav", member(kitchen)))

    assert missing == "media_not_found"
    assert (await desk.ended()).reason == "finished"
    assert kitchen.heard(pcm).is_complete
    assert not kitchen.asked("FLUSH")


async def test_a_refused_flush_leads_to_a_new_session(
    desk: Desk, tmp_path: Path
) -> None:
    wav(tmp_path / "first.wav", 5)
    second = wav(tmp_path / "second.wav", 0.6, seed=2)
    stubborn = await desk.add(
        receiver("Stubborn", quirks=Quirks(refuse={"FLUSH": 500}))
    )
    assert await desk.run(play(tmp_path / "first.wav", member(stubborn))) is None

    assert await desk.run(play(tmp_path / "second.wav", member(stubborn))) is None
    await desk.ended()

    assert len(stubborn.asked("ANNOUNCE")) == 2
    assert stubborn.heard(second).is_complete


async def test_stop_frees_the_receiver(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    assert await desk.run(play(tmp_path / "song.wav", member(kitchen))) is None

    assert await desk.stop() is None

    assert not kitchen.has_session
    assert len(kitchen.asked("TEARDOWN")) == 1
    end = await desk.ended()
    assert (end.reason, end.code) == ("stopped", None)


async def test_stop_of_what_does_not_play_is_done_at_once(desk: Desk) -> None:
    assert await desk.stop() is None
    assert desk.states() == []


@pytest.mark.parametrize("step", ["OPTIONS", "ANNOUNCE", "SETUP", "RECORD"])
async def test_stop_ends_a_play_at_every_step_of_its_connection(
    desk: Desk, song: Path, step: str
) -> None:
    slow = await desk.add(receiver("Slow", quirks=Quirks(reply_delay_s={step: 0.3})))
    playing = desk.submit(play(song, member(slow)))
    await slow.wait_for(step)

    assert await desk.stop() is None

    assert (await desk.reply(playing)).code == "stopped"
    assert (await desk.ended()).reason == "stopped"
    await slow.wait_idle(1)
    assert slow.recording.frames == 0


async def test_a_newer_play_takes_the_place_of_an_older_one(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "first.wav", 0.6)
    second = wav(tmp_path / "second.wav", 0.6, seed=2)
    slow = await desk.add(
        receiver("Slow", receiver_id="0A0B0C0D0E02", quirks=Quirks(setup_delay_s=1))
    )
    older = desk.submit(play(tmp_path / "first.wav", member(slow)))
    await slow.wait_for("SETUP")

    assert await desk.run(play(tmp_path / "second.wav", member(kitchen))) is None

    assert (await desk.reply(older)).code == "superseded"
    await desk.until(
        StreamChanged, lambda each: (each.state, each.reason) == ("ended", "finished")
    )
    assert kitchen.heard(second).is_complete
    assert slow.recording.frames == 0


async def test_of_many_commands_at_once_the_last_one_counts(
    desk: Desk, kitchen: VirtualReceiver, song: Path, pcm: bytes
) -> None:
    numbers = [desk.submit(play(song, member(kitchen))) for _ in range(10)]

    codes = [(await desk.reply(number)).code for number in numbers]

    assert codes == ["superseded"] * 9 + [None]
    await desk.until(
        StreamChanged, lambda each: (each.state, each.reason) == ("ended", "finished")
    )
    assert kitchen.heard(pcm).is_complete


async def test_a_receiver_that_ignores_teardown_is_released_when_a_play_follows_stop(
    desk: Desk, song: Path, pcm: bytes
) -> None:
    quirks = Quirks(reply_delay_s={"TEARDOWN": 0.8}, takes_over=False)
    slow = await desk.add(receiver("Slow", quirks=quirks))
    assert await desk.run(play(song, member(slow))) is None
    stopping = desk.submit(Stop(stream=STREAM))
    await slow.wait_for("TEARDOWN")

    assert await desk.run(play(song, member(slow))) is None

    assert (await desk.reply(stopping)).code in (None, "superseded")
    await desk.until(
        StreamChanged, lambda each: (each.state, each.reason) == ("ended", "finished")
    )
    assert slow.heard(pcm).is_complete


async def test_a_play_while_the_last_song_is_being_ended_is_not_ended_with_it(
    desk: Desk, song: Path, pcm: bytes
) -> None:
    quirks = Quirks(reply_delay_s={"TEARDOWN": 0.5})
    slow = await desk.add(receiver("Slow", quirks=quirks))
    assert await desk.run(play(song, member(slow))) is None
    await slow.wait_for("TEARDOWN")
    desk.events.clear()

    assert await desk.run(play(song, member(slow))) is None
    await desk.state("playing")
    await until(
        lambda: desk.states()[-2:] == ["playing", "ended"], "states", desk.states
    )

    states = desk.states()
    assert states[states.index("connecting") :] == [
        "connecting",
        "buffering",
        "playing",
        "ended",
    ]
    assert slow.heard(pcm).is_complete


# Levels, words, pictures


def has_level(of: VirtualReceiver, level: float) -> bool:
    return of.volume_db == level


async def test_of_many_levels_in_a_row_the_last_one_counts(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 3)
    name = kitchen.receiver_id.lower()
    command = play(tmp_path / "song.wav", member(kitchen, volume=10))
    assert await desk.run(command) is None
    assert [each.volume_db for each in kitchen.volumes] == [-27.0]

    for percent in range(50):
        desk.submit(SetVolume(receiver=name, volume=percent))
    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(-15.3))
    assert len(kitchen.volumes) < 6

    for percent, is_muted, level in (
        (400, False, 0.0),
        (-5, False, -144.0),
        (70, True, -144.0),
        (70, False, -9.0),
    ):
        command_ = SetVolume(receiver=name, volume=percent, muted=is_muted)
        assert await desk.run(command_) is None
        await kitchen.wait_until(partial(has_level, kitchen, level))
    assert kitchen.violations == []


async def test_a_level_set_while_the_receiver_is_being_connected_counts(
    desk: Desk, song: Path
) -> None:
    slow = await desk.add(receiver("Slow", quirks=Quirks(setup_delay_s=0.3)))
    playing = desk.submit(play(song, member(slow, volume=10)))
    await slow.wait_for("SETUP")

    await desk.run(SetVolume(receiver=slow.receiver_id.lower(), volume=50))
    assert (await desk.reply(playing)).code is None

    await slow.wait_until(lambda: slow.volume_db == -15.0, 2)


async def test_a_level_for_nobody_is_no_error(desk: Desk) -> None:
    assert await desk.run(SetVolume(receiver="nobody", volume=5)) is None


async def test_receivers_show_what_plays(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 3)
    tags = Tags(title="Song", artist="Artist", album="Album")
    media = Media(url=str(tmp_path / "song.wav"), name="song.wav", tags=tags)
    command = play(tmp_path / "song.wav", member(kitchen), media=media)
    assert await desk.run(command) is None

    song = kitchen.song
    await kitchen.wait_until(lambda: song.title == "Song" and song.progress is not None)
    assert (song.artist, song.album) == ("Artist", "Album")
    assert song.progress is not None
    start, now, end = song.progress
    assert (end - start) & 0xFFFFFFFF == 3 * 44_100
    assert (now - start) & 0xFFFFFFFF < 44_100
    shown = await desk.until(MediaChanged)
    assert (shown.tags, shown.duration_ms) == (tags, 3000)

    picture = SetArtwork(stream=STREAM, picture="iVBORw==", content_type="image/png")
    assert await desk.run(picture) is None
    await kitchen.wait_until(lambda: song.artwork == b"\x89PNG")
    assert await desk.run(SetArtwork(stream=STREAM, picture="")) is None
    await kitchen.wait_until(lambda: song.artwork_type == "image/none")
    assert await desk.run(SetArtwork(stream=STREAM, picture="no!")) == "failed"

    assert await desk.run(SetTags(stream=STREAM, tags=Tags(title="Other"))) is None
    await kitchen.wait_until(lambda: song.title == "Other")
    assert song.artist == "Artist"
    assert kitchen.violations == []


async def test_words_and_pictures_for_nobody_are_no_error(desk: Desk) -> None:
    assert await desk.run(SetTags(stream="none", tags=Tags())) is None
    assert await desk.run(SetArtwork(stream="none", picture="")) is None


# A source that pauses


class Server:
    """Hands a file out over HTTP, and stops in the middle until told to go on."""

    def __init__(self, body: bytes, pause_at: int) -> None:
        self._body = body
        self._pause_at = pause_at
        self.go_on = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n" % len(self._body)
            )
            writer.write(self._body[: self._pause_at])
            await writer.drain()
            await self.go_on.wait()
            writer.write(self._body[self._pause_at :])
            await writer.drain()
        except ConnectionError, asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


async def test_a_source_that_pauses_is_padded_with_silence_and_goes_on(
    desk: Desk, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 2.5)
    body = (tmp_path / "song.wav").read_bytes()
    async with Server(body, pause_at=44 + 44_100 * 4 * 5 // 4) as server:
        url = f"http://127.0.0.1:{server.port}/song.wav"
        playing = desk.submit(play(url, member(kitchen)))
        await desk.state("playing")
        await desk.until(
            StreamChanged, lambda _: desk.states()[-2:] == ["playing", "buffering"]
        )
        assert (await desk.reply(playing)).code is None
        await desk.until(Progress, lambda each: each.silence_ms > 0)
        server.go_on.set()
        await desk.ended()

    heard = np.frombuffer(kitchen.pcm, np.uint32)
    assert heard[heard > 0].tobytes() == pcm
    assert desk.states()[-2:] == ["playing", "ended"]
    assert len(kitchen.played) == 1
