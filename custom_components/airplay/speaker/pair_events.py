"""Events of a speaker's receivers: those of a stereo pair as if from one receiver."""

from collections.abc import Callable
from functools import partial

from homeassistant.core import CALLBACK_TYPE, callback

from ..discovery.device import AirPlayDevice
from ..raop.api import (
    AnnouncementFailed,
    AnnouncementStarted,
    Button,
    MemberChanged,
    RemoteCommand,
    VolumeFound,
)
from ..sender.events import EventListener, SenderEvent
from ..sender.sender import Sender

# Volume and source have a single state: that of the leading receiver.
_FACTS = {
    Button.VOLUME_REPORT,
    Button.VOLUME_SET,
    Button.VOLUME_RELATIVE,
    Button.SWITCHED_AWAY,
    Button.SWITCHED_BACK,
}
_HEARD = ("connected", "started", "playing")
_OF_BUDDY = ("connected", "playing")


class PairEventFilter:
    """Filters the events of both receivers of a pair, or of a single receiver."""

    def __init__(
        self, device: AirPlayDevice, sender: Sender, on_event: EventListener
    ) -> None:
        """Start listening, and follow changes of the pair."""
        self._device = device
        self._sender = sender
        self._on_event = on_event
        self._listening: dict[str, CALLBACK_TYPE] = {}
        self._here: set[str] = set()
        self._announcement = ""
        self._failed: set[str] = set()
        self._async_follow_pair()
        self._stop: Callable[[], None] = device.async_listen(self._async_follow_pair)

    @callback
    def async_close(self) -> None:
        """Stop listening."""
        self._stop()
        for forget in self._listening.values():
            forget()
        self._listening.clear()

    @callback
    def async_forget(self) -> None:
        """Record that neither receiver plays."""
        self._here.clear()

    @callback
    def _async_follow_pair(self) -> None:
        wanted = {each.id for each in self._device.receivers}
        if wanted == self._listening.keys():
            return
        self._here.clear()
        for gone in self._listening.keys() - wanted:
            self._listening.pop(gone)()
        for receiver in wanted - self._listening.keys():
            self._listening[receiver] = self._sender.async_listen_to(
                receiver, partial(self._async_hear, receiver)
            )

    @callback
    def _async_hear(self, receiver: str, event: SenderEvent) -> None:
        is_partner = receiver != self._device.receiver.id
        if self._device.partner is None:
            counts = not is_partner
        else:
            counts = self._counts(receiver, event, is_partner=is_partner)
        if counts:
            self._on_event(event)

    def _counts(self, receiver: str, event: SenderEvent, *, is_partner: bool) -> bool:
        """Return whether an event applies to both, or is a command that either may send."""
        match event:
            case MemberChanged(state="lost" | "left"):
                self._here.discard(receiver)
                return not self._here
            case MemberChanged():
                if event.state in _HEARD:
                    self._here.add(receiver)
                return not is_partner or event.state in _OF_BUDDY
            case AnnouncementFailed():
                return self._is_failure(receiver, event)
            case RemoteCommand():
                return not is_partner or event.command not in _FACTS
            case AnnouncementStarted() | VolumeFound():
                return True
        return not is_partner

    def _is_failure(self, receiver: str, event: AnnouncementFailed) -> bool:
        """Return whether an announcement has failed at both receivers."""
        if event.announcement != self._announcement:
            self._announcement = event.announcement
            self._failed.clear()
        self._failed.add(receiver)
        return len(self._failed) > 1
