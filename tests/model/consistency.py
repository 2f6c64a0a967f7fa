"""Compares the state of a speaker in Home Assistant with the input of its receiver.

`playing` means that audio comes in and plays, `idle`, `paused` and `unavailable`
that none does. `buffering` may be either, but does not last.
"""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
import math
import time
from typing import Any

from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers.event import (
    EventStateChangedData,
    async_track_state_change_event,
)
from tests.ha.players import state_of
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.playback.recording import PlayedPacket

from .trace import Trace

LOOK_S = 0.05
SILENT_S = 1.0
# The time limit for the report of a change on a busy machine.
LATE_S = 0.5
STUCK_S = 20.0
# What a receiver that cannot stand FLUSH has got plays on.
BUFFERED_S = 2.5
# The level goes through the sender, a receiver that is slow to answer, and its queue.
LEVEL_LATE_NS = 1_500_000_000
MUTE_DB = -144.0
# Positions are shown in whole seconds, at the beginning and at the end of a span.
POSITION_S = 1.6
# For so long after a command the position may go anywhere.
COMMAND_S = 3.0
_S = 1_000_000_000


class ConsistencyCheck:
    """Watches one speaker, several times a second and at every change."""

    def __init__(
        self, hass: HomeAssistant, player: str, receiver: VirtualReceiver, trace: Trace
    ) -> None:
        """Begin to watch."""
        self._hass = hass
        self._player = player
        self._receiver = receiver
        self._trace = trace
        self._since_ns = time.monotonic_ns()
        self._state = state_of(hass, player).state
        self._sound_ns = 0
        self._asked_time = receiver.stats.timing_requests
        self._doubts: dict[str, float] = {}
        self._told: set[str] = set()
        self._levels: list[tuple[int, float]] = []
        self._seen_volumes = 0
        self._position: tuple[tuple[Any, ...], float, float] | None = None
        self._command_s = 0.0
        self._command = 0
        self._is_hushed = False
        self._minds_flush = False
        self.seconds_in: defaultdict[str, float] = defaultdict(float)
        self._note_level(state_of(hass, player))
        receiver.recording.subscribe(self._heard)
        receiver.subscribe(self._event)
        self._forget = async_track_state_change_event(hass, player, self._changed)
        self._task = asyncio.create_task(self._watch())

    async def end(self) -> None:
        """Stop watching."""
        self._forget()
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error

    def mind_flush(self) -> None:
        """Note that the receiver may be found to end its connection on FLUSH.

        Then it gets none any more, but silence after the sound that it has got.
        """
        self._minds_flush = True

    def commanded(self, number: int) -> None:
        """Note that a user gives a command: the position may change."""
        self._command_s = time.monotonic()
        self._command, self._is_hushed = number, False

    def done(self, number: int, *, silences: bool) -> None:
        """Note that a command is done; the last one may be one that silences."""
        self._command_s = time.monotonic()
        if silences and number == self._command:
            self._is_hushed = True
            self._check_hush()

    def _check_hush(self) -> None:
        if self._is_hushed and _kind(self._state) != "silent":
            self._trace.blame(
                f"{self._player} is {self._state} after command {self._command}"
            )

    def _heard(self, packet: PlayedPacket) -> None:
        if any(packet.pcm):
            self._sound_ns = max(self._sound_ns, packet.play_ns)

    def _event(self, event: str, details: Any) -> None:
        if event == "request" and details["method"] == "ANNOUNCE":
            self._asked_time = self._receiver.stats.timing_requests

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if new is None:
            return
        self._note_level(new)
        if new.state != self._state:
            if _kind(new.state) != _kind(self._state):
                self._since_ns = time.monotonic_ns()
            self._state = new.state
            self._trace.note(f"{self._player} is {new.state} {_media(new)}")
            self._check_hush()

    def _note_level(self, state: State) -> None:
        level = state.attributes.get("volume_level")
        if level is not None:
            self._levels.append((time.monotonic_ns(), level * 30 - 30))

    async def _watch(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            # While the loop was busy, no report was possible either.
            self._look(min(now - looked, 2 * LOOK_S))
            self.seconds_in[self._state] += now - looked
            looked = now

    def _look(self, elapsed_s: float) -> None:
        self._receiver.poll()
        found = dict(self._doubt())
        self._doubts = {kind: self._doubts.get(kind, 0.0) + elapsed_s for kind in found}
        for kind, doubted_s in self._doubts.items():
            if doubted_s > LATE_S and kind not in self._told:
                self._told.add(kind)
                self._trace.blame(f"{self._player} is {self._state}: {found[kind]}")
        self._told &= found.keys()
        self._check_volumes()
        self._check_position(state_of(self._hass, self._player))

    def _doubt(self) -> list[tuple[str, str]]:
        """Return the present differences between state and wire."""
        now = time.monotonic_ns()
        since, stats = self._since_ns, self._receiver.stats
        wires = (("packet", stats.last_packet_ns), ("sound", self._sound_ns))
        match _kind(self._state):
            case "playing":
                doubts = [
                    (what, f"the last {what} came {(now - at) / _S:.2f} s ago")
                    for what, at in wires
                    if now - max(at, since) > SILENT_S * _S
                ]
                if stats.timing_requests == self._asked_time:
                    doubts.append(("time", "the receiver never asked for the time"))
                return doubts
            case "silent":
                late_s = {"packet": LATE_S, "sound": LATE_S}
                if self._minds_flush:
                    late_s = {"packet": math.inf, "sound": BUFFERED_S}
                return [
                    (what, f"a {what} came {(at - since) / _S:.2f} s after that")
                    for what, at in wires
                    if at - since > late_s[what] * _S
                ]
        if now - since > STUCK_S * _S:
            return [("stuck", f"for {(now - since) / _S:.1f} s")]
        return []

    def _check_volumes(self) -> None:
        volumes = self._receiver.volumes
        for change in volumes[self._seen_volumes :]:
            if change.volume_db == MUTE_DB:
                continue
            # All volumes that were shown within the time, and the one before them.
            from_ns = change.at_ns - LEVEL_LATE_NS
            before = [level for at, level in self._levels if at <= from_ns][-1:]
            within = [level for at, level in self._levels if at > from_ns]
            if change.volume_db > max([*before, *within]) + 0.02:
                self._trace.blame(
                    f"{self._player} sounds at {change.volume_db} dB,"
                    f" shown are {max([*before, *within])} dB"
                )
        self._seen_volumes = len(volumes)

    def _check_position(self, state: State) -> None:
        """Check that the position is one of the media's, and continues with the clock."""
        shown = state.attributes
        at = shown.get("media_position_updated_at")
        if state.state not in ("playing", "paused") or at is None:
            self._position = None
            return
        position: float = shown["media_position"]
        duration = shown.get("media_duration")
        if position < 0 or (duration is not None and position > duration + 1):
            self._blame_position(f"at {position} s of {duration} s")
        now = time.monotonic()
        if state.state == "playing":
            position += (datetime.now(UTC) - at).total_seconds()
        key = (state.state, shown["media_content_id"], shown.get("queue_position"))
        last, self._position = self._position, (key, position, now)
        if last is None or last[0] != key or now - self._command_s < COMMAND_S:
            return
        expected = last[1] + (now - last[2] if state.state == "playing" else 0)
        begins_anew = position < POSITION_S
        if abs(position - expected) > POSITION_S and not begins_anew:
            self._blame_position(f"at {position:.1f} s, not {expected:.1f} s")

    def _blame_position(self, why: str) -> None:
        self._trace.blame(f"{self._player} is {self._state} {why}")


def _kind(state: str) -> str:
    return state if state in ("playing", "buffering") else "silent"


def _media(state: State) -> str:
    shown = state.attributes
    if "media_content_id" not in shown:
        return ""
    name = str(shown["media_content_id"]).rpartition("/")[2]
    place = f"{shown.get('queue_position')}/{shown.get('queue_size')}"
    return f"({name} at {shown.get('media_position')} s, {place})"
