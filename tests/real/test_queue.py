"""A queue and its transport, through Home Assistant, on real receivers."""

import asyncio
from itertools import pairwise
from pathlib import Path
import wave

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.ha.players import call, play, state_of
from tests.ha.watch import Watch

from .compare import Comparison, Frames, compare, read_wav
from .conftest import StartShairport
from .home_assistant import add_discovered, heard, played_frames
from .shairport_lab import Shairport
from .songs import make_song

_RATE = 44_100
_FOLDER = "media-source://media_source/local"
_LISTEN_S = 3.0
_SEEK_S = 12
_OVERLAP_S = 0.5

both_versions = pytest.mark.parametrize("mode", ["ap1", "ap1old"])


@pytest.fixture
async def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return the folder of Home Assistant's local media."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs["local"] = str(folder)
    assert await async_setup_component(hass, "media_source", {})
    return folder


@pytest.fixture
async def den(
    hass: HomeAssistant, mdns: None, shairport: StartShairport, media: Path, mode: str
) -> tuple[Shairport, str]:
    """Return a receiver of either version and its player."""
    receiver = shairport(mode, name="Den")
    return receiver, (await add_discovered(hass, {"Den"}))["Den"]


def cut(whole: Path, *edges: int) -> list[Path]:
    """Cut a WAV file at frames, into files beside it."""
    with wave.open(str(whole)) as source:
        settings, pcm = source.getparams(), source.readframes(source.getnframes())
    places = [0, *edges, len(pcm) // 4]
    pieces = []
    for start, end in pairwise(places):
        pieces.append(whole.with_name(f"{whole.stem}-{start}.wav"))
        with wave.open(str(pieces[-1]), "wb") as target:
            target.setparams(settings)
            target.writeframes(pcm[start * 4 : end * 4])
    return pieces


@both_versions
async def test_ten_queued_pieces_play_as_the_whole(
    hass: HomeAssistant, media: Path, den: tuple[Shairport, str]
) -> None:
    receiver, player = den
    make_song(media / "whole.wav", 20)
    # No piece is a whole number of packets, so every seam is inside of one.
    pieces = cut(media / "whole.wav", *(at * (2 * _RATE + 17) for at in range(1, 10)))
    assert len(pieces) == 10
    watch = Watch(hass, player)

    await play(hass, player, f"{_FOLDER}/{pieces[0].name}")
    for piece in pieces[1:]:
        await play(hass, player, f"{_FOLDER}/{piece.name}", enqueue="add")
    await watch.until(lambda state: state.state == "idle", timeout_s=60)

    assert watch.names == ["idle", "buffering", "playing", "idle"]
    whole = compare(read_wav(media / "whole.wav"), heard(receiver, 0))
    assert whole.is_exact, whole
    assert receiver.statistics().missing == 0


async def listen(receiver: Shairport, source: Frames, since: int) -> Comparison:
    """Compare the recording of a while with its source."""
    await asyncio.sleep(_LISTEN_S)
    found = compare(source, heard(receiver, since))
    assert found.frames_equal == found.frames_compared > _RATE, found
    return found


@both_versions
async def test_seek_next_and_resume_lose_no_frame(
    hass: HomeAssistant, media: Path, den: tuple[Shairport, str]
) -> None:
    receiver, player = den
    make_song(media / "whole.wav", 60)
    names = cut(media / "whole.wav", 30 * _RATE)
    first, second = map(read_wav, names)
    await play(hass, player, f"{_FOLDER}/{names[0].name}")
    await play(hass, player, f"{_FOLDER}/{names[1].name}", enqueue="add")
    started = await listen(receiver, first, 0)
    assert started.first_offset == 0, receiver.statistics()

    since = played_frames(receiver)
    await call(hass, player, "media_seek", seek_position=_SEEK_S)
    sought = await listen(receiver, first[_SEEK_S * _RATE :], since)
    assert sought.first_offset == 0, receiver.statistics()

    since = played_frames(receiver)
    await call(hass, player, "media_next_track")
    skipped = await listen(receiver, second, since)
    assert skipped.first_offset == 0, receiver.statistics()
    await call(hass, player, "media_pause")
    await asyncio.sleep(1)
    before = compare(second, heard(receiver, since)).frames_equal

    since = played_frames(receiver)
    await call(hass, player, "media_play")
    resumed = await listen(receiver, second, since)
    assert before - _OVERLAP_S * _RATE < resumed.first_offset <= before
    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")
    assert receiver.statistics().missing == 0
