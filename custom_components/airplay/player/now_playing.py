"""The playing media, and its picture on the receiver."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import hashlib
import logging

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..helpers.background import Background
from ..media.media import Playable
from ..raop.api import CoverFound, MediaChanged, RaopError, SetArtwork, Tags
from ..sender.sender import Sender
from .artwork import Picture, async_fetch_picture, async_scale_picture, decode_cover
from .members import PlayerMembers

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class NowPlaying:
    """The playing media, with its metadata and position."""

    playable: Playable
    tags: Tags
    duration_ms: int | None = None
    is_live: bool = False
    station: str | None = None
    cover: Picture | None = None
    cover_hash: str | None = None
    position_ms: int = 0
    position_at: datetime | None = None
    _is_fetched: bool = False
    _fetched: Picture | None = field(default=None, repr=False)
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    # The last picture that was scaled, and what came out.
    _scaled: tuple[Picture, str] | None = field(default=None, repr=False)
    _scaling: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @property
    def item(self) -> str:
        """Return the ID of the item in the queue."""
        return self.playable.media.item

    @property
    def position_now_ms(self) -> int:
        """Return the current position, provided that it plays."""
        if self.position_at is None:
            return self.position_ms
        since = dt_util.utcnow() - self.position_at
        position_ms = self.position_ms + max(0, since // timedelta(milliseconds=1))
        return min(position_ms, self.duration_ms or position_ms)

    @callback
    def async_update(self, event: MediaChanged) -> None:
        """Update the metadata from the media."""
        self.tags = event.tags
        self.is_live = event.is_live
        self.duration_ms = None if event.is_live else event.duration_ms
        self.station = event.station

    @callback
    def async_update_cover(self, event: CoverFound) -> bool:
        """Keep a picture from the media; return whether it is the one to show."""
        self.cover = decode_cover(event.picture)
        if self.cover is None or self.playable.picture_url:
            return False
        digest = hashlib.sha256(self.cover.content, usedforsecurity=False)
        self.cover_hash = digest.hexdigest()[:16]
        return True

    async def async_picture(self, hass: HomeAssistant) -> Picture | None:
        """Return the picture of the play request, or the one in the media.

        It is fetched once, for users and for receivers alike. One that cannot be had is
        not asked for again until another item plays: each look at a dashboard would.
        """
        if not (url := self.playable.picture_url):
            return self.cover
        async with self._fetching:
            if not self._is_fetched:
                self._fetched = await async_fetch_picture(
                    hass, url, self.playable.picture_named_by
                )
                self._is_fetched = True
        return self._fetched

    async def async_scaled_picture(self, hass: HomeAssistant) -> str:
        """Return the picture for receivers, in Base64; empty if there is none."""
        picture = await self.async_picture(hass)
        if picture is None:
            return ""
        async with self._scaling:
            if self._scaled is None or self._scaled[0] is not picture:
                self._scaled = picture, await async_scale_picture(hass, picture)
            return self._scaled[1]


class Display:
    """Shows pictures on the receivers of a stream, in the background."""

    def __init__(
        self,
        hass: HomeAssistant,
        sender: Sender,
        members: PlayerMembers,
        background: Background,
    ) -> None:
        """Initialize without a picture."""
        self._hass = hass
        self._sender = sender
        self._members = members
        self._background = background
        self._playing: NowPlaying | None = None
        self._shows_picture = False

    @callback
    def async_show(self, playing: NowPlaying) -> None:
        """Show the picture of the playing media."""
        self._playing = playing
        if self._members.shows_pictures:
            self._background.async_run(
                self._async_send(playing), f"picture {self._members.name}"
            )

    @callback
    def async_show_late(self) -> None:
        """Show it on a receiver that joined late, if no other has a display."""
        if self._playing and not self._shows_picture:
            self.async_show(self._playing)

    @callback
    def async_end(self) -> None:
        """Record that the stream ended, and the picture with it."""
        self._playing = None
        self._shows_picture = False

    async def _async_send(self, playing: NowPlaying) -> None:
        encoded = await playing.async_scaled_picture(self._hass)
        if self._playing is not playing or not (encoded or self._shows_picture):
            return
        try:
            await self._sender.async_request(
                SetArtwork(stream=self._members.stream, picture=encoded)
            )
        except RaopError as error:
            _LOGGER.debug(
                "Could not show a picture on %s: %s", self._members.name, error
            )
        self._shows_picture = bool(encoded)
