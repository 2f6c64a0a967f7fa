"""What the options of a speaker make of the media that it plays."""

import numpy as np
import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import entry_for, play, set_up
from tests.ha.songs import Songs
from tests.ha.sound import FOLDER
from tests.ha.watch import Watch
from tests.raop.audio.media import encode, samples_of
from tests.virtual_receiver import VirtualReceiver

TAGS = {"REPLAYGAIN_TRACK_GAIN": "-6 dB", "REPLAYGAIN_ALBUM_GAIN": "-12 dB"}


def leveled(pcm: bytes, gain_db: float) -> bytes:
    samples = np.rint(samples_of(pcm) * np.float32(10 ** (gain_db / 20)))
    return bytes(samples.astype("<i2").tobytes())


@pytest.mark.parametrize(
    ("options", "gain_db"),
    [({}, 0), ({"loudness": "track"}, -6), ({"loudness": "album"}, -12)],
)
async def test_songs_of_a_queue_play_at_the_loudness_of_the_option(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    songs: Songs,
    options: dict[str, str],
    gain_db: float,
) -> None:
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    songs.folder.mkdir(parents=True, exist_ok=True)
    for name in "ab":
        content = encode("flac", "flac", samples_of(songs.pcm(name)), metadata=TAGS)
        (songs.folder / f"{name}.flac").write_bytes(content)
    (songs.folder / "list.m3u").write_text("a.flac\nb.flac\n")
    watch = Watch(hass, player)

    await play(hass, player, f"{FOLDER}/list.m3u")
    await watch.until_is("idle")

    pcm = songs.pcm("a") + songs.pcm("b")
    assert kitchen.heard(leveled(pcm, gain_db)).is_complete
