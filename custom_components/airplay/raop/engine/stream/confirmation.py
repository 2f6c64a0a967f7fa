"""Waits until what was begun is heard, and for evidence that it sounds."""

import asyncio
from collections.abc import Callable

from ...session.timeline import SECOND_NS
from ..net import clock
from .output import GroupOutput
from .progress import ProgressTracker

_LONGEST_WAIT_S = 0.5


class StartConfirmation:
    """Listens for what a command has begun, and sees to media that ends before."""

    def __init__(
        self,
        output: GroupOutput,
        tracker: ProgressTracker,
        check_alive: Callable[[], None],
    ) -> None:
        """`check_alive` raises what has ended the stream meanwhile."""
        self._output = output
        self._tracker = tracker
        self._check_alive = check_alive
        self._is_under_way = False
        self._has_run_out = False

    async def listen(self) -> bool:
        """Wait for the first frame's instant; return whether a receiver plays it."""
        self._is_under_way, self._has_run_out = True, False
        try:
            heard_ns = self._tracker.heard_ns
            while (now_ns := clock.now_ns()) < heard_ns:
                wait_s = (heard_ns - now_ns) / SECOND_NS
                await asyncio.sleep(min(wait_s, _LONGEST_WAIT_S))
                self._check_alive()
            return await self._output.have_evidence(self._is_over)
        finally:
            self._is_under_way = False

    def handle_end(self) -> bool:
        """Take note that the media has run out; return whether that is seen to here."""
        if self._is_under_way:
            self._has_run_out = True
        return self._is_under_way

    def _is_over(self) -> bool:
        self._check_alive()
        return self._has_run_out
