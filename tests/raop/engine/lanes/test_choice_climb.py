"""From refusal or silence to sound: each way that fails makes room for the next.

The receivers do what public reports describe; what they play is compared bit by bit.
"""

from pathlib import Path
import time

import pytest

from custom_components.airplay.raop.engine.net import connection, open_way
from custom_components.airplay.raop.messages import Join, MemberChanged, Play
from custom_components.airplay.raop.session import ladder
from custom_components.airplay.raop.session.climbing.patience import Patience
from tests.raop.engine.announcing import announce, target
from tests.raop.engine.harness import STREAM, EngineHarness, member, play, receiver, wav
from tests.virtual_receiver import Quirks, Reaction

from .test_airplay2 import BUFFERED, REALTIME, by, finished, speaker

# First sound, or a diagnosis, for the worst receiver.
BOUND_S = 12.0
LICENSED = {"et": "0,4"}
MFI = "raop ntp none auth-setup"
PLAIN = "raop ntp none"
RSA = "raop ntp none rsa"
BY_NTP = f"{REALTIME} ntp open"


def way(harness: EngineHarness) -> str | None:
    """Return the way by which the last receiver plays, without what its starts taught."""
    playing = [
        each for each in harness.events_of(MemberChanged) if each.state == "playing"
    ]
    if not playing or playing[-1].way is None:
        return None
    words = playing[-1].way.split()
    return " ".join(each for each in words if not each.startswith(("lead=", "calm=")))


async def start_s(harness: EngineHarness, command: Play) -> float:
    """Play, and return how long that took."""
    begun = time.monotonic()
    assert await harness.run(command) is None
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("quirks", "expected"),
    [
        # RX-V773: 200, and then silence.
        ({"auth_setup_silences": True}, PLAIN),
        ({"auth_setup_status": 404}, MFI),
        ({"requires_auth_setup": True}, MFI),
        ({"unanswered": frozenset({"POST"})}, PLAIN),
        ({"drop_at": "/auth-setup"}, PLAIN),
    ],
)
async def test_auth_setup_is_sent_or_omitted_by_evidence(
    harness: EngineHarness,
    tmp_path: Path,
    quirks: dict[str, object],
    expected: str,
) -> None:
    pcm = wav(tmp_path / "song.wav", 4)
    den = await harness.add(receiver("Den", txt=LICENSED, quirks=Quirks(**quirks)))  # type: ignore[arg-type]
    command = play(tmp_path / "song.wav", member(den))

    assert await start_s(harness, command) < BOUND_S
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert way(harness) == expected
    # The second start goes the same way at once.
    den.clear()
    assert await harness.run(command) is None
    assert len(den.asked("ANNOUNCE")) == 1
    await harness.stop()


async def test_auth_setup_is_sent_to_a_receiver_that_asks_for_it_by_403(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    den = await harness.add(receiver("Den", quirks=Quirks(requires_auth_setup=True)))

    assert await harness.run(play(song, member(den))) is None
    await harness.ended()

    assert den.heard(pcm).is_complete
    assert way(harness) == MFI


async def test_what_worked_in_another_process_is_tried_first(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    quirks = Quirks(auth_setup_silences=True)
    den = await harness.add(receiver("Den", txt=LICENSED, quirks=quirks))

    assert await harness.run(play(song, member(den, first_way=PLAIN))) is None
    await harness.ended()

    assert den.heard(pcm).is_complete
    assert len(den.asked("ANNOUNCE")) == 1


async def test_a_television_that_never_asks_for_ptp_plays_by_ntp(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    den = await speaker(harness, follows_ptp=False)
    command = play(tmp_path / "song.wav", by(den, "airplay2"), lead_ms=None)

    assert await start_s(harness, command) < BOUND_S
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert way(harness) == BY_NTP
    den.clear()
    assert await harness.run(command) is None
    assert len(den.asked("RECORD")) == 1
    await harness.stop()


async def test_a_password_that_is_asked_for_by_digest_is_no_secret_of_later_pairings(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    den = await speaker(harness, password="secret", setup_wants_digest=True)
    command = play(song, by(den, REALTIME, password="secret"), lead_ms=None)
    assert await harness.run(command) is None
    await harness.stop()
    den.clear()

    assert await harness.run(command) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    asked = [each.uri for each in den.asked("POST")]
    # M1 and M3 of one pairing.
    assert asked.count("/pair-setup") == 2


async def test_the_choice_of_ntp_is_the_only_way(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    den = await speaker(harness)

    assert await harness.run(play(song, by(den, "airplay2-ntp"))) is None
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert way(harness) == BY_NTP
    assert not den.asked("ANNOUNCE")


@pytest.mark.parametrize(
    "quirks",
    [
        {"raop_refuse": {"RECORD": 500}},
        {"raop_refuse": {"ANNOUNCE": 403}},
        {"raop_refuse": {"ANNOUNCE": 470}},
        {"raop_refuse": {"ANNOUNCE": 500}},
        {"raop_refuse": {"ANNOUNCE": 400}},
        {"raop_refuse": {"SETUP": 500}},
        {"raop_unanswered": frozenset({"RECORD"})},
        {"raop_unanswered": frozenset({"SETUP"})},
        {"raop_unanswered": frozenset({"ANNOUNCE"})},
        {"raop_unanswered": frozenset({"OPTIONS"})},
    ],
)
async def test_a_receiver_that_is_poor_at_raop_is_played_to_by_airplay_2(
    harness: EngineHarness, tmp_path: Path, quirks: dict[str, object]
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    den = await speaker(harness, **quirks)  # type: ignore[arg-type]
    # Two ports, so that one that never answers says nothing about the other.
    command = play(tmp_path / "song.wav", by(den), lead_ms=None)

    if "OPTIONS" in str(quirks):
        assert await harness.run(command) == "unreachable"
        return
    assert await start_s(harness, command) < BOUND_S
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert (way(harness) or "").startswith("airplay2")


@pytest.mark.parametrize(
    "quirks",
    [
        {"unanswered": frozenset({"SETRATEANCHORTIME"})},
        {"refuse": {"SETRATEANCHORTIME": 500}},
    ],
)
async def test_a_buffered_stream_without_an_anchor_makes_room_for_realtime(
    harness: EngineHarness, tmp_path: Path, quirks: dict[str, object]
) -> None:
    pcm = wav(tmp_path / "song.wav", 3)
    den = await speaker(harness, **quirks)  # type: ignore[arg-type]
    known = by(den, "airplay2", first_way=f"{BUFFERED} ptp-lead open")
    command = play(tmp_path / "song.wav", known, lead_ms=None)

    assert await start_s(harness, command) < BOUND_S
    await finished(harness)

    assert den.heard(pcm).is_complete
    assert way(harness) == f"{REALTIME} ptp-lead open"


async def test_a_receiver_that_never_asks_for_the_time_plays_on(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 7)
    cheap = {"am": None, "vs": "130.14", "vn": "3", "tp": "UDP"}
    quirks = Quirks(plays_by_arrival=True)
    den = await harness.add(receiver("Den", txt=cheap, quirks=quirks))

    assert await harness.run(play(tmp_path / "song.wav", member(den))) is None
    await harness.ended()

    assert den.heard(pcm).is_complete
    [changed] = [
        each for each in harness.events_of(MemberChanged) if each.state == "playing"
    ]
    assert not changed.is_confirmed


async def test_a_group_is_whole_on_a_receiver_that_never_asks_for_the_time(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 7)
    cheap = {"am": None, "vs": "130.14", "vn": "3", "tp": "UDP"}
    quirks = Quirks(plays_by_arrival=True)
    den = await harness.add(receiver("Den", txt=cheap, quirks=quirks))
    hall = await harness.add(receiver("Hall", receiver_id="0A0B0C0D0E02"))

    command = play(tmp_path / "song.wav", member(den), member(hall))
    assert await harness.run(command) is None
    await harness.ended()

    assert den.heard(pcm).is_complete
    assert hall.heard(pcm).is_complete
    assert len(den.asked("ANNOUNCE")) == 1


@pytest.mark.parametrize("status", [400, 0])
async def test_a_receiver_without_a_record_gets_rsa_if_it_wants_it(
    harness: EngineHarness, song: Path, pcm: bytes, status: int
) -> None:
    quirks = Quirks(needs_rsa=True, needs_rsa_status=status)
    den = await harness.add(
        receiver("Den", quirks=quirks, open_key=lambda key: key[:16])
    )

    # The key cannot be opened here; what counts is the way.
    await harness.run(play(song, member(den, txt={})))
    await harness.stop()

    assert b"rsaaeskey" in den.asked("ANNOUNCE")[-1].body


def keyed(method: str, reply: bytes) -> bytes:
    """Let a receiver answer the challenge, as one with the AirPort's key does."""
    answer = b"\r\nApple-Response: AAAA\r\n"
    return reply.replace(b"\r\n", answer, 1) if method == "OPTIONS" else reply


async def test_a_receiver_with_the_key_that_refuses_is_asked_once(
    harness: EngineHarness, song: Path
) -> None:
    quirks = Quirks(refuse={"ANNOUNCE": 500}, rewrite=keyed)
    den = await harness.add(receiver("Den", quirks=quirks))

    assert await harness.run(play(song, member(den, txt={}))) == "refused"

    [announce] = den.asked("ANNOUNCE")
    assert b"rsaaeskey" in announce.body


async def test_a_deep_receiver_gets_its_packets_early(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 4)
    quirks = Quirks(raop_audio_latency_ms=2250)
    den = await harness.add(receiver("Den", quirks=quirks))

    assert await harness.run(play(tmp_path / "song.wav", member(den))) is None
    await harness.ended()

    assert den.heard(pcm).is_complete
    assert way(harness) == "raop ntp none depth=2250"


async def test_a_module_of_link_play_gets_a_deep_realtime_stream(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 4)
    den = await speaker(harness, starves_below_ms=2500)
    of = by(den, REALTIME)
    maker = {**of.airplay_txt, "manufacturer": "Linkplay Technology Inc.", "model": "x"}
    command = play(tmp_path / "song.wav", by(den, REALTIME, airplay_txt=maker))

    assert await harness.run(command) is None
    await finished(harness)

    assert den.heard(pcm).is_complete


async def test_an_announcement_on_an_idle_speaker_climbs_too(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "bell.wav", 1)
    quirks = Quirks(auth_setup_silences=True)
    den = await harness.add(receiver("Den", txt=LICENSED, quirks=quirks))

    assert await harness.run(announce(tmp_path / "bell.wav", target(den))) is None

    assert den.heard(pcm).is_complete
    assert len(den.asked("ANNOUNCE")) == 2


async def test_a_joining_member_climbs_too(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 12)
    hall = await harness.add(receiver("Hall", receiver_id="0A0B0C0D0E02"))
    quirks = Quirks(auth_setup_silences=True)
    den = await harness.add(receiver("Den", txt=LICENSED, quirks=quirks))
    assert await harness.run(play(tmp_path / "song.wav", member(hall))) is None

    assert await harness.run(Join(stream=STREAM, member=member(den))) is None

    assert way(harness) == PLAIN
    await harness.stop()


async def test_a_receiver_that_accepts_connections_and_never_answers_is_named_soon(
    harness: EngineHarness, song: Path
) -> None:
    quirks = Quirks(unanswered=frozenset({"*"}))
    den = await harness.add(receiver("Den", txt=LICENSED, quirks=quirks))
    begun = time.monotonic()

    assert await harness.run(play(song, member(den))) == "unreachable"

    assert time.monotonic() - begun < BOUND_S
    assert den.connections == 1


@pytest.mark.parametrize("lane", ["raop", "airplay2"])
async def test_a_receiver_that_answers_each_step_late_is_named_slow_within_the_bound(
    harness: EngineHarness,
    song: Path,
    monkeypatch: pytest.MonkeyPatch,
    lane: str,
) -> None:
    # As with 2.9 s for each step, in a fifth of the time.
    monkeypatch.setattr(connection, "STEP_S", 0.6)
    monkeypatch.setattr(open_way, "_INFO_S", 0.6)
    monkeypatch.setattr(ladder, "Patience", lambda: Patience(2.0))
    den = await speaker(harness, react=lambda _: Reaction(late_s=0.5))
    begun = time.monotonic()

    reply = await harness.reply(harness.submit(play(song, by(den, lane))))

    assert reply.code == "too_slow"
    assert "0.5 s" in reply.text
    assert time.monotonic() - begun < BOUND_S / 5 + 1
    # The next command has all its time again.
    den.quirks = Quirks(ptp_settle_s=0.05)
    assert await harness.run(play(song, by(den, lane), lead_ms=None)) is None


async def test_a_receiver_that_is_slow_once_is_played_to(
    harness: EngineHarness, song: Path, pcm: bytes
) -> None:
    quirks = Quirks(reply_delay_s={"SETUP": 2.5}, setup_delay_s=0.2)
    den = await harness.add(receiver("Den", quirks=quirks))

    assert await harness.run(play(song, member(den))) is None
    await harness.ended()

    assert den.heard(pcm).is_complete


async def test_a_new_command_goes_on_climbing_with_all_its_time(
    harness: EngineHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "Patience", lambda: Patience(2.5))
    wav(tmp_path / "song.wav", 8)
    quirks = Quirks(auth_setup_silences=True, reply_delay_s={"SETUP": 1.5})
    den = await harness.add(receiver("Den", txt=LICENSED, quirks=quirks))
    command = play(tmp_path / "song.wav", member(den))
    harness.submit(command)
    await den.wait_for("ANNOUNCE", count=2)
    await harness.stop()

    assert await harness.run(command) is None

    assert way(harness) == PLAIN
    assert len(den.asked("ANNOUNCE")) == 3
    await harness.stop()
