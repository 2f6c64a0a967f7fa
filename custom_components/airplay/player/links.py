"""Measurements of the links to the receivers of a stream."""

import logging

from homeassistant.core import callback

from ..helpers.background import Background
from ..raop.api import Measure, Progress, RaopError, StreamChanged
from ..sender.events import SenderDied, SenderEvent
from ..sender.sender import Sender
from .members import PlayerMembers
from .reported import PlayerState, ReportedState

_LOGGER = logging.getLogger(__name__)

_MEASURE_S = 5.0


class LinkReports:
    """The latest progress report of a stream; links are measured on request."""

    def __init__(
        self,
        sender: Sender,
        members: PlayerMembers,
        reported: ReportedState,
        background: Background,
    ) -> None:
        """Initialize without a report."""
        self._sender = sender
        self._members = members
        self._reported = reported
        self._background = background
        self._newest: Progress | None = None
        self._measured: Progress | None = None
        self._is_measuring = False

    @callback
    def async_handle_event(self, event: SenderEvent) -> None:
        """Keep the latest report until the stream ends."""
        match event:
            case Progress():
                self._newest = event
                if any(each.is_measured for each in event.members):
                    self._measured = event
            case StreamChanged(state="ended") | SenderDied():
                self._newest = self._measured = None

    @callback
    def async_measure_soon(self) -> None:
        """Start measuring the links to the receivers, unless in progress."""
        if not self._is_measuring:
            self._is_measuring = True
            self._background.async_run(
                self._async_measure(), f"measures {self._members.name}"
            )

    async def _async_measure(self) -> None:
        try:
            await self.async_measure()
        finally:
            self._is_measuring = False

    async def async_measure(self) -> Progress | None:
        """Measure the links to the receivers; return the latest report."""
        if self._reported.state is not PlayerState.PLAYING:
            return self._newest
        before = self._measured
        try:
            await self._sender.async_request(
                Measure(stream=self._members.stream), within_s=_MEASURE_S
            )
        except RaopError as error:
            _LOGGER.debug(
                "Could not measure the links of %s: %s", self._members.name, error
            )
        is_new = self._measured is not before
        return self._measured if is_new else self._newest
