"""The buffered lane of AirPlay 2: packets over TCP, and an anchor for them."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
import logging
import socket
from typing import override

from ...errors import (
    RaopError,
    ReceiverRefusedError,
    ReceiverSilentError,
    ReceiverUnreachableError,
)
from ...session.airplay2 import BUFFERED, AirPlay2Session, Anchor
from ...session.backlog import Format
from ...session.climbing.extras import Extra
from ...session.clock_estimate.stated_anchor import StatedAnchor
from ...session.lead import PtpStartEvidence, StartEvidence
from ...session.timeline import delay_frames
from ...wire.codec import Codec
from ..net import sockets
from ..net.connection import Connection
from ..pacing.tcp_outlet import BufferedAnchor, TcpOutlet
from .airplay2 import AirPlay2Lane

_LOGGER = logging.getLogger(__name__)

_CONNECT_S = 3.0
_HALT_S = 1.0
_RATE_S = 1.0
# Sonos and WiiM refuse an anchor until they have measured our clock.
_ANCHOR_RETRY_S = 0.5
_ANCHOR_TRIES = 12
# The SSRC for ALAC with 44100 Hz and 16 bit, as shairport-sync defines it (its player
# knows no other, and the SSRC alone selects the codec; measured).
_ALAC_44100_16 = 0x0000FACE


class BufferedLane(AirPlay2Lane[TcpOutlet]):
    """Sends packets when the receiver accepts them, and sends anchors for the line."""

    _anchor: BufferedAnchor | None = None
    _sent_anchor: BufferedAnchor | None = None
    # What the receiver was given of it; the pacing thread reads it.
    _stated: StatedAnchor | None = None
    _anchoring: asyncio.Task[None] | None = None
    _was_anchored: bool = False
    _rate: float | None = None

    @property
    @override
    def timing_replies(self) -> int:
        """1 if the receiver follows our clock and plays by its anchor, else 0.

        A reported rate of 0 means that it does not, or that it does not know the codec.
        """
        has_clock = self._peer is not None and self._peer.has_evidence
        is_anchored = self._was_anchored or self._anchor is None
        return int(has_clock and is_anchored and self._rate != 0)

    @property
    @override
    def evidence(self) -> StartEvidence:
        """The receiver's evidence of how soon it can play."""
        ready_in_ms = self._peer.lead_ms if self._peer else 0
        return PtpStartEvidence(ready_in_ms, learned=self.starts.learned)

    @override
    async def flush(self, sequence: int, frame: int) -> None:
        """Stop the stream; a receiver that does not stop is disconnected.

        It would play on for as long as its buffer lasts.
        """
        self._anchor = self._stated = None
        session = self._open_session
        try:
            await self._perform(session.halt(), timeout_s=_HALT_S)
            steps = session.flush_buffered(sequence, frame)
            await self._perform(steps, timeout_s=_HALT_S)
        except RaopError as err:
            self._give_up(ReceiverUnreachableError(f"it does not stop: {err}"))
            raise

    @override
    async def _prepare_outlet(self, connection: Connection) -> None:
        self._required_peer()
        self.shape = Format(
            Codec.ALAC,
            self._context.keys.seal,
            self.member.channel,
            ssrc=_ALAC_44100_16,
            is_buffered=True,
        )

    @property
    @override
    def _timing_port(self) -> int:
        return 0

    @override
    async def _connect_stream(
        self, connection: Connection, session: AirPlay2Session
    ) -> None:
        ports = await self._set_up_stream(connection, session, BUFFERED, None)
        loop = asyncio.get_running_loop()
        sock = await _connect(connection, ports.audio)
        outlet = TcpOutlet(
            sock,
            self.shape,
            on_anchor=lambda anchor: _post(loop, self._handle_anchor, anchor),
            on_end=lambda: _post(loop, self._give_up, _ended()),
        )
        outlet.tune(delay_frames(self.member.delay_ms), self.member.channel)
        self._outlet = outlet
        await self._plug(outlet)
        self._required_peer().watch(
            lambda now_ns: self._check_anchor(now_ns, loop),
        )

    @override
    def _handle_rate(self, rate: float | None) -> None:
        self._rate = rate

    def _handle_anchor(self, anchor: BufferedAnchor) -> None:
        """Send the receiver a new anchor; the last of several counts."""
        self._anchor, self._sent_anchor = anchor, None
        if self.is_open and (self._anchoring is None or self._anchoring.done()):
            self._anchoring = self._background.start(self._send_anchor())

    def _check_anchor(self, now_ns: int, loop: asyncio.AbstractEventLoop) -> None:
        """Give the receiver a new anchor if its clock has moved; pacing thread.

        A step and a new grandmaster count once they are known, and the drift of its
        clock once it adds up.
        """
        peer, stated = self._peer, self._stated
        if (
            peer
            and peer.has_evidence
            and stated
            and stated.is_off(peer.timeline, now_ns)
        ):
            _post(loop, lambda at_ns: self._renew_anchor(stated, at_ns), now_ns)

    def _renew_anchor(self, stated: StatedAnchor, now_ns: int) -> None:
        """State the line anew at a session time, unless that was done, or it has ended.

        Another message of the clock may have come before.
        """
        if self._stated is not stated:
            return
        self._stated = None
        if anchor := self._anchor:
            self._handle_anchor(anchor.at(now_ns))

    async def _send_anchor(self) -> None:
        tries = 0
        while (anchor := self._anchor) and anchor is not self._sent_anchor:
            session = self._open_session
            try:
                await self._offer(Extra.RATE, session.run(), _RATE_S)
                if self._anchor is not anchor:
                    # After a pause, an anchor would make it play again.
                    continue
                await self._perform(session.anchor(self._on_clock(anchor)))
            except ReceiverRefusedError as err:
                tries += 1
                if tries == _ANCHOR_TRIES:
                    text = "the receiver did not accept the time at which to play"
                    return self._give_up(ReceiverSilentError(text))
                _LOGGER.debug("%s: %s", self.member.name, err)
                await asyncio.sleep(_ANCHOR_RETRY_S)
            except RaopError as err:
                return self._give_up(err)
            else:
                self._sent_anchor, self._was_anchored = anchor, True
                if self._transmitter:
                    self._transmitter.on_change()
        return None

    def _on_clock(self, anchor: BufferedAnchor) -> Anchor:
        stated = StatedAnchor.on(self._required_peer().timeline, anchor.at_ns)
        self._stated = stated
        return Anchor(anchor.frame, stated.time_ns, stated.clock_id)


async def _connect(connection: Connection, port: int) -> socket.socket:
    """Open the audio connection.

    Raises ReceiverUnreachableError: the receiver does not accept it in time.
    """
    address = sockets.endpoint(connection.remote, port)
    with ExitStack() as undo:
        sock = undo.enter_context(
            socket.socket(sockets.family_of(connection.remote), socket.SOCK_STREAM)
        )
        sock.setblocking(False)
        try:
            async with asyncio.timeout(_CONNECT_S):
                await asyncio.get_running_loop().sock_connect(sock, address)
        except OSError as err:
            text = "the receiver does not accept the audio connection"
            raise ReceiverUnreachableError(text) from err
        undo.pop_all()
    return sock


def _post[T](
    loop: asyncio.AbstractEventLoop, handle: Callable[[T], None], event: T
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(handle, event)


def _ended() -> RaopError:
    return ReceiverUnreachableError("the receiver closed the audio connection")
