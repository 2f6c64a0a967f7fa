"""The volume of one receiver: wanted, temporarily raised, and as it was found."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from ...errors import RaopError
from ...messages import Member
from ...session.climbing.extras import Extra
from ...session.control import ControlSession
from ...wire.handshake import Handshake
from ...wire.parameters import Volume
from .background import BackgroundTasks

_GAP_S = 0.1
_SOON_S = 1.0
# The volume after a raised one if the previous volume is unknown.
_MODEST_PERCENT = 20.0
_DOUBTFUL_PERCENT = 50.0


class OfferExtra(Protocol):
    """Sends a request that sound does not need."""

    def __call__[T](
        self, extra: Extra, steps: Handshake[T], timeout_s: float | None
    ) -> Awaitable[T | None]:
        """Return its result; None if the receiver does not accept it.

        Raises RaopError: the session has ended.
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
        offer: OfferExtra,
        session: Callable[[], ControlSession | None],
        is_readable: Callable[[], bool],
    ) -> None:
        """`session` is None while there is none that is open."""
        self._background = background
        self._offer = offer
        self._session = session
        self._is_readable = is_readable
        self._set = Volume(member.volume, is_muted=member.muted)
        self._modest_percent = member.modest_volume
        self._raised_percent: float | None = None
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
        if self._session() and (self._sending is None or self._sending.done()):
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
        session = self._session()
        if session and self._is_readable():
            with suppress(RaopError):
                self.found_percent = await self._offer(
                    Extra.READ_VOLUME, session.read_volume(), _SOON_S
                )
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
        """Send the volume, unless the session has ended."""
        wanted = self._wanted
        session = self._session()
        if session is None or wanted.percent is None:
            return
        steps = session.volume(wanted.percent, is_muted=wanted.is_muted)
        with suppress(RaopError):
            await self._offer(Extra.VOLUME, steps, _SOON_S)
