"""Base of all entities of a receiver."""

from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from typing import Any, Concatenate, Protocol, override

from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN
from .helpers.foreign_text import inert
from .helpers.permissions import async_check_control
from .player.origin import Origin
from .player.player import Player
from .raop.api import RaopError, normalize_id
from .runtime import AirPlayConfigEntry
from .sender.error_translation import translate_error


def translate_errors[S: AirPlayEntity, **P](
    action: Callable[Concatenate[S, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, None]]:
    """Translate core errors of an entity's action."""

    @wraps(action)
    async def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            await action(self, *args, **kwargs)
        except RaopError as error:
            raise translate_error(error, self.device.name) from error

    return wrapped


def once_in_group[S: AirPlayEntity, **P](
    action: Callable[Concatenate[S, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, None]]:
    """Run an action once if it is called for several members of a group."""

    @wraps(action)
    async def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if self._context is None:
            await action(self, *args, **kwargs)
            return
        call = repr((self._context.id, action.__name__, args, kwargs))
        calls = self.speaker.player.calls
        if call in calls:
            return
        calls.add(call)
        try:
            await action(self, *args, **kwargs)
        finally:
            # The other members are called in this iteration of the event loop, even if
            # the action has already finished.
            self.hass.loop.call_soon(calls.discard, call)

    return wrapped


def group_action[S: AirPlayEntity, **P](
    action: Callable[Concatenate[S, P], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, None]]:
    """Run an action on a whole group only if the user may control all of it.

    Translate core errors of the action.
    """
    translated = translate_errors(action)

    @wraps(action)
    async def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        await self.async_check_control(self.group_entity_ids)
        await translated(self, *args, **kwargs)

    return wrapped


class ShownPart(Protocol):
    """A part of a speaker that entities show."""

    def async_listen(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call whenever its state changes."""


class AirPlayEntity(Entity):
    """An entity of a receiver, updated by the parts of its speaker that it shows."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _is_writing = False

    def __init__(self, entry: AirPlayConfigEntry, key: str | None = None) -> None:
        """Initialize with the entry's device; all entities but the player have a key."""
        self.speaker = entry.runtime_data.speaker
        self.device = self.speaker.device
        self.groups = entry.runtime_data.groups
        self.announcer = entry.runtime_data.announcer
        self.announcements = entry.runtime_data.announcements
        receiver = self.device.receiver
        unique_id = entry.unique_id or entry.entry_id
        self._attr_unique_id = f"{unique_id}_{key}" if key else unique_id
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, unique_id)},
            manufacturer=inert(receiver.manufacturer or "") or None,
            model=inert(receiver.model or "") or None,
            name=entry.title,
            sw_version=inert(receiver.firmware or "") or None,
        )
        if normalize_id(receiver.id):
            self._attr_device_info["connections"] = {
                (CONNECTION_NETWORK_MAC, unique_id)
            }

    @property
    def player(self) -> Player:
        """Return the current player of the speaker."""
        return self.speaker.player

    @property
    def group_entity_ids(self) -> list[str]:
        """Return the players of the group, or the only one."""
        members = self.player.members.speakers
        return [speaker.entity_id for speaker in members if speaker.entity_id]

    async def async_check_control(self, entity_ids: Iterable[str]) -> None:
        """Check that the user of an action, if any, may control players; see the helper."""
        if self._context and self._context.user_id:
            await async_check_control(self.hass, self._context, entity_ids)

    @property
    @override
    def available(self) -> bool:
        """Whether the receiver is on the network, or plays."""
        return self.speaker.availability.is_available

    @property
    def origin(self) -> Origin:
        """Return the origin of a call: automations call without a user, or as a child context."""
        context = self._context
        if context is None or context.user_id is None or context.parent_id:
            return Origin.AUTOMATION
        return Origin.USER

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the shown parts while the entity exists."""
        await super().async_added_to_hass()
        for part in self._parts():
            self.async_on_remove(part.async_listen(self.async_write_ha_state))

    @callback
    @override
    def _async_write_ha_state(self) -> None:
        """Write the state, unless it is the one that is shown already.

        A part reports each of its changes, and an entity shows only some of them.
        """
        if self._is_writing or self._is_shown():
            return
        # New features change the entity's entry, for which Home Assistant writes again.
        self._is_writing = True
        try:
            super()._async_write_ha_state()
        finally:
            self._is_writing = False

    def _is_shown(self) -> bool:
        """Whether the state machine has the current state."""
        if (shown := self.hass.states.get(self.entity_id)) is None:
            return False
        now = self._async_calculate_state()
        return (now.state, now.attributes) == (shown.state, shown.attributes)

    def _parts(self) -> tuple[ShownPart, ...]:
        """Return the parts that the entity shows; each reports its own changes."""
        return (self.speaker.availability,)
