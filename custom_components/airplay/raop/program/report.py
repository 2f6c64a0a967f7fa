"""Print the engine's events for a terminal, or as JSON for a program."""

import asyncio
import json
import sys
import time

from ..errors import RaopError, error_for
from ..messages import (
    ClockShared,
    Event,
    MediaChanged,
    MemberChanged,
    NextFailed,
    Progress,
    Started,
    StreamChanged,
)

_BAR = 30
# States that a stream reports once for all of its members.
_TOLD_FOR_ALL = ("started", "playing")


class Report:
    """Prints events for a terminal or a program."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._is_terminal = sys.stderr.isatty()
        self._duration_ms: int | None = None
        self._resent = 0
        self._end: asyncio.Future[StreamChanged] = asyncio.Future()

    def handle_event(self, event: Event) -> None:
        """Print an event of the engine."""
        match event:
            case MemberChanged():
                self._tell_member(event)
            case ClockShared():
                self._tell("clock", code=event.code, text=event.text)
            case MediaChanged():
                self._duration_ms = event.duration_ms
                self._tell("media", title=event.tags.title, artist=event.tags.artist)
            case NextFailed():
                self._tell("skipped", code=event.code, text=event.text)
            case Started():
                self._tell(
                    "started", at=event.at, first_packet_at=event.first_packet_at
                )
            case Progress():
                self._progress(event)
            case StreamChanged(state="ended"):
                if not self._end.done():
                    self._end.set_result(event)
            case StreamChanged():
                self._tell(event.state, position_ms=event.position_ms, at=event.at)

    async def until_ended(self, playing: asyncio.Task[None]) -> None:
        """Wait until everything has played. Raises RaopError: it ended early."""
        await playing
        end = await self._end
        if end.reason == "failed":
            raise error_for(end.code or "", end.text, end.status)
        self._tell("ended", reason=end.reason, resent=self._resent)

    def finish(self) -> None:
        """End the line of the progress bar."""
        if self._is_terminal and not self._as_json:
            sys.stderr.write("\n")

    def _tell_member(self, event: MemberChanged) -> None:
        if event.state not in _TOLD_FOR_ALL:
            self._tell(event.state, receiver=event.receiver, text=event.text)

    def _progress(self, event: Progress) -> None:
        resent = sum(member.resent for member in event.members)
        if resent != self._resent:
            self._resent = resent
            self._tell("resends", total=resent)
        if self._as_json:
            self._tell(
                "progress",
                position_ms=event.position_ms,
                at=event.at,
                silence_ms=event.silence_ms,
                worst_lateness_us=event.worst_lateness_us,
                packets=[member.packets for member in event.members],
                timing_replies=[member.timing_replies for member in event.members],
            )
        elif self._is_terminal:
            self._draw(event.position_ms)

    def _draw(self, position_ms: int) -> None:
        seconds = position_ms // 1000
        text = f"{seconds // 60}:{seconds % 60:02}"
        if self._duration_ms:
            done = min(_BAR, _BAR * position_ms // self._duration_ms)
            total = self._duration_ms // 1000
            bar = "#" * done + "-" * (_BAR - done)
            text = f"[{bar}] {text} / {total // 60}:{total % 60:02}"
        sys.stderr.write(f"\r{text} ")
        sys.stderr.flush()

    def _tell(self, event: str, **facts: object) -> None:
        known = {key: value for key, value in facts.items() if value not in (None, "")}
        if self._as_json:
            line = json.dumps({"event": event, "time": time.time(), **known})
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        elif not self._is_terminal or event not in ("progress", "resends"):
            words = " ".join(f"{key}={value}" for key, value in known.items())
            sys.stderr.write(f"{event} {words}\n")


def say_error(err: RaopError, *, as_json: bool) -> None:
    """Print an error in one line."""
    if as_json:
        line = {
            "event": "error",
            "time": time.time(),
            "code": err.code,
            "text": str(err),
        }
        sys.stdout.write(json.dumps(line) + "\n")
    else:
        sys.stderr.write(f"{err}\n")
