"""A house with speakers: the actions of people and networks, and the required end."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
import itertools
import os
import signal
import traceback
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.ha.players import call, entry_for, play, player_of, state_of
from tests.ha.processes import sender_pids
from tests.virtual_receiver import Quirks, VirtualReceiver

from .consistency import ConsistencyCheck
from .media import Library
from .trace import Trace

ROOMS = ("Kitchen", "Bedroom")
MANNERS = {
    "good": Quirks(),
    "busy": Quirks(refuse={"ANNOUNCE": 453}),
    "slow": Quirks(
        reply_delay_s=dict.fromkeys(
            ("ANNOUNCE", "SETUP", "RECORD", "FLUSH", "TEARDOWN"), 0.3
        )
    ),
    "lossy": Quirks(loss=0.05),
    "without a clock": Quirks(asks_time=False),
    "hangs up at SETUP": Quirks(drop_at="SETUP"),
    "hangs up at RECORD": Quirks(drop_at="RECORD"),
    "hangs up at FLUSH": Quirks(drop_at="FLUSH"),
    "hangs up by itself": Quirks(drop_after_s=1.0),
    "does not answer TEARDOWN": Quirks(unanswered=frozenset({"TEARDOWN"})),
    "does not answer FLUSH": Quirks(unanswered=frozenset({"FLUSH"})),
}
# After these nothing plays until the next command to play.
SILENCING = {"media_pause", "media_stop", "clear_playlist"}
_FREE_S = 3.0
_DONE_S = 90.0


class Speaker:
    """A receiver, its player, and the watch on both."""

    def __init__(
        self, hass: HomeAssistant, name: str, receiver_id: str, trace: Trace
    ) -> None:
        """Describe a receiver."""
        self._hass = hass
        self._trace = trace
        self.receiver = VirtualReceiver(name, receiver_id=receiver_id, record=False)
        self.entry: MockConfigEntry | None = None
        self.player = ""
        self.consistency: ConsistencyCheck | None = None

    async def start(self) -> None:
        """Add the receiver to Home Assistant and watch it."""
        await self.receiver.start()
        self.entry = entry_for(self.receiver)
        self.entry.add_to_hass(self._hass)
        await self._hass.config_entries.async_setup(self.entry.entry_id)
        self.player = player_of(self._hass, self.entry)
        self.consistency = ConsistencyCheck(
            self._hass, self.player, self.receiver, self._trace
        )

    @property
    def maximum(self) -> str:
        """Return the entity that limits the volume."""
        return f"{self.player.replace('media_player', 'number')}_maximum_volume"

    async def come_back(self) -> None:
        """Be on the network again."""
        await self.receiver.stop()
        await self.receiver.start()

    async def reload(self) -> None:
        """Unload the entry and set it up again."""
        assert self.entry
        await self._hass.config_entries.async_reload(self.entry.entry_id)

    async def end(self, song: str) -> None:
        """In any state: stop, be free, play again, and leave nothing behind."""
        assert self.entry
        assert self.consistency
        try:
            self.receiver.quirks = Quirks()
            await _despite_kills(self._stop)
            await self.come_back()
            if self.entry.state is not ConfigEntryState.LOADED:
                await self.reload()
            assert self.entry.state is ConfigEntryState.LOADED, self.entry.state
            await _despite_kills(lambda: self._play_again(song))
            await _despite_kills(self._stop)
        finally:
            await self.consistency.end()
            await self._hass.config_entries.async_remove(self.entry.entry_id)
            await self.receiver.wait_until(lambda: not self.receiver.open_connections)
            assert not self.receiver.has_session
            await self.receiver.stop()

    async def _stop(self) -> None:
        await call(self._hass, self.player, "media_stop")
        await self.receiver.wait_idle(_FREE_S)
        state = state_of(self._hass, self.player).state
        assert state in ("idle", "unavailable"), f"{self.player} stopped: {state}"

    async def _play_again(self, song: str) -> None:
        assert self.consistency
        self.consistency.commanded(0)
        heard = self.receiver.recording.heard_frames
        await play(self._hass, self.player, song, enqueue="replace")
        state = state_of(self._hass, self.player).state
        assert state == "playing", f"{self.player} plays again: {state}"
        assert self.receiver.recording.heard_frames > heard


class House:
    """Speakers, and the commands that are under way."""

    def __init__(
        self, hass: HomeAssistant, library: Library, number: int, trace: Trace
    ) -> None:
        """Describe the speakers; no two houses have the same."""
        self._hass = hass
        self._library = library
        self._trace = trace
        self._commands: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count(1)
        self.refusals: Counter[str] = Counter()
        self.speakers = [
            Speaker(hass, f"{room} {number}", f"0A{number:08X}{which:02X}", trace)
            for which, room in enumerate(ROOMS)
        ]

    async def start(self) -> None:
        """Set all speakers up."""
        await asyncio.gather(*(speaker.start() for speaker in self.speakers))

    async def listen(self, wait_s: float) -> None:
        """Do nothing for a while."""
        await asyncio.sleep(wait_s)

    async def give(self, which: int, wait_s: float, action: str, **fields: Any) -> None:
        """Give a player a command, and continue after a while, finished or not."""
        player = self.speakers[which].player
        text = f"{player} {action} {fields or ''}"
        work = call(self._hass, player, action, **fields)
        silences = action in SILENCING
        await self._command(which, wait_s, text, work, silences=silences)

    async def put(self, which: int, wait_s: float, name: str, **fields: Any) -> None:
        """Have a player play media or queue it."""
        player = self.speakers[which].player
        work = play(self._hass, player, self._library.id_of(name), **fields)
        await self._command(which, wait_s, f"{player} play {name} {fields or ''}", work)

    async def limit(self, which: int, percent: int) -> None:
        """Set the maximum volume of a speaker."""
        fields = {"entity_id": self.speakers[which].maximum, "value": percent}
        work = self._set_number(fields)
        await self._command(which, 0, f"{fields}", work)

    async def reload(self, which: int) -> None:
        """Reload an entry."""
        speaker = self.speakers[which]
        await self._command(which, 0, f"{speaker.player} reload", speaker.reload())

    async def behave(self, which: int, manners: str) -> None:
        """Set the quirks of a receiver for connections from now on."""
        speaker = self.speakers[which]
        self._trace.note(f"{speaker.player}'s receiver is {manners}")
        quirks = speaker.receiver.quirks = MANNERS[manners]
        if "FLUSH" in {quirks.drop_at, *quirks.unanswered}:
            assert speaker.consistency
            speaker.consistency.mind_flush()

    async def drop(self, which: int) -> None:
        """Close a receiver's connections."""
        speaker = self.speakers[which]
        self._trace.note(f"{speaker.player}'s receiver drops its connections")
        speaker.receiver.disconnect()

    async def vanish(self, which: int) -> None:
        """Remove a receiver from the network."""
        speaker = self.speakers[which]
        self._trace.note(f"{speaker.player}'s receiver vanishes")
        await speaker.receiver.stop()

    async def come_back(self, which: int) -> None:
        """Bring a receiver back, or restart it."""
        speaker = self.speakers[which]
        self._trace.note(f"{speaker.player}'s receiver comes back")
        await speaker.come_back()

    async def kill(self) -> None:
        """Kill the process that plays."""
        self._trace.note("the sender process is killed")
        for pid in sender_pids():
            os.kill(pid, signal.SIGKILL)

    async def end(self) -> None:
        """Let all commands be done; then all must be well again."""
        self._trace.note("the end begins")
        async with asyncio.timeout(_DONE_S):
            await asyncio.gather(*self._commands)
        song = self._library.id_of("song.wav")
        ends = (speaker.end(song) for speaker in self.speakers)
        for error in await asyncio.gather(*ends, return_exceptions=True):
            if error:
                self._trace.blame("".join(traceback.format_exception(error)))

    async def _set_number(self, fields: dict[str, Any]) -> None:
        await self._hass.services.async_call(
            "number", "set_value", fields, blocking=True
        )

    async def _command(
        self,
        which: int,
        wait_s: float,
        text: str,
        work: Coroutine[Any, Any, None],
        *,
        silences: bool = False,
    ) -> None:
        task = asyncio.create_task(self._follow(which, text, work, silences=silences))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        await asyncio.sleep(wait_s)

    async def _follow(
        self, which: int, text: str, work: Coroutine[Any, Any, None], *, silences: bool
    ) -> None:
        """Run a user's action; a translated error is a valid answer."""
        consistency, number = self.speakers[which].consistency, next(self._numbers)
        assert consistency
        consistency.commanded(number)
        self._trace.note(f"{number}: {text}")
        outcome = "done"
        try:
            await work
        except HomeAssistantError as error:
            outcome = f"{error.translation_key}: {error}"
            self.refusals[str(error.translation_key)] += 1
        except Exception:  # noqa: BLE001 - it is reported at the end
            self._trace.blame(f"{number}: {text}: {traceback.format_exc()}")
        self._trace.note(f"{number}: {outcome}")
        consistency.done(number, silences=silences and outcome == "done")


async def _despite_kills(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Try again if another house kills the process that plays for all."""
    while True:
        try:
            return await work()
        except HomeAssistantError as error:
            if error.translation_key != "sender_gone":
                raise
