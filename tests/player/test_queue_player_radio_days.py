"""A radio for days, in small: its server breaks off again and again.

AIRPLAY_RADIO_BREAKS sets the number of breaks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
import os
from pathlib import Path
import threading

import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import call, play
from tests.ha.processes import children, sender_pids
from tests.ha.watch import Watch
from tests.raop.audio.media import Samples, encode, noise
from tests.raop.audio.web_server import Exchange, WebServer, radio, with_titles
from tests.virtual_receiver import VirtualReceiver

BREAKS = int(os.environ.get("AIRPLAY_RADIO_BREAKS", "4"))
# As long as a connection has to last to count as a good one.
SONG_S = 11
INTERVAL = 8192
# What a day of radio must not need more at its end than after some songs.
GROWTH_KB = 8 << 10
# Container, codec, and rate.
KINDS = [
    ("flac", "flac", 44_100),
    ("mp3", "libmp3lame", 44_100),
    ("ogg", "libopus", 48_000),
    ("flac", "flac", 44_100),
    ("adts", "aac", 32_000),
]


@pytest.fixture
def web(socket_enabled: None) -> Iterator[WebServer]:
    """Return a server in the network."""
    server = WebServer()
    yield server
    server.close()


@dataclass
class Station:
    """A station that plays another song for each connection, and then closes it."""

    breaks: int
    songs: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def serve(self, exchange: Exchange) -> None:
        """Answer a connection."""
        number, self.songs = self.songs, self.songs + 1
        titles = {0: f"Somebody - Song {number}".encode()}
        content = with_titles(encoded(number), INTERVAL, titles)
        radio(content, interval=INTERVAL)(exchange)
        if number == self.breaks:
            self.is_over.set()
            exchange.hold()


def sound_of(number: int) -> Samples:
    """Return a song, unlike all others."""
    rate = KINDS[number % len(KINDS)][2]
    return noise(SONG_S * rate, seed=1000 + number)


def encoded(number: int) -> bytes:
    """Return what the connection of a song delivers."""
    container, codec, rate = KINDS[number % len(KINDS)]
    content = bytearray(encode(container, codec, sound_of(number), rate=rate))
    if container == "flac":
        # A live stream does not know how many frames it has.
        content[21] &= 0xF0
        content[22:26] = bytes(4)
    return bytes(content)


def memory_kb() -> int:
    """Return the private memory of the sender and of what it has started."""
    [sender] = sender_pids()
    pids = [sender]
    for pid in pids:
        pids += children(pid)
    lines = [
        line.split()
        for pid in pids
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    ]
    return sum(int(words[1]) for words in lines if words[0] == "Private_Dirty:")


@pytest.mark.timeout(60 + 20 * BREAKS)
async def test_a_radio_plays_on_over_all_breaks(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, web: WebServer
) -> None:
    station = Station(BREAKS)
    address = web.serve("/live", station.serve)
    await play(hass, player, address)
    watch = Watch(hass, player)
    after_some: list[int] = []

    def is_at(number: int) -> bool:
        title = watch.states[-1].attributes.get("media_title")
        return title == f"Song {number}"

    for number in range(1, BREAKS + 1):
        await watch.until(lambda _, number=number: is_at(number))  # type: ignore[misc]
        if number == min(10, BREAKS // 2):
            after_some.append(memory_kb())
    grown_kb = memory_kb() - after_some[0]

    assert set(watch.names) <= {"playing", "buffering"}
    assert grown_kb < GROWTH_KB
    heard = b"".join(packet.pcm for packet in kitchen.recording.packets)
    for number in range(BREAKS):
        if KINDS[number % len(KINDS)][0] == "flac":
            assert heard.count(sound_of(number).tobytes()) == 1, number
    await call(hass, player, "media_stop")
