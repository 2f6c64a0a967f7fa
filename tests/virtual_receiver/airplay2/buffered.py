"""A buffered stream: sealed packets over TCP, as far ahead as the buffer goes."""

import asyncio

from tests.virtual_receiver.clock import monotonic_ns
from tests.virtual_receiver.network.udp import Address
from tests.virtual_receiver.playback.player import Line
from tests.virtual_receiver.raop.alac import AlacError
from tests.virtual_receiver.raop.packets import PacketError
from tests.virtual_receiver.raop.stream import Setting

from .bodies import BUFFERED, Anchor, Flush, StreamSetup
from .buffer import Buffer
from .codecs import CODECS, Codec
from .packets import BufferedPacket, Opener
from .ptp_sockets import PtpSockets
from .tcp_port import TcpPort

_TICK_S = 0.05
_LENGTH_BYTES = 2


class BufferedStream:
    """A stream of type 103."""

    kind = BUFFERED

    def __init__(
        self,
        number: int,
        setup: StreamSetup,
        local: Address,
        peer: Address,
        setting: Setting,
        *,
        ptp_sockets: PtpSockets,
    ) -> None:
        """Open the port."""
        self._setting = setting
        self._stats = setting.stats
        self._ptp_sockets = ptp_sockets
        self._opener = Opener(setup.key)
        self._loop = asyncio.get_running_loop()
        self._awaited: Anchor | None = None
        self._codec: Codec | None = None
        self._is_closed = False
        self._room = asyncio.Event()
        self.player = Buffer(
            number,
            setting.clock,
            setting.recording,
            setting.stats,
            ptp_sockets.follower.estimator,
            setting.quirks.buffer_bytes,
        )
        ptp_sockets.measured = self._measured
        self.tcp_port = TcpPort(
            local, peer, self._serve, lambda: setting.violation("data of a stranger")
        )
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    @property
    def sample_rate(self) -> float:
        """Return the `sr` of feedback: 0 while clock or codec are not known."""
        if self._codec is None or not self.player.is_anchored:
            return 0.0
        return float(self._codec.rate)

    # --- RTSP ----------------------------------------------------------------

    def record(self, _: int | None) -> None:
        """RECORD has no time here."""

    def flush(self, _: int | None) -> None:
        """FLUSH belongs to realtime streams."""
        self._setting.violation("FLUSH of a buffered stream")

    def flush_buffered(self, flush: Flush) -> None:
        """Drop a range of packets."""
        self.poll()
        self.player.flush(flush, self._now())
        self._wake()

    def set_anchor(self, anchor: Anchor) -> bool:
        """Play or pause; False when the clock is wanted first and not known."""
        self.poll()
        now = self._now()
        if not anchor.is_running:
            self._awaited = None
            self.player.pause(now, round(self._setting.quirks.loses_on_pause_s * 1e9))
            self._wake()
            return True
        if anchor.rtptime is not None:
            is_known = self._ptp_sockets.follower.knows(anchor.clock_id, now)
            if self._setting.quirks.anchor_needs_clock and not is_known:
                return False
            self._awaited = anchor
        self.player.run()
        self._settle(now)
        self._wake()
        return True

    def close(self) -> None:
        """Stop playing and close the port."""
        if self._is_closed:
            return
        self.poll()
        self._is_closed = True
        self.player.stop(self._now())
        self._timer.cancel()
        self.tcp_port.close()

    def poll(self) -> None:
        """Play all audio that is due."""
        if self._is_closed:
            return
        self._ptp_sockets.poll()
        self._settle(self._now())
        self.player.advance(self._now())
        self._wake()

    # --- inside --------------------------------------------------------------

    def _now(self) -> int:
        return self._setting.clock.from_monotonic(monotonic_ns())

    def _tick(self) -> None:
        self._timer = self._loop.call_later(_TICK_S, self._tick)
        self.poll()

    def _wake(self) -> None:
        self._room.set()
        self._setting.changed()

    def _measured(self) -> None:
        if not self._is_closed:
            self.player.measured(self._now())

    def _settle(self, now: int) -> None:
        """Apply the newest anchor as soon as its clock is known."""
        anchor = self._awaited
        if anchor is None or anchor.rtptime is None:
            return
        if self._ptp_sockets.follower.knows(anchor.clock_id, now):
            self._awaited = None
            self.player.anchor(Line(anchor.network_ns, anchor.rtptime), now)

    async def _serve(
        self, reader: asyncio.StreamReader, _: asyncio.StreamWriter
    ) -> None:
        while True:
            await self._wait_for_room()
            size = int.from_bytes(await reader.readexactly(_LENGTH_BYTES))
            if size <= _LENGTH_BYTES:
                self._setting.violation(f"buffered packet of {size} bytes")
                return
            packet = await reader.readexactly(size - _LENGTH_BYTES)
            try:
                self._take(self._opener.open_buffered(packet), size)
            except PacketError as err:
                self._stats.malformed += 1
                self._setting.violation(f"data: {err}")

    async def _wait_for_room(self) -> None:
        """Wait until there is room for a packet, and a network that brings it."""
        while (
            not self.player.has_room
            or self._setting.is_deaf()
            or self._setting.is_unplugged()
        ):
            self._room.clear()
            await self._room.wait()

    def _take(self, packet: BufferedPacket, size: int) -> None:
        self._stats.count_packet(size, monotonic_ns())
        codec = self._codec = CODECS.get(packet.ssrc)
        if codec is None:
            self._stats.undecodable += 1
            self._setting.violation(f"SSRC {packet.ssrc:#010x}")
            return
        self.player.rate = codec.rate
        frames, pcm = self._decode(packet.payload, codec)
        self.player.put(packet.sequence, packet.rtptime, frames, pcm, size, self._now())
        self._setting.changed()

    def _decode(self, payload: bytes, codec: Codec) -> tuple[int, bytes | None]:
        frames = codec.frames_per_packet
        if not self._setting.decode:
            return frames, b""
        if codec.decode is None:
            return frames, None
        try:
            pcm = codec.decode(payload, frames)
        except AlacError as err:
            self._stats.undecodable += 1
            self._setting.violation(f"audio: {err}")
            return frames, None
        return len(pcm) // 4, pcm
