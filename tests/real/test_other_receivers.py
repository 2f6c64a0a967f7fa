"""Receivers of other hands than shairport-sync's newest and oldest.

4.3.7 is what Debian 13 installs; shairplay is the program of libshairplay, which Kodi
and much firmware are built on; nodetunes is written in JavaScript. The last two never
ask for the time and play what arrives when it arrives.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
import json
from pathlib import Path
import subprocess
import time

import numpy as np
import pytest

from custom_components.airplay.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.ha.flows import answer
from tests.ha.players import call, level_db, level_of, play, state_of
from tests.ha.watch import Watch

from .command_line import raop
from .compare import Comparison, Frames, compare, frames, read_pcm, read_wav
from .conftest import StartShairport
from .home_assistant import add_discovered, heard, play_to_end, played_frames
from .shairport_lab import Lab, Shairport
from .songs import make_song, song_fixture

_RATE = 44_100
_SONG_S = 12
_SHORT_S = 6
_SEEK_S = 30
_PASSWORD = "secret"
_PLAIN = {"et": "0,1", "cn": "0,1"}
_ENCRYPTED = _PLAIN | {"ek": "1"}
_FOLDER = "media-source://media_source/local"
# Sent in advance, and more than a receiver's own output holds back.
_AHEAD_S = 3
_STILL_S = 0.5
# The last buffer of shairplay's output is written with the next one.
_HELD_FRAMES = 1024
_LOUD, _HALF = 1.0, 0.5

on_all_three = pytest.mark.parametrize(
    "mode",
    [
        "ap1mid",
        "shairplay",
        "nodetunes",
    ],
)


@dataclass(frozen=True)
class Case:
    """How one receiver is set up and played to."""

    mode: str
    txt: dict[str, str] = field(default_factory=lambda: _ENCRYPTED)
    password: str | None = None
    loss_percent: float = 0


CASES = {
    "4.3.7 by its address": Case("ap1mid", txt={}),
    "4.3.7 losing 5 %": Case("ap1mid", loss_percent=5),
    "4.3.7 with a password": Case("ap1mid", password=_PASSWORD),
    "shairplay by its address": Case("shairplay", txt={}),
    "shairplay losing 2 %": Case("shairplay", loss_percent=2),
    "shairplay with a password": Case("shairplay", password=_PASSWORD),
    "nodetunes by its address": Case("nodetunes", txt={}),
    "nodetunes with a password": Case("nodetunes", password=_PASSWORD),
}


song = song_fixture(_SONG_S)


def play_to(
    lab: Lab, receiver: Shairport, case: Case, song: Path
) -> subprocess.CompletedProcess[str]:
    """Play the song to one receiver."""
    arguments = ["play", str(song), "--receiver", receiver.address, "--json"]
    # A receiver that scales samples leaves them as they are at full volume only.
    arguments += ["--volume", "100"]
    for key, value in case.txt.items():
        arguments += ["--txt", f"{key}={value}"]
    if case.password:
        arguments += ["--password", case.password]
    receiver.set_loss(case.loss_percent)
    return raop(lab, *arguments)


@dataclass(frozen=True)
class Played:
    """One case, played."""

    receiver: Shairport
    heard: Comparison
    last: dict[str, object]


@pytest.fixture(scope="module")
def played(lab: Lab, song: Path) -> dict[str, Played]:
    """Play to all of them at the same time."""

    def start(case: Case) -> Shairport:
        return lab.start(case.mode, {"password": case.password or ""})

    with ThreadPoolExecutor(len(CASES)) as pool:
        receivers = dict(zip(CASES, pool.map(start, CASES.values()), strict=True))
        plays = {
            name: pool.submit(play_to, lab, receivers[name], case, song)
            for name, case in CASES.items()
        }
        done = {name: each.result() for name, each in plays.items()}
    results = {}
    for name, receiver in receivers.items():
        receiver.set_loss(0)
        receiver.kill()
        heard = compare(read_wav(song), read_pcm(receiver.pcm_path))
        last = json.loads(done[name].stdout.splitlines()[-1])
        results[name] = Played(receiver, heard, last)
    return results


@pytest.mark.parametrize("name", CASES)
def test_every_frame_arrives_bit_by_bit(played: dict[str, Played], name: str) -> None:
    one = played[name]

    assert one.last["event"] == "ended", one.last
    assert one.last["reason"] == "finished", one.last
    assert one.heard.is_exact, one.heard
    assert one.heard.frames_equal == _SONG_S * _RATE
    if CASES[name].loss_percent:
        assert isinstance(one.last["resent"], int)
        assert one.last["resent"] > 10


@pytest.mark.parametrize(
    "mode",
    ["ap1mid", "shairplay", "nodetunes"],
)
def test_wrong_password_is_called_so(
    lab: Lab, shairport: StartShairport, song: Path, mode: str
) -> None:
    receiver = shairport(mode, password=_PASSWORD)

    done = play_to(lab, receiver, Case(mode, password="guess"), song)

    assert done.returncode == 4
    assert json.loads(done.stdout.splitlines()[-1])["code"] == "auth_failed"
    assert not played_frames(receiver)


@pytest.mark.parametrize("mode", ["ap1mid", "nodetunes"])
def test_second_sender_learns_that_it_is_in_use(
    lab: Lab, shairport: StartShairport, tmp_path: Path, mode: str
) -> None:
    receiver, case = shairport(mode), Case(mode)
    song = tmp_path / "song.wav"
    make_song(song, _SHORT_S)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(play_to, lab, receiver, case, song)
        while not played_frames(receiver):
            assert not first.done(), first.result().stdout
            time.sleep(0.05)

        second = play_to(lab, receiver, case, song)

        assert json.loads(second.stdout.splitlines()[-1])["code"] == "busy"
        assert first.result().returncode == 0
    assert compare(read_wav(song), read_pcm(receiver.pcm_path)).is_exact


@pytest.fixture
async def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a minute of sound in Home Assistant's local media."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs["local"] = str(folder)
    assert await async_setup_component(hass, "media_source", {})
    make_song(folder / "song.wav", 60)
    make_song(folder / "short.wav", _SHORT_S)
    return folder


async def until(is_true: Callable[[], bool], what: str) -> None:
    """Wait for what a receiver writes into its files."""
    try:
        async with asyncio.timeout(20):
            while not is_true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"never happened: {what}")


async def listen(receiver: Shairport, source: Frames, since: int) -> Comparison:
    """Compare what a receiver plays from now on with its source, until it is enough."""
    enough = since + _AHEAD_S * _RATE
    await until(lambda: played_frames(receiver) > enough, "it plays on")
    found = compare(source, heard(receiver, since))
    assert found.frames_equal == found.frames_compared > _RATE, found
    return found


async def until_still(receiver: Shairport) -> None:
    """Wait until a receiver plays nothing more."""
    now = -1
    async with asyncio.timeout(10):
        while now != (now := played_frames(receiver)):
            await asyncio.sleep(_STILL_S)


@on_all_three
async def test_pause_resume_and_seek(
    hass: HomeAssistant,
    mdns: None,
    shairport: StartShairport,
    media: Path,
    mode: str,
) -> None:
    receiver = shairport(mode, name="Den")
    player = (await add_discovered(hass, {"Den"}))["Den"]
    song = read_wav(media / "song.wav")
    await call(hass, player, "volume_set", volume_level=_LOUD)
    await play(hass, player, f"{_FOLDER}/song.wav")
    started = await listen(receiver, song, 0)
    assert started.first_offset == 0

    await call(hass, player, "media_pause")
    paused = state_of(hass, player)
    await until_still(receiver)
    since = played_frames(receiver) + _HELD_FRAMES
    before = compare(song, heard(receiver, 0)).frames_equal + _HELD_FRAMES
    await call(hass, player, "media_play")
    resumed = await listen(receiver, song, since)
    assert paused.state == "paused"
    assert state_of(hass, player).state == "playing"
    assert before - _AHEAD_S * _RATE < resumed.first_offset <= before
    position = paused.attributes["media_position"]
    assert resumed.first_offset == pytest.approx(position * _RATE, abs=_RATE)

    since = played_frames(receiver)
    await call(hass, player, "media_seek", seek_position=_SEEK_S)
    sought = await listen(receiver, song[_SEEK_S * _RATE :], since)
    assert sought.first_offset == 0

    await call(hass, player, "media_stop")
    await until_still(receiver)
    assert state_of(hass, player).state == "idle"


def scaled(source: Frames, level: float) -> Frames:
    """Return samples as libshairplay's program scales them: cut off, not rounded."""
    factor = np.float32(10 ** (level_db(100 * level) / 20))
    samples = source.view("<i2").astype(np.float32) * factor
    return frames(samples.astype("<i2").tobytes())


@pytest.mark.parametrize("mode", ["shairplay"])
async def test_volume_and_mute_scale_the_samples(
    hass: HomeAssistant,
    mdns: None,
    shairport: StartShairport,
    media: Path,
    mode: str,
) -> None:
    receiver = shairport(mode, name="Den")
    player = (await add_discovered(hass, {"Den"}))["Den"]
    song = read_wav(media / "song.wav")
    await call(hass, player, "volume_set", volume_level=_HALF)
    await play(hass, player, f"{_FOLDER}/song.wav")
    assert (await listen(receiver, scaled(song, _HALF), 0)).first_offset == 0

    await call(hass, player, "volume_mute", is_volume_muted=True)
    await until(lambda: not heard(receiver, 0)[-_RATE // 2 :].any(), "it is mute")
    await call(hass, player, "volume_set", volume_level=_LOUD)
    await call(hass, player, "volume_mute", is_volume_muted=False)
    await listen(receiver, song, played_frames(receiver))
    # It answers every question for its volume with the loudest one.
    await call(hass, player, "volume_set", volume_level=_HALF)
    await call(hass, player, "media_stop")
    await until_still(receiver)

    since = played_frames(receiver)
    await play(hass, player, f"{_FOLDER}/song.wav")
    assert (await listen(receiver, scaled(song, _HALF), since)).first_offset == 0
    assert state_of(hass, player).attributes["volume_level"] == _HALF


async def test_first_start_is_not_louder_than_shown(
    hass: HomeAssistant, mdns: None, shairport: StartShairport, media: Path
) -> None:
    """A receiver without a level of its own begins at the loudest, which 0 dB is."""
    receiver = shairport("shairplay", name="Den")
    player = (await add_discovered(hass, {"Den"}))["Den"]
    song = read_wav(media / "song.wav")

    await play(hass, player, f"{_FOLDER}/song.wav")

    level = level_of(hass, player)
    assert 0 < level <= _HALF
    found = await listen(receiver, scaled(song, level), 0)
    assert found.first_offset == 0


@pytest.mark.parametrize("mode", ["ap1mid", "nodetunes"])
async def test_volume_and_mute_are_received(
    hass: HomeAssistant,
    mdns: None,
    shairport: StartShairport,
    media: Path,
    mode: str,
) -> None:
    receiver = shairport(mode, name="Den")
    player = (await add_discovered(hass, {"Den"}))["Den"]

    async def until_receives(level_db: float) -> None:
        await until(lambda: receiver.volumes_db()[-1:] == [level_db], f"{level_db} dB")

    await call(hass, player, "volume_set", volume_level=_HALF)
    await play(hass, player, f"{_FOLDER}/song.wav")
    await until_receives(-15)
    await call(hass, player, "volume_mute", is_volume_muted=True)
    await until_receives(-144)
    await call(hass, player, "volume_mute", is_volume_muted=False)
    await until_receives(-15)
    await call(hass, player, "media_stop")


async def test_group_of_all_kinds_plays_every_frame(
    hass: HomeAssistant, mdns: None, shairport: StartShairport, media: Path
) -> None:
    names = {mode: mode.title() for mode in ("ap1mid", "shairplay", "nodetunes")}
    receivers = {mode: shairport(mode, name=name) for mode, name in names.items()}
    players = await add_discovered(hass, set(names.values()))
    leader, *others = (players[name] for name in names.values())
    for player in players.values():
        await call(hass, player, "volume_set", volume_level=_LOUD)
    await call(hass, leader, "join", group_members=others)

    await play_to_end(hass, leader, f"{_FOLDER}/short.wav")

    song = read_wav(media / "short.wav")
    for mode, receiver in receivers.items():
        found = compare(song, heard(receiver, 0))
        assert found.is_exact, (mode, found)


@pytest.mark.parametrize(
    "mode",
    [
        "shairplay",
        "nodetunes",
    ],
)
async def test_announcement_plays_on_an_idle_speaker(
    hass: HomeAssistant,
    mdns: None,
    shairport: StartShairport,
    media: Path,
    mode: str,
) -> None:
    receiver = shairport(mode, name="Den")
    player = (await add_discovered(hass, {"Den"}))["Den"]
    await call(hass, player, "volume_set", volume_level=_LOUD)
    watch = Watch(hass, player)

    await play(hass, player, f"{_FOLDER}/short.wav", announce=True)

    await watch.until_is("idle")
    found = compare(read_wav(media / "short.wav"), heard(receiver, 0))
    assert found.is_exact, found


@pytest.mark.parametrize(
    "mode",
    [
        "ap1mid",
        "shairplay",
        "nodetunes",
    ],
)
async def test_password_is_asked_for_and_proven(
    hass: HomeAssistant, mdns: None, shairport: StartShairport, mode: str
) -> None:
    """Shairplay announces that it has no password, and asks for it at ANNOUNCE only."""
    shairport(mode, name="Locked", password=_PASSWORD)
    assert await async_setup_component(hass, "zeroconf", {})
    assert await async_setup_component(hass, DOMAIN, {})
    flows = hass.config_entries.flow
    async with asyncio.timeout(30):
        while not (cards := flows.async_progress_by_handler(DOMAIN)):
            await asyncio.sleep(0.1)
    form = cards[0]
    if form["step_id"] == "confirm":
        form = await answer(hass, form)
    assert form["step_id"] == "password", form

    form = await answer(hass, form, password="guess")
    assert form["errors"] == {"password": "invalid_auth"}
    done = await answer(hass, form, password=_PASSWORD)
    assert done["type"] == "create_entry", done
