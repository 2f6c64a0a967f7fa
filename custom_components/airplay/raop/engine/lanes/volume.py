"""The volume of one receiver: wanted, temporarily raised, and as it was found."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Protocol

from ...errors import RaopError
from ...messages import Member
from ...wire.parameters import Volume
from .background import BackgroundTasks

_LOGGER = logging.getLogger(__name__)

_GAP_S = 0.1
_SOON_S = 1.0
# The volume after a raised one if the previous volume is unknown.
_MODEST_PERCENT = 20.0
_DOUBTFUL_PERCENT = 50.0


class Send(Protocol):
    """Sets a receiver's volume."""

    def __call__(
        self, percent: float, *, is_muted: bool, timeout_s: float
    ) -> Awaitable[None]:
        """Send the volume; return when it is set.

        Raises RaopError: there is no session, or the receiver refuses or is lost.
        """


class LaneVolume:
    """Sets the wanted volume; the last of several in a row counts.

    No failure is an error: sound does not need a volume.
    """

    def __init__(
        self,
        member: Member,
        background: BackgroundTasks,
        *,
        send: Send,
        read: Callable[[], Awaitable[float | None]],
        is_open: Callable[[], bool],
    ) -> None:
        """`read` returns the receiver's volume in percent, and may raise RaopError."""
        self._name = member.name
        self._background = background
        self._send_to = send
        self._read = read
        self._is_open = is_open
        self._set = Volume(member.volume, is_muted=member.muted)
        self._modest_percent = member.modest_volume
        self._raised_percent: float | None = None
        self._has_failed = False
        self._sending: asyncio.Task[None] | None = None
        # The volume that `begin` found, if none was wanted.
        self.found_percent: float | None = None

    @property
    def is_set(self) -> bool:
        """Whether a volume is wanted, rather than the one that was found."""
        return self._set.percent is not None

    @property
    def usual(self) -> Volume:
        """The volume while it is not raised, as far as it is known."""
        if self.is_set:
            return self._set
        return Volume(self.found_percent, is_muted=self._set.is_muted)

    def set(self, volume: Volume) -> None:
        """Set the wanted volume soon, also before the session.

        It also replaces a raised one.
        """
        self._set, self._raised_percent = volume, None
        self.send_soon()

    def send_soon(self) -> None:
        """Send the wanted volume in the background, if the session is open."""
        if self._is_open() and (self._sending is None or self._sending.done()):
            self._sending = self._background.start(self._send_until_current())

    async def raise_to(self, percent: float) -> None:
        """Play at another volume until `lower` or `set`."""
        self._raised_percent = percent
        await self._try()

    async def lower(self) -> None:
        """Restore the previous volume, unless another one was set meanwhile."""
        raised_percent, self._raised_percent = self._raised_percent, None
        if raised_percent is None:
            return
        if self.usual.percent is None:
            modest = min(raised_percent, _MODEST_PERCENT)
            self._set = Volume(modest, is_muted=self._set.is_muted)
        await self._try()

    async def begin(self) -> None:
        """Set the wanted volume, or read the receiver's; sound needs neither."""
        if self.is_set:
            return await self._try()
        try:
            self.found_percent = await self._read()
        except RaopError as err:
            _LOGGER.debug("%s reports no volume: %s", self._name, err)
        await self._be_modest()
        return None

    async def _be_modest(self) -> None:
        """Set the modest volume before sound if the receiver's own may be too loud.

        Some receivers always report the maximum (libshairplay).
        """
        found_percent = self.found_percent
        is_quiet = found_percent is not None and found_percent < _DOUBTFUL_PERCENT
        # The user may have set one while it was read.
        if self._modest_percent is not None and not (is_quiet or self.is_set):
            self._set = Volume(self._modest_percent, is_muted=self._set.is_muted)
            await self._try()

    async def _send_until_current(self) -> None:
        """Send the wanted volume, again if it changes meanwhile."""
        sent: Volume | None = None
        while sent != self._wanted:
            sent = self._wanted
            await self._try()
            await asyncio.sleep(_GAP_S)

    @property
    def _wanted(self) -> Volume:
        if self._raised_percent is None:
            return self.usual
        return Volume(self._raised_percent)

    async def _try(self) -> None:
        """Send the volume; log once if the receiver does not accept it."""
        wanted = self._wanted
        if wanted.percent is None:
            return
        try:
            await self._send_to(
                wanted.percent, is_muted=wanted.is_muted, timeout_s=_SOON_S
            )
        except RaopError as err:
            level = logging.DEBUG if self._has_failed else logging.INFO
            _LOGGER.log(level, "%s does not accept a volume: %s", self._name, err)
            self._has_failed = True
