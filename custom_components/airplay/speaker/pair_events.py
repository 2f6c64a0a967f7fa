"""What the receivers of a speaker tell: of a stereo pair as if they were one."""

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

# Of these two there can be only one truth: that of the receiver that leads.
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
    """Listens to both receivers of a pair, or to the only one."""

    def __init__(
        self, device: AirPlayDevice, sender: Sender, on_event: EventListener
    ) -> None:
        """Listen from now on, whoever is in the pair."""
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
        """Listen no more."""
        self._stop()
        for forget in self._listening.values():
            forget()
        self._listening.clear()

    @callback
    def async_forget(self) -> None:
        """Take note that neither is played to any more."""
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
        """Return whether it is true of both, or an order that either may give."""
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
        """Return whether an announcement has failed at both by now."""
        if event.announcement != self._announcement:
            self._announcement = event.announcement
            self._failed.clear()
        self._failed.add(receiver)
        return len(self._failed) > 1
