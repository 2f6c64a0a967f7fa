"""One sender's stream: sockets and timers around a player."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import itertools

from tests.virtual_receiver.clock import ReceiverClock, monotonic_ns
from tests.virtual_receiver.faults import Faults
from tests.virtual_receiver.network.udp import Address, Channel, Datagram, UdpPorts
from tests.virtual_receiver.playback.player import Player
from tests.virtual_receiver.playback.recording import Recording
from tests.virtual_receiver.quirks import Quirks
from tests.virtual_receiver.stats import Stats

from .alac import AlacError
from .decoder import Decoder, KeyOpener
from .packets import (
    AUDIO,
    RESENT,
    SYNC,
    TIMING_REPLY,
    AudioPacket,
    PacketError,
    SyncPacket,
    build_resend_request,
    packet_type,
    parse_audio,
    parse_sync,
    parse_timing_reply,
)
from .sdp import Announcement
from .session import Ports
from .timing import Cadence, TimingClient

_TICK_S = 0.05
# The loop's timers are no finer.
_SHORTEST_DELAY_S = 0.001
_RESEND_HEADER_BYTES = 4


@dataclass(frozen=True, slots=True)
class ReceivedSync:
    """A sync packet, when it came, and whether it was of use."""

    at_ns: int
    packet: SyncPacket
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """The receiver's side of a stream."""

    clock: ReceiverClock
    recording: Recording
    stats: Stats
    quirks: Quirks
    cadence: Cadence
    decode: bool
    open_key: KeyOpener | None
    violation: Callable[[str], None]
    synced: Callable[[ReceivedSync], None]
    changed: Callable[[], None]
    close: Callable[[], None]
    is_unplugged: Callable[[], bool]
    is_deaf: Callable[[], bool]
    """Whether audio is thrown away, as silent receivers do."""
    is_silenced: bool = False
    """Whether the receiver does not even ask for the time."""


class Stream:
    """Receive, ask, and play for one session."""

    def __init__(
        self,
        number: int,
        announcement: Announcement,
        airplay_version: int,
        sender: Ports,
        local: Address,
        peer: Address,
        setting: Setting,
    ) -> None:
        """Open the sockets and begin to ask for the time."""
        self._setting = setting
        self._quirks = setting.quirks
        self._stats = setting.stats
        self._announcement = announcement
        self._sender = sender
        self._loop = asyncio.get_running_loop()
        self._faults = Faults(setting.quirks)
        self._decoder = Decoder(announcement, setting.open_key)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._delayed: dict[int, asyncio.TimerHandle] = {}
        self._delayed_count = itertools.count()
        self._is_closed = self._is_polling = False
        self._timing_sent = 0
        self._marked_rtptime: int | None = None
        self._last_audio: AudioPacket | None = None
        self._awaits_first_sync = True
        self._audio_ns = self._recorded_ns = 0
        self.player = self._build_player(number, airplay_version)
        self._timing = TimingClient(self.player.offsets, setting.stats)
        self._ports = UdpPorts(local, peer)
        for sock in self._ports.sockets:
            self._loop.add_reader(sock, self.poll)
        if self._asks_time:
            self._later("time", self._quirks.asks_time_after_s, self._ask_time)
        self._tick()

    def _build_player(self, number: int, airplay_version: int) -> Player:
        setting = self._setting
        return Player(
            number,
            self._announcement,
            setting.clock,
            setting.recording,
            setting.stats,
            setting.quirks,
            airplay_version,
            least_lead_ns=self._least_lead_ns,
        )

    @property
    def _least_lead_ns(self) -> int:
        """Return how long before it is due a packet must be here to be played."""
        return self._quirks.raop_audio_latency_ms * 1_000_000

    @property
    def ports(self) -> Ports:
        """Return our ports for the SETUP reply."""
        return Ports(
            control=self._ports.port(Channel.CONTROL),
            timing=self._ports.port(Channel.TIMING),
            audio=self._ports.port(Channel.AUDIO),
        )

    @property
    def _asks_time(self) -> bool:
        is_curious = self._quirks.asks_time and not self._quirks.plays_by_arrival
        return is_curious and not self._setting.is_silenced

    # --- RTSP ----------------------------------------------------------------

    def record(self, rtptime: int | None) -> None:
        """Begin to play at a frame."""
        self.player.start(rtptime)
        self._marked_rtptime = rtptime
        self._audio_ns = self._recorded_ns = monotonic_ns()

    def flush(self, rtptime: int | None) -> None:
        """Drop all queued audio."""
        self.poll()
        if self.player.flush(rtptime, self._now()):
            self._marked_rtptime = rtptime
            self._last_audio = None

    def close(self) -> None:
        """Stop playing and close the sockets."""
        if self._is_closed:
            return
        self.poll()
        self._is_closed = True
        self.player.stop(self._now())
        for timer in [*self._timers.values(), *self._delayed.values()]:
            timer.cancel()
        for sock in self._ports.sockets:
            self._loop.remove_reader(sock)
        self._ports.close()

    # --- sockets -------------------------------------------------------------

    def poll(self) -> None:
        """Read everything that has come, then play all audio that is due."""
        if self._is_closed or self._is_polling:
            return
        self._is_polling = True
        try:
            for datagram in self._ports.read():
                self._receive(datagram)
            self.player.advance(self._now())
        finally:
            self._is_polling = False
        self._schedule_resends()
        self._setting.changed()

    def _receive(self, datagram: Datagram) -> None:
        """Handle a packet now, or later if the network is to be slow."""
        if self._setting.is_unplugged():
            return
        delay_s = self._delay_s(datagram.channel)
        # The wait before a packet was read counts as its time under way.
        left_s = delay_s - (monotonic_ns() - datagram.at_ns) / 1e9
        if left_s > 0:
            self._after(left_s, lambda: self._arrive(datagram))
        else:
            self._handle(datagram)

    def _delay_s(self, channel: Channel) -> float:
        """Return how long the network keeps a packet."""
        is_spared = channel is Channel.TIMING and not self._quirks.jitters_timing
        if is_spared or not self._quirks.jitter_s:
            return 0.0
        delay_s = self._faults.delay_s()
        return delay_s if delay_s >= _SHORTEST_DELAY_S else 0.0

    def _after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Do something later, unless the stream is closed by then."""
        key = next(self._delayed_count)

        def run() -> None:
            del self._delayed[key]
            call()

        self._delayed[key] = self._loop.call_later(delay_s, run)

    def _arrive(self, datagram: Datagram) -> None:
        self._handle(Datagram(monotonic_ns(), datagram.channel, datagram.payload))
        self._schedule_resends()
        self._setting.changed()

    def _handle(self, datagram: Datagram) -> None:
        now = self._setting.clock.from_monotonic(datagram.at_ns)
        try:
            self._dispatch(datagram, packet_type(datagram.payload), now)
        except PacketError as err:
            self._stats.malformed += 1
            self._setting.violation(f"{datagram.channel.value}: {err}")

    def _dispatch(self, datagram: Datagram, kind: int, now: int) -> None:
        packet = datagram.payload
        match datagram.channel, kind:
            case Channel.AUDIO, _ if kind == AUDIO:
                self._audio(packet, datagram.at_ns, now)
            case Channel.CONTROL, _ if kind == SYNC:
                self._sync(packet, datagram.at_ns, now)
            case ((Channel.CONTROL | Channel.AUDIO), _) if kind == RESENT:
                self._resent(packet, datagram.at_ns, now)
            case Channel.TIMING, _ if kind == TIMING_REPLY:
                if self._timing.answered(parse_timing_reply(packet), now):
                    self.player.measured(now)
            case _:
                raise PacketError(f"unexpected type {kind:#04x}")

    def _sync(self, packet: bytes, at_ns: int, now: int) -> None:
        sync = parse_sync(packet)
        self._stats.sync_packets += 1
        if self._awaits_first_sync and not sync.is_first:
            self._setting.violation("the first sync packet is not marked")
        self._awaits_first_sync = False
        is_accepted = self.player.sync(sync, now)
        if not is_accepted:
            self._stats.sync_ignored += 1
        self._setting.synced(ReceivedSync(at_ns, sync, is_accepted))

    def _resent(self, packet: bytes, at_ns: int, now: int) -> None:
        if len(packet) <= 8:
            self._stats.not_available += 1
            return
        self._stats.resent += 1
        self._audio(packet[_RESEND_HEADER_BYTES:], at_ns, now, is_resent=True)

    def _audio(
        self, packet: bytes, at_ns: int, now: int, *, is_resent: bool = False
    ) -> None:
        if self._setting.is_deaf():
            return
        audio = parse_audio(packet)
        if self._faults.is_lost():
            self._stats.lost_by_quirk += 1
            return
        self._audio_ns = at_ns
        self._stats.count_packet(len(packet), at_ns)
        frames, pcm = self._decode(audio)
        if not is_resent:
            self._check_audio(audio, frames)
        self.player.put(audio.sequence, audio.rtptime, frames, pcm, now)
        every = self._quirks.ask_received_every
        if every and self._stats.packets % every == 0:
            self._request(audio.sequence, 1)

    def _decode(self, audio: AudioPacket) -> tuple[int, bytes | None]:
        frames = self._announcement.frames_per_packet
        if not self._setting.decode:
            return frames, b""
        try:
            pcm = self._decoder.decode(audio.payload)
        except AlacError as err:
            self._stats.undecodable += 1
            self._setting.violation(f"audio: {err}")
            return frames, None
        return len(pcm) // 4, pcm

    def _check_audio(self, audio: AudioPacket, frames: int) -> None:
        last, self._last_audio = self._last_audio, audio
        if audio.rtptime == self._marked_rtptime and not audio.is_marked:
            self._setting.violation("the first audio packet is not marked")
        if last is None or audio.is_marked:
            return
        if audio.ssrc != last.ssrc:
            self._setting.violation("the SSRC has changed")
        if (audio.sequence - last.sequence) & 0xFFFF == 1 and (
            (audio.rtptime - last.rtptime) & 0xFFFFFFFF
            != self._announcement.frames_per_packet
        ):
            self._setting.violation(f"rtptime jumps at {audio.sequence}")

    # --- timers --------------------------------------------------------------

    def _now(self) -> int:
        return self._setting.clock.from_monotonic(monotonic_ns())

    def _later(self, name: str, delay_s: float, call: Callable[[], None]) -> None:
        self._timers[name] = self._loop.call_later(delay_s, call)

    def _ask_time(self) -> None:
        for _ in range(self._quirks.timing_copies):
            packet = self._timing.request(
                self._now(), is_stamped=self._quirks.stamps_time
            )
            self._send_time_request(packet)
        self._timing_sent += 1
        delay_s = self._setting.cadence.delay_s(self._timing_sent)
        self._later("time", delay_s, self._ask_time)

    def _send_time_request(self, packet: bytes) -> None:
        def send() -> None:
            self._send(Channel.TIMING, packet, self._sender.timing)

        if delay_s := self._delay_s(Channel.TIMING):
            self._after(delay_s, send)
        else:
            send()

    def _tick(self) -> None:
        self.poll()
        if self._faults.asks_needlessly:
            self._ask_needlessly()
        age_ns = monotonic_ns() - self._audio_ns
        idle_s = self._quirks.idle_close_s
        if self._recorded_ns and idle_s is not None and age_ns > idle_s * 1e9:
            self._setting.close()
        elif not self._is_closed:
            self._later("tick", _TICK_S, self._tick)

    def _schedule_resends(self) -> None:
        """Ask for lost packets when it is time; one timer at most."""
        next_ask = self.player.gaps.next_ask_ns
        if next_ask is None or "resend" in self._timers or self._is_closed:
            return
        if self._quirks.asks_resends:
            delay_s = max(0.0, (next_ask - self._now()) / 1e9)
            self._later("resend", delay_s, self._ask_resends)

    def _ask_resends(self) -> None:
        del self._timers["resend"]
        self.poll()
        for first, count in self.player.resends(self._now()):
            self._request(first, count)
        self._schedule_resends()

    def _ask_needlessly(self) -> None:
        newest = self.player.newest_sequence
        if newest is None or "needless" in self._timers:
            return
        self._later("needless", 1.0, self._end_needless_pause)
        for first, count in self._faults.needless(newest):
            self._request(first, count)

    def _end_needless_pause(self) -> None:
        del self._timers["needless"]

    def _request(self, first: int, count: int) -> None:
        self._stats.resend_requests += 1
        self._stats.resend_asked += count
        packet = build_resend_request(first, count)
        self._send(Channel.CONTROL, packet, self._sender.control)

    def _send(self, channel: Channel, packet: bytes, port: int) -> None:
        if not self._setting.is_unplugged():
            self._ports.send(channel, packet, port)
