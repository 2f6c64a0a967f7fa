"""The delay from an action to its sound, by the receiver's own clock.

Of several tries the best one counts: the others show the load on this machine.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from homeassistant.core import HomeAssistant
from tests.ha.players import call, play
from tests.ha.songs import Songs
from tests.ha.sound import RATE
from tests.virtual_receiver import VirtualReceiver, monotonic_ns
from tests.virtual_receiver.playback.recording import NS_PER_S

FRAME_BYTES = 4
TRIES = 4
PAUSE_S = 0.3
START_S = 0.8
# From the instant at which a new start is on the wire, without this machine's pace.
LEAD_S = 0.7
PASSAGE_S = 0.25


def passage(pcm: bytes, second: float) -> bytes:
    """Return a short passage of a song."""
    start = round(second * RATE)
    return pcm[start * FRAME_BYTES : (start + round(PASSAGE_S * RATE)) * FRAME_BYTES]


async def start_s(
    receiver: VirtualReceiver, command: Callable[[], Awaitable[None]], pcm: bytes | None
) -> float:
    """Return the seconds until a passage, or any sound, plays after a command."""
    receiver.clear()
    asked_ns = monotonic_ns()
    await command()
    told_ns = next(each.at_ns for each in receiver.syncs if each.packet.is_first)

    def first_ns() -> int | None:
        if pcm is not None:
            return receiver.heard(pcm, after_ns=told_ns).first_frame_ns
        sounds = (each.play_ns for each in receiver.recording.packets if any(each.pcm))
        return next(sounds, None)

    await receiver.wait_until(lambda: first_ns() is not None)
    heard_ns = first_ns()
    assert heard_ns is not None
    assert (heard_ns - told_ns) / NS_PER_S <= LEAD_S
    return (heard_ns - asked_ns) / NS_PER_S


async def test_pause_is_silent_within_300_ms(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 20))
    took_s = []

    for _ in range(TRIES):
        await kitchen.wait_playing()
        asked_ns = monotonic_ns()
        await call(hass, player, "media_pause")
        await kitchen.drain()
        end_ns = kitchen.recording.last_frame_ns
        assert end_ns
        took_s.append((end_ns - asked_ns) / NS_PER_S)
        await call(hass, player, "media_play")

    assert min(took_s) < PAUSE_S, took_s
    await call(hass, player, "media_stop")


async def test_seek_plays_within_800_ms(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 20))
    pcm = songs.pcm("a", 20)

    took_s = [
        await start_s(
            kitchen,
            partial(call, hass, player, "media_seek", seek_position=second),
            passage(pcm, second),
        )
        for second in range(2, 2 + 3 * TRIES, 3)
    ]

    assert min(took_s) < START_S, took_s
    await call(hass, player, "media_stop")


async def test_next_plays_within_800_ms(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    names = "abcde"[: TRIES + 1]
    await play(hass, player, songs.make("a", 5))
    for name in names[1:]:
        await play(hass, player, songs.make(name, 5), enqueue="add")

    took_s = [
        await start_s(
            kitchen,
            partial(call, hass, player, "media_next_track"),
            passage(songs.pcm(name, 5), 0),
        )
        for name in names[1:]
    ]

    assert min(took_s) < START_S, took_s
    await call(hass, player, "media_stop")


async def test_resume_plays_within_800_ms(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, songs: Songs
) -> None:
    await play(hass, player, songs.make("a", 20))
    took_s = []

    for _ in range(TRIES):
        await call(hass, player, "media_pause")
        await kitchen.drain()
        took_s.append(
            await start_s(kitchen, partial(call, hass, player, "media_play"), None)
        )

    assert min(took_s) < START_S, took_s
    await call(hass, player, "media_stop")
