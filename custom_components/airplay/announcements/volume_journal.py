"""The user's volumes, on disk while an announcement changes them."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Any, Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from ..const import DOMAIN

_VERSION = 1

type _Stored = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class UserLevel:
    """The volume to restore on a speaker; None if it is unknown."""

    level: float | None
    is_muted: bool

    @classmethod
    def of(cls, kept: object) -> Self | None:
        """Read stored data; return None if it is invalid."""
        match kept:
            case {"level": None, "is_muted": bool(is_muted)}:
                return cls(None, is_muted)
            case {"level": int() | float() as level, "is_muted": bool(is_muted)}:
                return cls(float(level), is_muted) if 0 <= level <= 1 else None
        return None


class VolumeJournal:
    """Volumes by config entry, which survive a crash of Home Assistant."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Initialize without volumes."""
        self._hass = hass
        self._store = Store[_Stored](hass, _VERSION, f"{DOMAIN}.announcements")
        self._notes: dict[str, UserLevel] = {}
        self._is_written = True
        self._writing: asyncio.Task[None] | None = None

    @classmethod
    async def async_load(cls, hass: HomeAssistant) -> Self:
        """Load the journal of the last run."""
        journal = cls(hass)
        kept: object = await journal._store.async_load()
        notes = kept.items() if isinstance(kept, dict) else ()
        levels = {entry: UserLevel.of(note) for entry, note in notes}
        journal._notes = {entry: level for entry, level in levels.items() if level}
        return journal

    def get(self, entry_id: str) -> UserLevel | None:
        """Return the volume to restore on a speaker, or None if there is none."""
        return self._notes.get(entry_id)

    @callback
    def async_note(self, entry_id: str, level: UserLevel) -> None:
        """Record the user's volume of a speaker; written in the background."""
        if self._notes.get(entry_id) != level:
            self._notes[entry_id] = level
            self._async_write()

    @callback
    def async_erase(self, entry_id: str) -> None:
        """Remove a speaker whose volume is restored."""
        if self._notes.pop(entry_id, None):
            self._async_write()

    async def async_written(self) -> None:
        """Wait until all changes are on disk."""
        if self._writing:
            await asyncio.shield(self._writing)

    @callback
    def _async_write(self) -> None:
        self._is_written = False
        if self._writing is None:
            self._writing = self._hass.async_create_task(
                self._async_save(), f"{DOMAIN} volume journal", eager_start=False
            )

    async def _async_save(self) -> None:
        """Write until no change has come during the last write."""
        try:
            while not self._is_written:
                self._is_written = True
                await self._store.async_save(
                    {entry: asdict(note) for entry, note in self._notes.items()}
                )
        finally:
            self._writing = None
