"""The level of one receiver: what is wanted, for a while or for good, and was found."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Protocol

from ...errors import RaopError, ReceiverRefusedError
from ...messages import Member

_LOGGER = logging.getLogger(__name__)

_GAP_S = 0.1
_SOON_S = 1.0
_FIRST_S = 5.0
# Where a level was raised and nobody knows what it was before.
_MODEST_PERCENT = 20.0


class Send(Protocol):
    """Sets a receiver's level; raises RaopError."""

    def __call__(
        self, percent: float, *, is_muted: bool, timeout_s: float
    ) -> Awaitable[None]:
        """Return when it is set."""


class LaneVolume:
    """Sets what is wanted: of several in a row the last one counts."""

    def __init__(
        self, member: Member, *, send: Send, read: Callable[[], Awaitable[float | None]]
    ) -> None:
        """`read` asks the receiver for its level in percent, and raises RaopError."""
        self._name = member.name
        self._send_to = send
        self._read = read
        self._set = (member.volume, member.muted)
        self._raised: float | None = None
        self.found: float | None = None

    @property
    def is_set(self) -> bool:
        """Whether a level is wanted rather than the one that is found."""
        return self._set[0] is not None

    @property
    def usual(self) -> tuple[float | None, bool]:
        """The level in percent unless it is raised, if known, and whether it is muted."""
        percent, is_muted = self._set
        return (self.found if percent is None else percent), is_muted

    def set(self, percent: float | None, *, is_muted: bool) -> None:
        """Want another level, also in place of a raised one; `settle` sends it."""
        self._set, self._raised = (percent, is_muted), None

    async def raise_to(self, percent: float) -> None:
        """Play at another level for a while, until `lower` or `set`."""
        self._raised = percent
        await self._try()

    async def lower(self) -> None:
        """Go back to the level from before, unless another one was set meanwhile."""
        if self._raised is None:
            return
        percent, is_muted = self.usual
        if percent is None:
            self._set = (min(self._raised, _MODEST_PERCENT), is_muted)
        self._raised = None
        await self._try()

    async def begin(self) -> None:
        """Set the level that is wanted, or learn the one at which it stands."""
        if self.is_set:
            return await self._send(_FIRST_S)
        try:
            self.found = await self._read()
        except RaopError as err:
            _LOGGER.debug("%s tells no volume: %s", self._name, err)
        return None

    async def send_until_current(self) -> None:
        """Send what is wanted until that is what was sent."""
        sent: tuple[float | None, bool] | None = None
        while sent != self._wanted:
            sent = self._wanted
            await self._try()
            await asyncio.sleep(_GAP_S)

    @property
    def _wanted(self) -> tuple[float | None, bool]:
        return self.usual if self._raised is None else (self._raised, False)

    async def _try(self) -> None:
        try:
            await self._send(_SOON_S)
        except RaopError as err:
            _LOGGER.debug("%s: volume: %s", self._name, err)

    async def _send(self, timeout_s: float) -> None:
        percent, is_muted = self._wanted
        if percent is None:
            return
        try:
            await self._send_to(percent, is_muted=is_muted, timeout_s=timeout_s)
        except ReceiverRefusedError as err:
            _LOGGER.debug("%s refuses the volume: %s", self._name, err)
