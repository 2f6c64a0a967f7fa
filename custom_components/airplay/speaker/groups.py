"""Groups of speakers that play together; changes run one after another."""

import asyncio
from collections.abc import Iterable
from functools import partial
import logging
from typing import Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..helpers.background import Background
from ..helpers.shared import Holding, SharedInstance
from ..player.player import Player
from ..raop.api import MemberChanged, RaopError, ReceiverBusyError, error_for
from ..sender.error_translation import translate_error
from ..sender.events import SenderEvent
from .group_store import GroupStore
from .speaker import Speaker

_LOGGER = logging.getLogger(__name__)

_VERSION = 1


class Groups:
    """The groups of an installation, stored over a restart.

    A stored group includes speakers that are not loaded: they rejoin it later.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize without speakers."""
        self._store = Store[list[list[str]]](hass, _VERSION, f"{DOMAIN}.groups")
        self._background = Background(hass)
        self._lock = asyncio.Lock()
        self._speakers: dict[str, Speaker] = {}
        self._kept = GroupStore()
        self._written: list[list[str]] = []

    @classmethod
    async def async_make(cls, hass: HomeAssistant) -> Self:
        """Create the groups from the stored data."""
        groups = cls(hass)
        groups._kept = GroupStore.of(
            await groups._store.async_load(),
            is_known=lambda entry_id: (
                hass.config_entries.async_get_entry(entry_id) is not None
            ),
        )
        groups._written = groups._kept.as_list()
        return groups

    async def async_close(self) -> None:
        """Stop, because the last speaker was unloaded."""
        self._background.async_cancel()

    async def async_enter(self, speaker: Speaker) -> None:
        """Add a loaded speaker, and return it to its group if it had one."""
        async with self._lock:
            self._speakers[speaker.entry_id] = speaker
            speaker.async_listen_events(partial(self._async_hear, speaker))
            group = self._kept.group_of(speaker.entry_id)
            present = (self._speakers.get(each) for each in group)
            player = next(
                (each.player for each in present if each and each is not speaker), None
            )
            if player is None:
                return
            is_leader = group[0] == speaker.entry_id
            if is_leader and player.reported.is_idle:
                # The leader has restored the group's queue.
                # The last member first: none must leave its own queue to another.
                for member in reversed([*player.members.speakers]):
                    each = self._speakers[member.entry_id]
                    await self._async_part(each)
                    await each.async_sit(speaker.player)
            else:
                await speaker.async_sit(player, is_leader=is_leader)
                self._background.async_run(
                    self._async_catch_up(speaker), f"group {speaker.name}"
                )
            speaker.player.reported.async_notify()

    async def async_exit(self, speaker: Speaker) -> None:
        """Remove an unloaded speaker; its stored group keeps it."""
        async with self._lock:
            self._speakers.pop(speaker.entry_id, None)
            await self._async_part(speaker)
            await speaker.async_close()

    async def async_forget(self, entry_id: str) -> None:
        """Remove a deleted speaker from its stored group."""
        async with self._lock:
            self._kept.leave(entry_id)
            await self._async_keep()

    async def async_join(self, host: Speaker, entity_ids: Iterable[str]) -> None:
        """Add players to the group of a speaker.

        Those that cannot join are omitted.
        Raises HomeAssistantError: when some cannot join, or one is not loaded.
        """
        self._find(entity_ids)
        async with self._lock:
            # Some may have been unloaded while this waited for the lock.
            newcomers = [
                speaker
                for speaker in self._find([host.entity_id, *entity_ids])
                if speaker.player is not host.player
            ]
            for speaker in newcomers:
                await self._async_quit(speaker)
            # Stored first, because the caller may be canceled before the end.
            self._kept.join(host.entry_id, *(speaker.entry_id for speaker in newcomers))
            await self._async_keep()
            failures = await asyncio.gather(
                *(self._async_add(host.player, speaker) for speaker in newcomers)
            )
        if told := [each for each in failures if each]:
            raise _together(told)

    async def async_unjoin(self, speaker: Speaker) -> None:
        """Remove a speaker from its group; the other members continue."""
        async with self._lock:
            await self._async_quit(speaker)

    async def async_withdraw(self, speaker: Speaker) -> None:
        """Remove a speaker from its group, stop it, and let no action address it."""
        speaker.entity_id = ""
        await self.async_unjoin(speaker)
        try:
            await speaker.player.async_stop()
        except RaopError as error:
            _LOGGER.debug("Could not stop %s: %s", speaker.name, error)

    def _find(self, entity_ids: Iterable[str]) -> list[Speaker]:
        """Return the speakers of players, each once; raise ServiceValidationError."""
        known = {speaker.entity_id: speaker for speaker in self._speakers.values()}
        wanted = [*dict.fromkeys(entity_ids)]
        if foreign := [each for each in wanted if each not in known]:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="group_foreign",
                translation_placeholders={"players": ", ".join(foreign)},
            )
        return [known[each] for each in wanted]

    async def _async_add(
        self, player: Player, speaker: Speaker
    ) -> HomeAssistantError | None:
        """Add a speaker without a group to a player; return the error if that fails."""
        if not player.reported.is_idle and not speaker.settings.keeps_level:
            speaker.volume.async_cap(player.members.audible_level)
        await speaker.async_sit(player)
        player.reported.async_notify()
        try:
            await self._async_join_in(speaker)
        except RaopError as error:
            speaker.device.async_failed(error)
            await self._async_quit(speaker)
            return translate_error(error, speaker.name)
        return None

    async def _async_join_in(self, speaker: Speaker) -> None:
        player = speaker.player
        if player.reported.is_idle:
            # The next start includes it.
            return
        await player.async_join(speaker)

    async def _async_catch_up(self, speaker: Speaker) -> None:
        """Have a speaker that returned to its group join the running stream."""
        async with self._lock:
            if not speaker.player.members.is_group:
                return
            try:
                await self._async_join_in(speaker)
            except RaopError as error:
                speaker.device.async_failed(error)
                _LOGGER.warning(
                    "%s cannot play until its group restarts: %s", speaker.name, error
                )

    async def _async_part(self, speaker: Speaker) -> None:
        """Remove a speaker from the group it plays in, if any; the others continue."""
        player = speaker.player
        if not player.members.is_group:
            return
        is_heard = not player.reported.is_idle
        player.members.async_dismiss(speaker)
        speaker.async_go_home()
        player.reported.async_notify()
        if not is_heard:
            return
        try:
            await player.members.async_leave(speaker)
        except RaopError as error:
            _LOGGER.debug("Could not release %s: %s", speaker.name, error)

    async def _async_quit(self, speaker: Speaker) -> None:
        """Remove a speaker from its group permanently."""
        others = [
            each for each in speaker.player.members.speakers if each is not speaker
        ]
        heir = others[0].entry_id if others else None
        self._kept.leave(speaker.entry_id, heir=heir)
        await self._async_part(speaker)
        await self._async_keep()

    async def _async_keep(self) -> None:
        """Store the groups; a new leader, or the last member, adopts the group's player."""
        for speaker in self._speakers.values():
            is_stand_in = self._kept.is_led(speaker.entry_id)
            if speaker.player.members.leader is speaker and not is_stand_in:
                speaker.async_adopt()
        kept = self._kept.as_list()
        if kept != self._written:
            self._written = kept
            await self._store.async_save(kept)

    @callback
    def _async_hear(self, speaker: Speaker, event: SenderEvent) -> None:
        if not isinstance(event, MemberChanged):
            return
        if event.state == "playing":
            speaker.notice.async_withdraw()
        elif (
            event.state == "left"
            and _is_hopeless(event)
            and speaker.player.members.is_group
        ):
            self._background.async_run(
                self._async_expel(speaker, event), f"group {speaker.name}"
            )

    async def _async_expel(self, speaker: Speaker, event: MemberChanged) -> None:
        """Remove a speaker that the sender has given up, and report the reason."""
        error = error_for(event.code or "", event.text, event.status)
        async with self._lock:
            player = speaker.player
            if event.stream != player.members.stream or not player.members.is_group:
                return
            reason = str(translate_error(error, speaker.name))
            _LOGGER.warning("Removed %s from its group: %s", speaker.name, reason)
            speaker.notice.async_make(speaker.name, reason)
            await self._async_quit(speaker)


def _is_hopeless(event: MemberChanged) -> bool:
    """Whether a speaker cannot play again before the user fixes something.

    A speaker that plays for another sender is included in the next start.
    """
    error = error_for(event.code, event.text, event.status) if event.code else None
    return error is not None and not isinstance(error, ReceiverBusyError)


def _together(failures: list[HomeAssistantError]) -> HomeAssistantError:
    """Return one error for several."""
    if len(failures) == 1:
        return failures[0]
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="group_incomplete",
        translation_placeholders={"reasons": " ".join(map(str, failures))},
    )


_KEY: HassKey[Holding[Groups]] = HassKey(f"{DOMAIN}_groups")
GROUPS = SharedInstance(_KEY, Groups.async_make)
