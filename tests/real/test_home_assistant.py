"""Home Assistant finds real receivers by real mDNS and plays real sound on them."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from pathlib import Path
import shutil
import subprocess
import time
from typing import Any, override
from unittest.mock import patch

from aiohttp import web
from aiohttp.test_utils import TestServer
import av
import pytest

from homeassistant.components import tts
from homeassistant.components.tts.const import DATA_COMPONENT
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.ha.players import call, play
from tests.ha.watch import Watch

from .compare import Frames, compare, frames, read_wav
from .conftest import StartShairport
from .home_assistant import PASSWORD, add_discovered, heard, play_to_end, played_frames
from .songs import decode_as_sent, make_song

_SENTENCE = "The washing machine is done."
_ICY_BYTES = 16_000


def decode(path: Path) -> Frames:
    """Decode a 44.1 kHz stereo file with PyAV, as plainly as can be."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "stereo", 44_100)
        pieces = [
            each.to_ndarray().tobytes()
            for frame in container.decode(audio=0)
            for each in resampler.resample(frame)
        ]
    return frames(b"".join(pieces))


def encode_mp3(wav: Path, mp3: Path) -> None:
    """Encode a WAV file as MP3."""
    with av.open(str(wav)) as source, av.open(str(mp3), "w") as target:
        stream = target.add_stream("mp3", rate=44_100, layout="stereo")
        stream.bit_rate = 192_000
        resampler = av.AudioResampler("s16p", "stereo", 44_100, frame_size=1152)
        for frame in [*source.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                target.mux(stream.encode(piece))
        target.mux(stream.encode(None))


@pytest.fixture
def song(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a song in Home Assistant's local media, as WAV and beside it as MP3."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs["local"] = str(folder)
    make_song(folder / "song.wav", 60)
    make_song(folder / "short.wav", 12)
    encode_mp3(folder / "short.wav", folder / "short.mp3")
    return folder / "song.wav"


async def test_discovered_speakers_play_a_minute_bit_by_bit(
    hass: HomeAssistant, mdns: None, shairport: StartShairport, song: Path
) -> None:
    receivers = {
        "New": shairport("ap1", name="New"),
        "Old": shairport("ap1old", name="Old"),
        "Locked": shairport("ap1old", name="Locked", password=PASSWORD),
    }
    assert await async_setup_component(hass, "media_source", {})
    players = await add_discovered(hass, set(receivers))

    await asyncio.gather(
        *(
            play_to_end(hass, player, "media-source://media_source/local/song.wav")
            for player in players.values()
        )
    )

    for receiver in receivers.values():
        assert compare(read_wav(song), heard(receiver, 0)).is_exact
        assert receiver.statistics().missing == 0


@contextlib.asynccontextmanager
async def radio(mp3: Path) -> AsyncIterator[str]:
    """Serve a file as a radio does: with titles, in real time, without a length."""
    sound = mp3.read_bytes()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={
                "Content-Type": "audio/mpeg",
                "icy-name": "Lab Radio",
                "icy-metaint": str(_ICY_BYTES),
            }
        )
        await response.prepare(request)
        began = time.monotonic()
        for at in range(0, len(sound), _ICY_BYTES):
            piece = sound[at : at + _ICY_BYTES]
            await response.write(piece)
            if len(piece) == _ICY_BYTES:
                words = (
                    f"StreamTitle='Lab Band - Song {at // _ICY_BYTES // 8}';".encode()
                )
                blocks = -(-len(words) // 16)
                await response.write(bytes([blocks]) + words.ljust(blocks * 16, b"\0"))
            # A second is sent in advance, as servers do, the rest as it plays.
            await asyncio.sleep(began + at / 24_000 - 1.5 - time.monotonic())
        return response

    async def file(_: web.Request) -> web.Response:
        return web.Response(body=sound, content_type="audio/mpeg")

    app = web.Application()
    app.router.add_get("/radio", stream)
    app.router.add_get("/song.mp3", file)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/"))


@pytest.mark.parametrize("mode", ["ap1", "ap1old"])
async def test_file_from_the_web_and_a_radio_arrive_as_they_decode(
    hass: HomeAssistant, mdns: None, shairport: StartShairport, song: Path, mode: str
) -> None:
    receiver = shairport(mode, name="Den")
    player = (await add_discovered(hass, {"Den"}))["Den"]
    mp3 = song.parent / "short.mp3"
    expected = decode(mp3)

    async with radio(mp3) as address:
        await play_to_end(hass, player, f"{address}song.mp3")
        after_file = played_frames(receiver)
        watch = Watch(hass, player)
        await play(hass, player, f"{address}radio")
        titled = await watch.until(
            lambda state: state.attributes.get("media_title") == "Song 1"
        )
        await asyncio.sleep(4)
        await call(hass, player, "media_stop")

    file, live = heard(receiver, 0)[:after_file], heard(receiver, after_file)
    assert compare(expected, file).missing == 0
    assert titled.attributes["media_artist"] == "Lab Band"
    on_air = compare(expected, live)
    assert on_air.first_offset == 0
    assert on_air.frames_equal == on_air.frames_compared > 5 * 44_100


class Espeak(tts.TextToSpeechEntity):
    """A voice that is here without a network."""

    _attr_name = "Espeak"
    _attr_default_language = "en"

    def __init__(self) -> None:
        """Speak English."""
        self._attr_supported_languages = ["en"]

    @override
    async def async_get_tts_audio(
        self, message: str, language: str, options: dict[str, Any]
    ) -> tts.TtsAudioType:
        """Speak a sentence."""
        command = ["espeak-ng", "--stdout", message]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, check=True
        )
        return "wav", done.stdout


async def _add_voice(hass: HomeAssistant, cache: Path) -> None:
    with patch.object(tts, "DEFAULT_CACHE_DIR", str(cache)):
        assert await async_setup_component(hass, "tts", {})
    await hass.data[DATA_COMPONENT].async_add_entities([Espeak()])
    await hass.async_block_till_done()


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
async def test_spoken_sentence_plays_whole(
    hass: HomeAssistant,
    mdns: None,
    shairport: StartShairport,
    tmp_path: Path,
) -> None:
    receiver = shairport("ap1old", name="Hall")
    assert await async_setup_component(hass, "http", {})
    await _add_voice(hass, tmp_path)
    player = (await add_discovered(hass, {"Hall"}))["Hall"]
    watch = Watch(hass, player)
    sentence = {
        "entity_id": "tts.espeak",
        "media_player_entity_id": player,
        "message": _SENTENCE,
    }

    async with TestServer(hass.http.app, host="127.0.0.1") as server:
        hass.config.internal_url = str(server.make_url("")).rstrip("/")
        await hass.services.async_call("tts", "speak", sentence, blocking=True)
        await watch.until(lambda state: state.state == "idle")

    (served,) = tmp_path.glob("*.mp3")
    expected = await asyncio.to_thread(decode_as_sent, served)
    assert len(expected) > 44_100
    assert compare(expected, heard(receiver, 0)).is_exact


@pytest.mark.timeout(900)
async def test_blocked_home_assistant_does_not_interrupt_playback(
    hass: HomeAssistant,
    mdns: None,
    shairport: StartShairport,
    song: Path,
    pytestconfig: pytest.Config,
) -> None:
    seconds = int(pytestconfig.getoption("--soak"))
    receiver = shairport("ap1", name="Attic")
    make_song(song.parent / "long.wav", seconds)
    assert await async_setup_component(hass, "media_source", {})
    player = (await add_discovered(hass, {"Attic"}))["Attic"]
    blocking = asyncio.create_task(_block_now_and_then())

    watch = Watch(hass, player)
    await play(hass, player, "media-source://media_source/local/long.wav")
    await watch.until(lambda state: state.state == "idle", timeout_s=seconds + 30)
    blocking.cancel()

    # To resynchronise, a receiver leaves frames out or puts silence in.
    assert compare(read_wav(song.parent / "long.wav"), heard(receiver, 0)).is_exact
    statistics = receiver.statistics()
    assert (statistics.missing, statistics.late, statistics.too_late) == (0, 0, 0)


async def _block_now_and_then() -> None:
    while True:
        await asyncio.sleep(4.5)
        time.sleep(0.5)
