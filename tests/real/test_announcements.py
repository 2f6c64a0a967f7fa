"""Speech over music on real receivers, through Home Assistant's own `tts.speak`."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
import shutil
import sys
from unittest.mock import MagicMock, patch
import wave

from aiohttp.test_utils import TestServer
import numpy as np
from numpy.typing import NDArray
import pytest

from custom_components import airplay
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.ha.players import play
from tests.ha.watch import Watch

from .compare import Frames, read_wav
from .conftest import StartShairport
from .home_assistant import add_discovered, heard
from .songs import decode_as_sent, make_song
from .wyoming_voice import speech_service

type Samples = NDArray[np.int64]

_SENTENCE = "The washing machine is done."
_CHIME = Path(airplay.__file__).parent / "sounds" / "chime.wav"
_HEARD = Path(__file__).parents[2] / "build" / "heard"
_DUCK = 10 ** (-18 / 20)
_RAMP_FRAMES = 8820
# The microphone side of Home Assistant's voice assistant, which announcements omit.
_VOICE_MODULES = ("pymicro_vad", "pyspeex_noise")


def samples(frames: Frames) -> Samples:
    """Return frames as their left and right samples."""
    return frames.view("<i2").reshape(-1, 2).astype(np.int64)


@pytest.fixture
async def voice(hass: HomeAssistant, tmp_path: Path) -> AsyncIterator[str]:
    """Add a voice by Home Assistant's own integration; the value is its entity."""
    cache = patch("homeassistant.components.tts.DEFAULT_CACHE_DIR", str(tmp_path))
    modules = patch.dict(sys.modules, {name: MagicMock() for name in _VOICE_MODULES})
    with cache, modules:
        assert await async_setup_component(hass, "homeassistant", {})
        assert await async_setup_component(hass, "media_source", {})
        async with speech_service() as port:
            answer = {"host": "127.0.0.1", "port": port}
            result = await hass.config_entries.flow.async_init(
                "wyoming", context={"source": SOURCE_USER}, data=answer
            )
            assert result["type"] == "create_entry", result
            await hass.async_block_till_done()
            (entity_id,) = hass.states.async_entity_ids("tts")
            yield entity_id


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
@pytest.mark.parametrize("mode", ["ap1", "ap1old"])
async def test_sentence_plays_over_music_that_continues_to_the_frame(
    hass: HomeAssistant,
    mdns: None,
    shairport: StartShairport,
    voice: str,
    tmp_path: Path,
    mode: str,
) -> None:
    receiver = shairport(mode, name="Den")
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs["local"] = str(folder)
    song = folder / "song.wav"
    make_song(song, 12)
    player = (await add_discovered(hass, {"Den"}))["Den"]
    watch = Watch(hass, player)
    sentence = {
        "entity_id": voice,
        "media_player_entity_id": player,
        "message": _SENTENCE,
    }

    async with TestServer(hass.http.app, host="127.0.0.1") as server:
        hass.config.internal_url = str(server.make_url("")).rstrip("/")
        await play(hass, player, "media-source://media_source/local/song.wav")
        await asyncio.sleep(1)
        await hass.services.async_call("tts", "speak", sentence, blocking=True)
        await watch.until(lambda state: state.state == "idle", timeout_s=30)

    captured = heard(receiver, 0)
    keep(captured, f"announcement on {mode}.wav")
    (served,) = tmp_path.glob("*.mp3")
    speech = samples(await asyncio.to_thread(decode_as_sent, served))
    look_at(samples(captured), samples(read_wav(song)), speech)
    assert receiver.statistics().missing == 0


def look_at(captured: Samples, song: Samples, speech: Samples) -> None:
    """Compare with the song, and with the chime and the speech over it."""
    place = captured.tobytes().find(song[:_RAMP_FRAMES].tobytes())
    first, rest = divmod(place, song[0].nbytes)
    assert place >= 0 == rest
    captured = captured[first : first + len(song)]
    assert len(captured) == len(song)
    changed = np.flatnonzero((captured != song).any(axis=1))
    said = np.concatenate([samples(read_wav(_CHIME)), speech])
    # From the first changed frame to the last: the voice, and the return of the music.
    length = changed[-1] - changed[0]
    assert len(said) - 50 < length < len(said) + 3 * _RAMP_FRAMES

    ducked = captured - np.rint(song * _DUCK).astype(np.int64)
    begin = changed[0] + _RAMP_FRAMES
    errors = [
        np.abs(
            ducked[begin : changed[0] + shift + len(said)]
            - said[begin - changed[0] - shift :]
        ).max()
        for shift in range(-50, 51)
    ]
    # Rounded twice here, and once in the mix.
    assert min(errors) <= 2


def keep(captured: Frames, name: str) -> None:
    """Keep the recording, for people to listen to."""
    _HEARD.mkdir(parents=True, exist_ok=True)
    with wave.open(str(_HEARD / name), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(captured.tobytes())
