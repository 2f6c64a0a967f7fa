"""Which speakers play together: all changes of that, one after another."""

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
from ..raop.errors import RaopError, ReceiverBusyError, error_for
from ..raop.messages import MemberChanged
from ..sender.error_translation import translate_error
from ..sender.sender import SenderEvent
from .group_store import GroupStore
from .speaker import Speaker

_LOGGER = logging.getLogger(__name__)

_VERSION = 1


class Groups:
    """The groups of an installation; what is kept of them outlives a restart.

    A group is kept with its speakers that are not loaded: these come back to it.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with no speaker."""
        self._store = Store[list[list[str]]](hass, _VERSION, f"{DOMAIN}.groups")
        self._background = Background(hass)
        self._lock = asyncio.Lock()
        self._seats: dict[str, Speaker] = {}
        self._kept = GroupStore()
        self._written: list[list[str]] = []

    @classmethod
    async def async_make(cls, hass: HomeAssistant) -> Self:
        """Read which groups there were."""
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
        """Do no more: the last speaker is gone."""
        self._background.async_cancel()

    async def async_enter(self, seat: Speaker) -> None:
        """Take in a speaker that was loaded, back to its group where it had one."""
        async with self._lock:
            self._seats[seat.entry_id] = seat
            seat.async_listen_events(partial(self._async_hear, seat))
            group = self._kept.group_of(seat.entry_id)
            present = (self._seats.get(each) for each in group)
            player = next(
                (each.player for each in present if each and each is not seat), None
            )
            if player is None:
                return
            is_leader = group[0] == seat.entry_id
            if is_leader and player.is_idle:
                # What it has kept itself is what the group was to play.
                # The last one first: nobody shall leave its own queue to another.
                for each in reversed([*player.members]):
                    await self._async_part(each)
                    await each.async_sit(seat.player)
            else:
                await seat.async_sit(player, is_leader=is_leader)
                self._background.async_run(
                    self._async_catch_up(seat), f"group {seat.name}"
                )
            seat.player.async_notify()

    async def async_exit(self, seat: Speaker) -> None:
        """Let a speaker go that is not loaded any more; its group waits for it."""
        async with self._lock:
            self._seats.pop(seat.entry_id, None)
            await self._async_part(seat)
            await seat.async_close()

    async def async_forget(self, entry_id: str) -> None:
        """Wait no more for a speaker that was removed."""
        async with self._lock:
            self._kept.leave(entry_id)
            await self._async_keep()

    async def async_join(self, host: Speaker, entity_ids: Iterable[str]) -> None:
        """Have players hear what a speaker hears; raise HomeAssistantError.

        Those that cannot be reached are left out.
        """
        self._find(entity_ids)
        async with self._lock:
            # Some may have gone while others were served.
            newcomers = [
                seat
                for seat in self._find([host.entity_id, *entity_ids])
                if seat.player is not host.player
            ]
            for seat in newcomers:
                await self._async_quit(seat)
            # Noted first: who asks may not wait for the end.
            self._kept.join(host.entry_id, *(seat.entry_id for seat in newcomers))
            await self._async_keep()
            failures = await asyncio.gather(
                *(self._async_add(host.player, seat) for seat in newcomers)
            )
        if told := [each for each in failures if each]:
            raise _together(told)

    async def async_unjoin(self, seat: Speaker) -> None:
        """Have a speaker play on its own again; the others play on."""
        async with self._lock:
            await self._async_quit(seat)

    def _find(self, entity_ids: Iterable[str]) -> list[Speaker]:
        """Return speakers by their players, each once; raise ServiceValidationError."""
        known = {seat.entity_id: seat for seat in self._seats.values()}
        wanted = [*dict.fromkeys(entity_ids)]
        if foreign := [each for each in wanted if each not in known]:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="group_foreign",
                translation_placeholders={"players": ", ".join(foreign)},
            )
        return [known[each] for each in wanted]

    async def _async_add(
        self, player: Player, seat: Speaker
    ) -> HomeAssistantError | None:
        """Let a speaker that is in no group hear a player; return why it cannot."""
        if not player.is_idle and not seat.settings.keeps_level:
            seat.volume.async_cap(player.audible_level)
        await seat.async_sit(player)
        player.async_notify()
        try:
            await self._async_join_in(seat)
        except RaopError as error:
            seat.speaker.async_failed(error)
            await self._async_quit(seat)
            return translate_error(error, seat.name)
        return None

    async def _async_join_in(self, seat: Speaker) -> None:
        player = seat.player
        if player.is_idle:
            # It is among those that are played to at the next start.
            return
        await player.async_join(seat)

    async def _async_catch_up(self, seat: Speaker) -> None:
        """Let a speaker that came back to its group hear what that plays."""
        async with self._lock:
            if not seat.player.is_group:
                return
            try:
                await self._async_join_in(seat)
            except RaopError as error:
                seat.speaker.async_failed(error)
                _LOGGER.warning(
                    "%s is silent until its group starts anew: %s", seat.name, error
                )

    async def _async_part(self, seat: Speaker) -> None:
        """Take a speaker out of its group, where it is in one; the others play on."""
        player = seat.player
        if not player.is_group:
            return
        is_heard = not player.is_idle
        player.async_dismiss(seat)
        seat.async_go_home()
        player.async_notify()
        if not is_heard:
            return
        try:
            await player.async_leave(seat)
        except RaopError as error:
            _LOGGER.debug("%s could not be freed: %s", seat.name, error)

    async def _async_quit(self, seat: Speaker) -> None:
        """Take a speaker out of its group for good."""
        others = [each for each in seat.player.members if each is not seat]
        heir = others[0].entry_id if others else None
        self._kept.leave(seat.entry_id, heir=heir)
        await self._async_part(seat)
        await self._async_keep()

    async def _async_keep(self) -> None:
        """Keep the groups; who leads one now, or is left alone, has inherited it."""
        for seat in self._seats.values():
            is_stand_in = self._kept.is_led(seat.entry_id)
            if seat.player.leader is seat and not is_stand_in:
                seat.async_adopt()
        kept = self._kept.as_list()
        if kept != self._written:
            self._written = kept
            await self._store.async_save(kept)

    @callback
    def _async_hear(self, seat: Speaker, event: SenderEvent) -> None:
        if not isinstance(event, MemberChanged):
            return
        if event.state == "playing":
            seat.notice.async_withdraw()
        elif event.state == "left" and _is_hopeless(event) and seat.player.is_group:
            self._background.async_run(
                self._async_expel(seat, event), f"group {seat.name}"
            )

    async def _async_expel(self, seat: Speaker, event: MemberChanged) -> None:
        """Take a speaker out that the sender has given up, and say why."""
        error = error_for(event.code or "", event.text)
        async with self._lock:
            player = seat.player
            if event.stream != player.stream or not player.is_group:
                return
            reason = str(translate_error(error, seat.name))
            _LOGGER.warning("%s was taken out of its group: %s", seat.name, reason)
            seat.notice.async_make(seat.name, reason)
            await self._async_quit(seat)


def _is_hopeless(event: MemberChanged) -> bool:
    """Whether somebody has to mend something before a speaker can play again.

    Who plays for another sender is played to again with the next start.
    """
    error = error_for(event.code, event.text) if event.code else None
    return error is not None and not isinstance(error, ReceiverBusyError)


def _together(failures: list[HomeAssistantError]) -> HomeAssistantError:
    """Return one error for all."""
    if len(failures) == 1:
        return failures[0]
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="group_incomplete",
        translation_placeholders={"reasons": " ".join(map(str, failures))},
    )


_KEY: HassKey[Holding[Groups]] = HassKey(f"{DOMAIN}_groups")
GROUPS = SharedInstance(_KEY, Groups.async_make)
