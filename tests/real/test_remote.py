"""Real receivers find Home Assistant by mDNS and give it orders."""

import asyncio
from collections import Counter
from collections.abc import Iterator
import contextlib
from pathlib import Path
import socket
import struct
import threading
from typing import Any
from unittest.mock import patch

import pytest
from zeroconf import Zeroconf

from homeassistant.components import zeroconf
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.setup import async_setup_component
from tests.ha.players import call, play, state_of
from tests.ha.watch import Watch

from .conftest import StartShairport
from .home_assistant import add_discovered
from .shairport_lab import SUBNET, Lab, Shairport
from .songs import make_song

LONG = "media-source://media_source/local/long.wav"
# Only a socket for all kinds sees outgoing packets.
_ALL, _IP = socket.htons(3), 0x0800
OTHER = "media-source://media_source/local/other.wav"


@pytest.fixture
def speaking(mdns: None) -> Iterator[None]:
    """Let Home Assistant's zeroconf also announce records."""
    with patch.object(zeroconf.HaZeroconf, "async_send", Zeroconf.async_send):
        yield


@pytest.fixture
def songs(hass: HomeAssistant, tmp_path: Path) -> None:
    """Have two songs in Home Assistant's local media."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs["local"] = str(folder)
    make_song(folder / "long.wav", 300)
    make_song(folder / "other.wav", 120)


class Events:
    """The events of a speaker's remote entity."""

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        self.told: list[str] = []
        self._entity_id = f"event.{name.lower()}_remote"
        self._changed = asyncio.Event()
        hass.bus.async_listen("state_changed", self._take)

    @callback
    def _take(self, event: Event[Any]) -> None:
        state: State | None = event.data["new_state"]
        if state is None or event.data["entity_id"] != self._entity_id:
            return
        if kind := state.attributes.get("event_type"):
            self.told.append(kind)
            self._changed.set()

    async def until(self, kind: str) -> None:
        """Wait until a button was reported."""
        async with asyncio.timeout(5):
            while kind not in self.told:
                self._changed.clear()
                await self._changed.wait()
        self.told.clear()


async def until_found(receiver: Shairport) -> None:
    """Wait until a receiver has found our remote server."""
    async with asyncio.timeout(15):
        while not await asyncio.to_thread(lambda: receiver.has_sender_to_order):
            await asyncio.sleep(0.2)


@pytest.fixture
async def speaker(
    hass: HomeAssistant,
    speaking: None,
    shairport: StartShairport,
    songs: None,
    request: pytest.FixtureRequest,
) -> tuple[Shairport, str]:
    """Return a receiver that plays the first of two songs, and its player."""
    receiver = shairport(request.param, name="Hall")
    assert await async_setup_component(hass, "media_source", {})
    player = (await add_discovered(hass, {"Hall"}))["Hall"]
    await play(hass, player, LONG)
    await play(hass, player, OTHER, enqueue="add")
    await until_found(receiver)
    return receiver, player


class Hand:
    """A user at a speaker with a view of Home Assistant."""

    def __init__(self, hass: HomeAssistant, receiver: Shairport, player: str) -> None:
        self._receiver = receiver
        self._events = Events(hass, "Hall")
        self.watch = Watch(hass, player)

    async def press(self, button: str, told: str, *arguments: str) -> None:
        """Use shairport-sync's own remote control."""
        await asyncio.to_thread(self._receiver.press, button, *arguments)
        await self._events.until(told)

    async def remote(self, button: str, told: str, *arguments: str) -> None:
        """Use the remote control that receivers have when they know their sender."""
        await self.press(f"RemoteControl.{button}", told, *arguments)

    async def mpris(self, button: str, told: str) -> None:
        """Use the interface of desktop programs."""
        await asyncio.to_thread(self._receiver.press_mpris, button)
        await self._events.until(told)

    async def send(self, command: str, told: str) -> None:
        """Have any command sent."""
        await self.press("RemoteCommand", told, f"string:{command}")

    async def sees(self, state: str) -> None:
        """Wait until the player is in a state."""
        await self.watch.until_is(state)

    async def sees_that(self, name: str, value: object) -> None:
        """Wait until the player has an attribute with a value."""
        await self.watch.until(lambda state: state.attributes.get(name) == value)


@pytest.fixture
def hand(hass: HomeAssistant, speaker: tuple[Shairport, str]) -> Hand:
    """Return a user at the speaker."""
    return Hand(hass, *speaker)


both_versions = pytest.mark.parametrize("speaker", ["ap1", "ap1old"], indirect=True)


@both_versions
async def test_play_and_pause(hand: Hand) -> None:
    for use, button, told, state in (
        (hand.remote, "Pause", "pause", "paused"),
        (hand.remote, "Play", "play", "playing"),
        (hand.remote, "PlayPause", "play_pause", "paused"),
        (hand.remote, "Resume", "resume", "playing"),
        (hand.mpris, "Pause", "pause", "paused"),
        (hand.mpris, "PlayPause", "play_pause", "playing"),
        (hand.send, "discrete-pause", "pause", "paused"),
        (hand.mpris, "Play", "play", "playing"),
    ):
        await use(button, told)
        await hand.sees(state)


@both_versions
async def test_next_previous_and_seek(hand: Hand) -> None:
    for use in (hand.remote, hand.mpris):
        await use("Next", "next")
        await hand.sees_that("queue_position", 2)
        await hand.sees("playing")
        await use("Previous", "previous")
        await hand.sees_that("queue_position", 1)
        await hand.sees("playing")

    await hand.send("setproperty?dacp.playingtime=30000", "seek")
    await hand.watch.until(lambda state: state.attributes["media_position"] >= 30)
    await hand.sees("playing")
    await hand.remote("FastForward", "fast_forward")
    await hand.watch.until(lambda state: state.attributes["media_position"] >= 40)
    await hand.sees("playing")
    await hand.remote("Rewind", "rewind")
    await hand.watch.until(lambda state: state.attributes["media_position"] < 40)
    await hand.sees("playing")


@both_versions
async def test_shuffle_and_repeat(hand: Hand) -> None:
    await hand.remote("ShuffleSongs", "shuffle_toggle")
    await hand.sees_that("shuffle", True)
    await hand.send("setproperty?dacp.shufflestate=0", "shuffle_set")
    await hand.sees_that("shuffle", False)
    for number, repeat in ((2, "all"), (1, "one"), (0, "off")):
        await hand.send(f"setproperty?dacp.repeatstate={number}", "repeat_set")
        await hand.sees_that("repeat", repeat)


@both_versions
async def test_volume(
    hass: HomeAssistant, hand: Hand, speaker: tuple[Shairport, str]
) -> None:
    player = speaker[1]
    await call(hass, player, "volume_set", volume_level=0.4)
    await hand.remote("VolumeUp", "volume_up")
    await hand.sees_that("volume_level", 0.45)
    await hand.remote("VolumeDown", "volume_down")
    await hand.sees_that("volume_level", 0.4)
    await hand.remote("ToggleMute", "mute_toggle")
    await hand.sees_that("is_volume_muted", True)

    await asyncio.sleep(2.5)  # a change within 2 s of ours is an echo
    await hand.remote("SetAirplayVolume", "volume_report", "double:-12")
    await hand.sees_that("volume_level", 0.6)
    assert state_of(hass, player).attributes["is_volume_muted"] is False
    await hand.send("setproperty?dmcp.volume=30", "volume_set")
    await hand.sees_that("volume_level", 0.3)
    await asyncio.sleep(2)  # and being muted would be the late echo of ours
    await hand.send("setproperty?dmcp.device-volume=-144.000000", "volume_report")
    await hand.sees_that("is_volume_muted", True)


@both_versions
async def test_other_source_and_stop(hass: HomeAssistant, hand: Hand) -> None:
    in_use = "binary_sensor.hall_in_use_elsewhere"
    await asyncio.sleep(1)  # the time that the start needs

    await hand.send("setproperty?dmcp.device-prevent-playback=1", "switched_away")
    await hand.sees("idle")
    assert state_of(hass, in_use).state == "on"
    await hand.send("setproperty?dmcp.device-busy=0", "switched_back")
    assert state_of(hass, in_use).state == "off"
    await hand.remote("Play", "play")
    await hand.sees("playing")
    await hand.remote("Stop", "stop")
    await hand.sees("idle")


@contextlib.contextmanager
def capture(lab: Lab, peer: str) -> Iterator[Counter[str]]:
    """Count packets from the sender's side to a receiver by kind, without mDNS."""
    found: Counter[str] = Counter()
    stop = threading.Event()
    ready = threading.Event()

    def listen() -> None:
        with (
            lab.sender_namespace(),
            socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, _ALL) as raw,
        ):
            raw.settimeout(0.2)
            ready.set()
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    packet, where = raw.recvfrom(2048)
                    if where[1] == _IP and where[2] == socket.PACKET_OUTGOING:
                        _count(packet, socket.inet_aton(peer), found)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    ready.wait(5)
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def _count(packet: bytes, peer: bytes, found: Counter[str]) -> None:
    if packet[16:20] != peer:
        return
    start = (packet[0] & 15) * 4
    here, there = struct.unpack_from(">HH", packet, start)
    if packet[9] == socket.IPPROTO_UDP:
        found["mdns" if 5353 in (here, there) else f"udp {there}"] += 1
    elif packet[9] == socket.IPPROTO_TCP:
        is_ours = bool(packet[start + 13] & 2) and not packet[start + 13] & 16
        found["tcp opened by us" if is_ours else "tcp answered"] += 1
    else:
        found[f"protocol {packet[9]}"] += 1


@pytest.mark.timeout(1500)
async def test_idle_speaker_is_left_alone(
    hass: HomeAssistant,
    speaking: None,
    lab: Lab,
    shairport: StartShairport,
    songs: None,
    pytestconfig: pytest.Config,
) -> None:
    seconds = int(pytestconfig.getoption("--soak"))
    fresh, used = shairport("ap1", name="Fresh"), shairport("ap1old", name="Used")
    assert await async_setup_component(hass, "media_source", {})
    players = await add_discovered(hass, {"Fresh", "Used"})
    await play(hass, players["Used"], LONG)
    await until_found(used)
    await call(hass, players["Used"], "media_stop")
    await asyncio.sleep(3)

    with capture(lab, fresh.host) as never, capture(lab, used.host) as once:
        await asyncio.sleep(seconds)

    print(f"{seconds} s; never played: {dict(never)}; played before: {dict(once)}")  # noqa: T201
    assert set(never) <= {"mdns"}
    # It asks once a second while our record is announced, and only gets answers.
    assert set(once) <= {"mdns", "tcp answered"}
    assert once["tcp answered"]
    assert SUBNET in fresh.host
