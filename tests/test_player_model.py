"""Commands, failures and losses in any order, and never a state that lies.

A state may be behind the wire for as long as its report takes, but not longer:
`playing` means that the receiver gets audio, `idle` and `paused` that it gets none.
Set AIRPLAY_MODEL_SEQUENCES to try more than a few sequences.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import suppress
import logging
import os
from pathlib import Path
import time
from typing import Any, override

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import restore_state
from tests.ha_common import (
    call,
    entry_for,
    play,
    sender_pids,
    set_up,
    state_of,
    tone,
    write_wav,
)
from tests.virtual_receiver import VirtualReceiver

SEQUENCES = int(os.environ.get("AIRPLAY_MODEL_SEQUENCES", "3"))
STEPS = int(os.environ.get("AIRPLAY_MODEL_STEPS", "12"))
SILENT_NS = 1_000_000_000
# How long a report may take on a loaded machine.
LATE_S = 1.0
STUCK_S = 20.0
START_PERCENT = 20
SPEAKERS = st.integers(0, 1)
MEDIA = st.sampled_from(["short.wav", "song.wav", "long.wav"])
BAD_MEDIA = st.sampled_from(["none.wav", "noise.wav"])
BUTTONS = st.sampled_from(
    [
        "media_pause",
        "media_play",
        "media_stop",
        "media_next_track",
        "media_previous_track",
        "clear_playlist",
    ]
)
WAIT_S = st.sampled_from([0.0, 0.05, 0.3, 1.2])


class Speaker:
    """A receiver, its player, and whatever was seen of both."""

    def __init__(self, hass: HomeAssistant, name: str, receiver_id: str) -> None:
        """Describe a receiver."""
        self._hass = hass
        self.receiver = VirtualReceiver(name, receiver_id=receiver_id)
        self.entry: MockConfigEntry | None = None
        self.player = ""
        self.loudest = START_PERCENT
        self.lies: list[str] = []
        self._lied_since: float | None = None
        self._waits_since: float | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Add the receiver to Home Assistant and watch it."""
        await self.receiver.start()
        # Nothing is known from the sequence before.
        restore_state.async_get(self._hass).last_states.clear()
        self.entry = entry_for(self.receiver)
        self.player = await set_up(self._hass, self.entry)
        self._watch = asyncio.create_task(self._compare())

    async def end(self) -> None:
        """Remove it; it must be free afterwards."""
        assert self._watch
        assert self.entry
        self._watch.cancel()
        with suppress(asyncio.CancelledError):
            await self._watch
        await self._hass.config_entries.async_remove(self.entry.entry_id)
        await self._hass.async_block_till_done()
        await self.receiver.wait_idle(5)
        await self.receiver.stop()

    async def vanish(self) -> None:
        """Leave the network."""
        await self.receiver.stop()

    async def come_back(self) -> None:
        """Be there again."""
        await self.receiver.stop()
        await self.receiver.start()

    async def _compare(self) -> None:
        """Compare the state with the wire all the time."""
        while True:
            await asyncio.sleep(0.05)
            self._look()

    def _look(self) -> None:
        state = state_of(self._hass, self.player).state
        silent_ns = time.monotonic_ns() - self.receiver.stats.last_packet_ns
        is_fed = silent_ns < SILENT_NS
        now = time.monotonic()
        if state == "buffering" or (state == "playing") == is_fed:
            self._lied_since = None
        elif self._lied_since is None:
            self._lied_since = now
        elif now - self._lied_since > LATE_S + (0 if state == "playing" else 1):
            self.lies.append(
                f"{self.player} is {state}, last packet {silent_ns / 1e9} s ago"
            )
        if state != "buffering":
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since > STUCK_S:
            self.lies.append(f"{self.player} is stuck in buffering")


class House:
    """Two speakers and the commands that are under way."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Describe the speakers."""
        self._hass = hass
        self.speakers = [
            Speaker(hass, "Kitchen", "0A0B0C0D0E01"),
            Speaker(hass, "Bedroom", "0A0B0C0D0E02"),
        ]
        self._commands: list[asyncio.Task[None]] = []

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in Home Assistant's loop."""
        self._hass.loop.run_until_complete(work)

    async def start(self) -> None:
        """Set both speakers up."""
        for speaker in self.speakers:
            await speaker.start()

    async def command(self, work: Coroutine[Any, Any, None], wait_s: float) -> None:
        """Give a command, and go on after a while, be it done or not."""
        self._commands.append(asyncio.create_task(_refusable(work)))
        await asyncio.sleep(wait_s)
        for task in [task for task in self._commands if task.done()]:
            self._commands.remove(task)
            task.result()

    async def end(self) -> None:
        """End everything; nothing may be left."""
        async with asyncio.timeout(60):
            await asyncio.gather(*self._commands)
        for speaker in self.speakers:
            await speaker.come_back()
            await speaker.end()
        assert sender_pids() == []


async def _refusable(work: Coroutine[Any, Any, None]) -> None:
    """Do what a user asks; being told why it cannot be done is an answer."""
    with suppress(HomeAssistantError):
        await work


def faults(records: list[logging.LogRecord]) -> Iterator[str]:
    """Yield what must not be in the log."""
    for record in records:
        if record.exc_info or (
            record.levelno >= logging.ERROR and record.name == "asyncio"
        ):
            yield record.getMessage()


class Household(RuleBasedStateMachine):
    """What people and networks do."""

    hass: HomeAssistant
    caplog: pytest.LogCaptureFixture

    def __init__(self) -> None:
        super().__init__()
        self.caplog.clear()
        self.house = House(self.hass)

    @initialize()
    def begin(self) -> None:
        self.house.run(self.house.start())

    @rule(which=SPEAKERS, name=MEDIA, wait_s=WAIT_S)
    def play(self, which: int, name: str, wait_s: float) -> None:
        self._put(which, wait_s, name)

    @rule(
        which=SPEAKERS,
        name=MEDIA,
        enqueue=st.sampled_from(["add", "next", "play", "replace"]),
        wait_s=WAIT_S,
    )
    def enqueue(self, which: int, name: str, enqueue: str, wait_s: float) -> None:
        self._put(which, wait_s, name, enqueue=enqueue)

    @rule(
        which=SPEAKERS,
        name=BAD_MEDIA,
        enqueue=st.sampled_from(["add", "play"]),
        wait_s=WAIT_S,
    )
    def play_bad(self, which: int, name: str, enqueue: str, wait_s: float) -> None:
        self._put(which, wait_s, name, enqueue=enqueue)

    @rule(
        which=SPEAKERS,
        button=BUTTONS,
        times=st.sampled_from([1, 1, 2, 5]),
        wait_s=WAIT_S,
    )
    def press(self, which: int, button: str, times: int, wait_s: float) -> None:
        for _ in range(times):
            self._give(which, wait_s / times, button)

    @rule(which=SPEAKERS, position_s=st.integers(0, 4), wait_s=WAIT_S)
    def seek(self, which: int, position_s: int, wait_s: float) -> None:
        self._give(which, wait_s, "media_seek", seek_position=position_s)

    @rule(which=SPEAKERS, percent=st.integers(0, 50), wait_s=WAIT_S)
    def turn(self, which: int, percent: int, wait_s: float) -> None:
        speaker = self.house.speakers[which]
        speaker.loudest = max(speaker.loudest, percent)
        self._give(which, wait_s, "volume_set", volume_level=percent / 100)

    @rule(which=SPEAKERS, is_muted=st.booleans())
    def mute(self, which: int, is_muted: bool) -> None:
        self._give(which, 0, "volume_mute", is_volume_muted=is_muted)

    @rule(which=SPEAKERS)
    def drop(self, which: int) -> None:
        self.house.speakers[which].receiver.disconnect()

    @rule(which=SPEAKERS)
    def vanish(self, which: int) -> None:
        self.house.run(self.house.speakers[which].vanish())

    @rule(which=SPEAKERS)
    def come_back(self, which: int) -> None:
        self.house.run(self.house.speakers[which].come_back())

    @rule(wait_s=st.sampled_from([0.5, 2.0]))
    def listen(self, wait_s: float) -> None:
        self.house.run(asyncio.sleep(wait_s))

    @invariant()
    def nothing_lies(self) -> None:
        for speaker in self.house.speakers:
            assert not speaker.lies
            for change in speaker.receiver.volumes:
                assert change.volume_db <= speaker.loudest * 0.3 - 30 + 0.01
        assert not [*faults(self.caplog.records)]

    @override
    def teardown(self) -> None:
        self.house.run(asyncio.sleep(2))
        try:
            self.nothing_lies()
        finally:
            self.house.run(self.house.end())
        assert not [*faults(self.caplog.records)]

    def _give(self, which: int, wait_s: float, action: str, **fields: Any) -> None:
        player = self.house.speakers[which].player
        work = call(self.hass, player, action, **fields)
        self.house.run(self.house.command(work, wait_s))

    def _put(self, which: int, wait_s: float, name: str, **fields: Any) -> None:
        player = self.house.speakers[which].player
        work = play(
            self.hass, player, f"media-source://media_source/local/{name}", **fields
        )
        self.house.run(self.house.command(work, wait_s))


def test_no_order_of_commands_and_failures_makes_a_state_lie(
    hass: HomeAssistant,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "media"
    for name, seconds in (("short", 0.4), ("song", 1.5), ("long", 5)):
        write_wav(folder / f"{name}.wav", tone(seconds))
    (folder / "noise.wav").write_bytes(b"no sound" * 100)
    hass.config.media_dirs["local"] = str(folder)
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(Household, "hass", hass, raising=False)
    monkeypatch.setattr(Household, "caplog", caplog, raising=False)

    run_state_machine_as_test(
        Household,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        ),
    )
