"""A sender whose announcements last as long as a test wants, with its speakers."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from custom_components.airplay.raop.errors import RaopError
from custom_components.airplay.raop.messages import (
    Addressee,
    Announce,
    AnnouncementFailed,
    AnnouncementStarted,
    CancelAnnouncement,
    Command,
    RestoreVolume,
    SetVolume,
)
from custom_components.airplay.sender.errors import SenderGoneError
from custom_components.airplay.sender.sender import Sender
from homeassistant.core import Context, HomeAssistant
from tests.ha.watch import Watch

BELL = "https://media.example/bell.mp3"
DINNER = "https://media.example/dinner.mp3"
ALARM = "https://media.example/alarm.mp3"


class Sounding:
    """An announcement that the sender received."""

    def __init__(self, command: Announce) -> None:
        self.command = command
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def streams(self) -> list[str]:
        """Return the speakers on which it plays."""
        return [target.stream for target in self.command.targets]

    @property
    def addressees(self) -> list[tuple[str, Addressee]]:
        """Return its targets, each with its stream."""
        targets = self.command.targets
        return [(each.stream, to) for each in targets for to in each.addressees]

    @property
    def media(self) -> str:
        """Return the name of the file or address that is announced."""
        return self.command.clips[-1].url.rpartition("/")[2]

    @property
    def volumes(self) -> list[float | None]:
        """Return the volumes of its speakers."""
        return [each.volume for _, each in self.addressees]

    def end(self, error: Exception | None = None) -> None:
        """Let it be over."""
        if self._end.done():
            return
        if error:
            self._end.set_exception(error)
        else:
            self._end.set_result(None)

    async def wait(self) -> None:
        """Wait until it is over."""
        await self._end


class HeldSender:
    """Intercepts announcements to the real sender and holds them."""

    def __init__(self) -> None:
        self.announced: list[Sounding] = []
        self.cancelled: list[str] = []
        self.restored: list[RestoreVolume] = []
        self.levels: list[SetVolume] = []
        self.restoring: RaopError | None = None
        self.is_deaf = False
        self._changed = asyncio.Event()
        self._sender: Sender | None = None

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until a condition on the received announcements is true."""
        async with asyncio.timeout(10):
            while not predicate():
                self._changed.clear()
                await self._changed.wait()

    async def nth(self, count: int) -> Sounding:
        """Wait for the announcement of that number, counted from one."""
        await self.until(lambda: len(self.announced) >= count)
        return self.announced[count - 1]

    def start(self, sounding: Sounding) -> None:
        """Report that it plays now, on all speakers."""
        for stream, each in sounding.addressees:
            self.tell(
                AnnouncementStarted(
                    announcement=sounding.command.announcement,
                    stream=stream,
                    receiver=each.member.receiver,
                    at=1.0,
                )
            )

    def fail(self, sounding: Sounding, stream: str, code: str) -> None:
        """Report that it does not play on one speaker."""
        for of, each in sounding.addressees:
            if of == stream:
                self.tell(
                    AnnouncementFailed(
                        announcement=sounding.command.announcement,
                        stream=stream,
                        receiver=each.member.receiver,
                        code=code,
                        text="a reason",
                    )
                )

    def tell(self, event: AnnouncementStarted | AnnouncementFailed) -> None:
        """Send an event to the integration."""
        assert self._sender
        self._sender._handle_event(event)

    async def finish(self, count: int) -> list[str]:
        """Let so many play one after another; return the names of all."""
        for number in range(1, count + 1):
            (await self.nth(number)).end()
        return [each.media.removesuffix(".mp3") for each in self.announced]

    def die(self) -> None:
        """End all requests as a process does that was killed."""
        for sounding in self.announced:
            sounding.end(SenderGoneError("killed"))

    async def take(self, sender: Sender, command: Command) -> bool:
        """Handle a command; return whether it was an announcement."""
        self._sender = sender
        try:
            match command:
                case Announce():
                    sounding = Sounding(command)
                    self.announced.append(sounding)
                    self._changed.set()
                    await sounding.wait()
                case CancelAnnouncement():
                    self.cancelled.append(command.announcement)
                    for each in [] if self.is_deaf else self.announced:
                        if each.command.announcement == command.announcement:
                            each.end()
                case RestoreVolume():
                    self.restored.append(command)
                    if self.restoring:
                        raise self.restoring
                case SetVolume():
                    self.levels.append(command)
                case _:
                    return False
        finally:
            self._changed.set()
        return True


@contextmanager
def hold_announcements() -> Generator[HeldSender]:
    """Hold announcements; everything else goes to the real process."""
    held, request = HeldSender(), Sender.async_request

    async def take(sender: Sender, command: Command, **limits: Any) -> None:
        if not await held.take(sender, command):
            await request(sender, command, **limits)
        elif on_sent := limits.get("on_sent"):
            on_sent()

    with patch.object(Sender, "async_request", take):
        yield held


async def announce(
    hass: HomeAssistant,
    entity_id: str | list[str],
    media: str,
    context: Context | None = None,
    **extra: Any,
) -> None:
    """Announce media as every other integration does it."""
    await hass.services.async_call(
        "media_player",
        "play_media",
        {
            "entity_id": entity_id,
            "media_content_type": "music",
            "media_content_id": media,
            "announce": True,
            "extra": extra,
        },
        blocking=True,
        context=context,
    )


async def begun(watch: Watch) -> None:
    """Wait until a player reports that it announces."""
    await watch.until(lambda state: state.attributes.get("announcing") is True)


async def airplay_announce(
    hass: HomeAssistant, entity_id: str | list[str], **words: Any
) -> None:
    """Announce with the integration's own action."""
    await hass.services.async_call(
        "airplay", "announce", {"entity_id": entity_id, **words}, blocking=True
    )
