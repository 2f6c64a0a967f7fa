"""Media that is joined, laid out, or listed in unusual ways, as a receiver hears it."""

from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer
import numpy as np

from homeassistant.core import HomeAssistant
from tests.ha.players import play
from tests.ha.sound import FOLDER
from tests.ha.watch import Watch
from tests.raop.audio.media import (
    FRONT_LEFT,
    RATE,
    encode,
    noise,
    samples_of,
    segments,
    wav_of,
)
from tests.raop.decoder.container.joined import media
from tests.virtual_receiver import VirtualReceiver


async def play_to_end(hass: HomeAssistant, player: str, media_id: str) -> None:
    """Play media to its end."""
    watch = Watch(hass, player)
    await play(hass, player, media_id)
    await watch.until_is("idle")


async def test_a_chain_of_other_bits_and_codecs_is_heard_to_its_end(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    tmp_path: Path,
) -> None:
    first, last = noise(RATE, seed=1), noise(RATE, seed=3)
    chain = (
        encode("ogg", "flac", first, sample_format="s16")
        + media("opus", 1, 2)
        + encode("ogg", "flac", last, sample_format="s16")
    )
    (tmp_path / "media" / "chain.ogg").write_bytes(chain)

    await play_to_end(hass, player, f"{FOLDER}/chain.ogg")

    begins = kitchen.heard(first.tobytes())
    ends = kitchen.heard(last.tobytes())
    assert begins.is_complete
    assert ends.is_complete
    assert begins.first_frame_ns is not None
    assert ends.first_frame_ns is not None
    # A second of Opus is between them.
    frames = (ends.first_frame_ns - begins.first_frame_ns) * RATE / 1e9
    assert abs(frames - 2 * RATE) < 8


async def test_one_channel_is_heard_on_both_sides_wherever_its_place_is(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    tmp_path: Path,
) -> None:
    mono = noise(2 * RATE, channels=1)
    (tmp_path / "media" / "left.wav").write_bytes(wav_of(mono, FRONT_LEFT))

    await play_to_end(hass, player, f"{FOLDER}/left.wav")

    both = np.repeat(mono, 2, axis=1)
    assert kitchen.heard(both.astype("<i2").tobytes()).is_complete


async def test_segments_without_extensions_behind_a_dead_variant_are_heard_once(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    tmp_path: Path,
    socket_enabled: None,
) -> None:
    segments(tmp_path, noise(3 * RATE))
    playlist = (tmp_path / "media.m3u8").read_text().replace(".ts", "")
    for path in tmp_path.glob("*.ts"):
        path.rename(path.with_suffix(""))
    (tmp_path / "media.m3u8").write_text(playlist)
    (tmp_path / "master.m3u8").write_text(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\nmissing.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=128000\nmedia.m3u8\n"
    )
    app = web.Application()
    app.router.add_static("/", tmp_path)

    async with TestServer(app, host="127.0.0.1") as server:
        await play_to_end(hass, player, str(server.make_url("/master.m3u8")))

    sound = np.abs(samples_of(kitchen.pcm).astype(int)).max(axis=1) > 500
    loud = np.flatnonzero(sound)
    assert 2.8 * RATE < int(loud[-1] - loud[0]) < 3.2 * RATE
