"""The work of one session beside the music, and surprises for an engine."""

from pathlib import Path

import pytest

from custom_components.airplay.raop.engine.lanes import raop
from custom_components.airplay.raop.engine.lanes.context import receiver_of
from custom_components.airplay.raop.engine.net.connection import _address
from custom_components.airplay.raop.engine.stream.stream import Stream
from custom_components.airplay.raop.messages import Member, Shutdown, VolumeFound
from tests.raop.engine.harness import EngineHarness, member, play, receiver, wav
from tests.virtual_receiver import Quirks, VirtualReceiver


async def test_receivers_get_keep_alive_requests(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(raop, "_KEEP_ALIVE_S", 0.05)
    wav(tmp_path / "song.wav", 5)
    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) is None

    await kitchen.wait_for("OPTIONS", count=5)

    assert kitchen.violations == []


async def test_the_receivers_own_volume_is_reported_if_none_is_set(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 0.6)
    loud = await harness.add(receiver("Loud", quirks=Quirks(leading_crlf=True)))
    assert await harness.run(play(tmp_path / "song.wav", member(loud))) is None

    (found,) = harness.events_of(VolumeFound)

    assert found.receiver == loud.receiver_id.lower()
    assert found.volume == pytest.approx(20)
    assert loud.volumes == []


@pytest.mark.parametrize(
    ("level_db", "volumes"), [(0.0, [20]), (-15.0, [20]), (-18.0, [])]
)
async def test_a_receiver_whose_volume_is_doubtful_gets_a_modest_one_before_sound(
    harness: EngineHarness, tmp_path: Path, level_db: float, volumes: list[float]
) -> None:
    wav(tmp_path / "song.wav", 0.6)
    den = await harness.add(receiver("Den", quirks=Quirks(reported_volume_db=level_db)))
    command = play(tmp_path / "song.wav", member(den, modest_volume=20))

    assert await harness.run(command) is None
    await harness.ended()

    assert [round((each.volume_db + 30) / 0.3) for each in den.volumes[:1]] == volumes
    first_ns = next(each.play_ns for each in den.recording.packets if any(each.pcm))
    assert all(each.at_ns < first_ns for each in den.volumes[:1])


async def test_the_first_airport_express_is_never_asked_for_its_volume(
    harness: EngineHarness, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 0.6)
    old = {"am": None, "vn": "3", "tp": "TCP,UDP"}
    express = await harness.add(
        receiver("Express", txt=old, quirks=Quirks(drop_at="GET_PARAMETER"))
    )

    assert await harness.run(play(tmp_path / "song.wav", member(express))) is None
    await harness.ended()

    assert express.heard(pcm).is_complete


def test_a_member_is_put_together_from_both_records() -> None:
    known = Member(
        receiver="0a0b0c0d0e01",
        name="Kitchen",
        host="10.0.0.2",
        port=5000,
        txt={"cn": "0"},
        airplay_port=7000,
        airplay_txt={"model": "AppleTV3,1"},
    )

    found = receiver_of(known)

    assert (found.id, found.port, found.model) == ("0a0b0c0d0e01", 5000, "AppleTV3,1")
    assert found.airplay is not None
    assert found.airplay.port == 7000


def test_link_local_addresses_keep_their_scope() -> None:
    class Writer:
        def get_extra_info(self, _: str) -> tuple[str, int, int, int]:
            return ("fe80::1", 5000, 0, 1)

    assert _address(Writer(), "peername") == "fe80::1%lo"  # type: ignore[arg-type]


async def test_a_surprise_is_answered_too(
    harness: EngineHarness,
    kitchen: VirtualReceiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("surprise")

    monkeypatch.setattr(Stream, "play", fail)

    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) == "failed"


async def test_a_play_without_members_gets_a_reply(
    harness: EngineHarness, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 0.6)

    assert await harness.run(play(tmp_path / "song.wav")) == "failed"


async def test_shutdown_ends_playback(
    harness: EngineHarness, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    wav(tmp_path / "song.wav", 5)
    assert await harness.run(play(tmp_path / "song.wav", member(kitchen))) is None
    harness.engine._pacer.stop, stop = lambda: None, harness.engine._pacer.stop  # type: ignore[method-assign]

    await harness.engine.run(Shutdown())

    assert not kitchen.has_session
    harness.engine._pacer.stop = stop  # type: ignore[method-assign]
