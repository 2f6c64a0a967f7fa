"""The effect of announcements on one speaker: options, volume, and state."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..helpers.settings import SCOPE_GROUP, TAKEN_REFUSE, AnnounceSettings
from ..raop.api import (
    Addressee,
    AnnouncementFailed,
    AnnouncementStarted,
    MediaError,
    RaopError,
    error_for,
)
from ..sender.events import SenderEvent
from ..sender.sender import OVERTAKEN, Sender
from ..speaker.speaker import Speaker
from .failures import refusal, translate_failure
from .job_part import JobPart
from .volume_journal import UserLevel, VolumeJournal
from .volume_recovery import VolumeRecovery


class SpeakerAnnouncer:
    """The announcement part of a speaker; it plays one at a time."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        speaker: Speaker,
        sender: Sender,
        journal: VolumeJournal,
    ) -> None:
        """Initialize for a speaker; nothing is announced before `async_start`."""
        self._entry = entry
        self._speaker = speaker
        self._device = speaker.device
        self._journal = journal
        self._part: JobPart | None = None
        self._expected: set[JobPart] = set()
        self._is_left = self._was_left = False
        self._recovery = VolumeRecovery(
            hass,
            entry,
            speaker,
            sender,
            is_allowed=lambda: not self._speaker.in_use.is_in_use,
            on_done=self._async_restored,
        )
        self.stream = entry.entry_id
        self.sender = sender
        self.settings = AnnounceSettings.from_entry(entry)
        entry.async_on_unload(speaker.async_listen_events(self._async_handle_event))

    @property
    def name(self) -> str:
        """Return the name that users see."""
        return self._device.name

    @property
    def entity_id(self) -> str:
        """Return the entity ID of the player."""
        return self._speaker.entity_id

    @callback
    def async_start(self) -> None:
        """Start restoring a volume that a previous run has left changed, if any."""
        note = self._journal.get(self.stream)
        if note:
            # The restored state of the volume is older than the journal.
            self._speaker.volume.async_restore(note.level, is_muted=note.is_muted)
            self._is_left = True
            self._async_recover_level()
        self._entry.async_on_unload(
            self._speaker.volume.async_listen(self._async_follow)
        )

    @property
    def speaker(self) -> Speaker:
        """Return the speaker."""
        return self._speaker

    def speaks_for_group(self, is_wanted: bool | None) -> bool:
        """Return whether its whole group announces, by request or else by option."""
        if is_wanted is None:
            return self.settings.scope == SCOPE_GROUP
        return is_wanted

    def addressees(self, part: JobPart) -> tuple[Addressee, ...]:
        """Return the speaker as addressees of an announcement."""
        raised = self._raised(part)
        volume = None if raised is None else raised * 100
        return tuple(
            Addressee(member=each, volume=volume) for each in self._speaker.members
        )

    @callback
    def async_expect(self, part: JobPart) -> None:
        """Write the journal early, so that no start waits for the disk."""
        self._expected.add(part)
        if self._raised(part) is not None:
            self._async_note()

    @callback
    def async_admit(self, part: JobPart) -> None:
        """End the part of an announcement that must not play now."""
        if self._speaker.in_use.is_in_use and self.settings.taken == TAKEN_REFUSE:
            part.end(refusal(translation_key="announce_taken", name=self.name))
        elif self._raised(part) is not None:
            self._async_note()

    @callback
    def async_begin(self, part: JobPart) -> None:
        """Record that the command for an announcement is about to be sent."""
        self._recovery.async_stop()
        self._part = part
        volume, raised = self._speaker.volume, self._raised(part)
        volume.async_set_announced(volume.level if raised is None else raised)
        self._was_left = self._is_left
        # Until the sender reports the opposite.
        self._is_left = self._is_left or raised is not None
        self._speaker.async_set_own_session(is_open=True)

    @callback
    def async_fail(self, part: JobPart, error: RaopError) -> None:
        """End a part with a core error."""
        part.is_lost = part.was_heard and not isinstance(error, MediaError)
        part.end(translate_failure(error, part.announcement, self.name))
        self._device.async_failed(error)

    @callback
    def async_replied(self, part: JobPart) -> None:
        """Record whether an ended part has left a changed volume.

        That of a lost speaker was not restored; one that was never reached is unchanged.
        """
        if part is self._part and not part.is_lost:
            self._is_left = self._was_left and part.failure is not None

    @callback
    def async_end(self, part: JobPart) -> None:
        """Release the speaker after an announcement, whether it played or not."""
        self._expected.discard(part)
        if part is self._part:
            self._part = None
            self._speaker.volume.async_set_announced(None)
            self._speaker.async_set_own_session(is_open=False)
        self._async_recover_level()

    @callback
    def _async_recover_level(self) -> None:
        """Restore a volume that was left changed, unless another announcement does it."""
        if self._expected or self._part:
            return
        if self._is_left:
            self._recovery.async_start()
        else:
            self._journal.async_erase(self.stream)

    @callback
    def _async_restored(self) -> None:
        self._is_left = False
        self._async_recover_level()

    def _raised(self, part: JobPart) -> float | None:
        """Return the volume of an announcement; None if the user's volume applies.

        A muted speaker stays muted.
        """
        wanted = part.volume
        if wanted is None and self.settings.volume is not None:
            wanted = self.settings.volume / 100
        volume = self._speaker.volume
        if wanted is None or volume.is_muted:
            return None
        wanted = min(wanted, volume.maximum)
        return None if wanted == volume.known_level else wanted

    @callback
    def _async_note(self) -> None:
        volume = self._speaker.volume
        self._journal.async_note(
            self.stream, UserLevel(volume.known_level, volume.is_muted)
        )

    @callback
    def _async_follow(self) -> None:
        """Update the journal when the user changes the volume meanwhile."""
        if self._journal.get(self.stream):
            self._async_note()

    @callback
    def _async_handle_event(self, event: SenderEvent) -> None:
        part = self._part
        if part is None:
            return
        match event:
            case AnnouncementStarted() if event.announcement == part.job_id:
                part.start()
                self._speaker.async_set_announcing(is_heard=True)
            case AnnouncementFailed() if event.announcement == part.job_id:
                if event.code in OVERTAKEN:
                    # A user has stopped this speaker.
                    part.end()
                else:
                    error = error_for(event.code, event.text, event.status)
                    self.async_fail(part, error)
                self._speaker.async_set_announcing(is_heard=False)
