"""A realtime stream: sealed packets over UDP, announces of the time."""

from typing import override

from tests.virtual_receiver.network.udp import Address, Channel, Datagram
from tests.virtual_receiver.playback.player import Line, Player
from tests.virtual_receiver.raop.alac import AlacError
from tests.virtual_receiver.raop.packets import AudioPacket, PacketError
from tests.virtual_receiver.raop.sdp import Announcement
from tests.virtual_receiver.raop.session import Ports
from tests.virtual_receiver.raop.stream import ReceivedSync, Setting, Stream

from .anchored import AnchoredPlayer
from .bodies import REALTIME, StreamSetup
from .packets import TIME_ANNOUNCE, Opener, TimeAnnounce, parse_time_announce
from .ptp_sockets import PtpSockets

_PCM = 1


class RealtimeStream(Stream):
    """A stream of type 96, timed by PTP if there are PTP sockets, else by NTP."""

    kind = REALTIME

    def __init__(
        self,
        number: int,
        setup: StreamSetup,
        sender: Ports,
        local: Address,
        peer: Address,
        setting: Setting,
        *,
        ptp_sockets: PtpSockets | None,
    ) -> None:
        """Open the sockets."""
        self._opener = Opener(setup.key)
        self._ptp_sockets = ptp_sockets
        self._awaited: TimeAnnounce | None = None
        announcement = Announcement(
            "l16" if setup.codec == _PCM else "alac",
            rate=setup.rate,
            frames_per_packet=setup.frames_per_packet,
        )
        super().__init__(number, announcement, 0, sender, local, peer, setting)
        if ptp_sockets is not None:
            ptp_sockets.measured = self._measured

    @property
    def sample_rate(self) -> float:
        """Return the `sr` of feedback, which is empty here."""
        return float(self._announcement.rate)

    @property
    @override
    def _asks_time(self) -> bool:
        return self._ptp_sockets is None and super()._asks_time

    @property
    @override
    def _least_lead_ns(self) -> int:
        return self._quirks.starves_below_ms * 1_000_000

    @override
    def _build_player(self, number: int, airplay_version: int) -> Player:
        if self._ptp_sockets is None:
            return super()._build_player(number, airplay_version)
        setting = self._setting
        player = AnchoredPlayer(
            number,
            self._announcement,
            setting.clock,
            setting.recording,
            setting.stats,
            setting.quirks,
            least_lead_ns=self._least_lead_ns,
        )
        player.follow(self._ptp_sockets.follower)
        return player

    @override
    def poll(self) -> None:
        """Read the clock, then everything else."""
        if self._ptp_sockets is not None and not self._is_closed:
            self._ptp_sockets.poll()
            self._settle(self._now())
        super().poll()

    @override
    def _dispatch(self, datagram: Datagram, kind: int, now: int) -> None:
        if datagram.channel is Channel.CONTROL and kind == TIME_ANNOUNCE:
            self._announced(datagram, now)
        else:
            super()._dispatch(datagram, kind, now)

    def _announced(self, datagram: Datagram, now: int) -> None:
        announce = parse_time_announce(datagram.payload)
        if self._ptp_sockets is None:
            raise PacketError("time announce in a session of NTP")
        self._stats.sync_packets += 1
        if self._awaits_first_sync and not announce.is_first:
            self._setting.violation("the first time announce is not marked")
        self._awaits_first_sync = False
        self._awaited = announce
        self._settle(now)
        is_accepted = self._awaited is None
        if not is_accepted:
            self._stats.sync_ignored += 1
        self._setting.synced(ReceivedSync(datagram.at_ns, announce, is_accepted))

    def _settle(self, now: int) -> None:
        """Apply the newest announce as soon as its clock is known."""
        announce = self._awaited
        if announce is None or self._ptp_sockets is None:
            return
        if self._ptp_sockets.follower.knows(announce.clock_id, now):
            self._awaited = None
            assert isinstance(self.player, AnchoredPlayer)
            line = Line(announce.sender_ns, announce.heard_rtptime)
            self.player.anchor(line, now)

    def _measured(self) -> None:
        if not self._is_closed:
            self.player.measured(self._now())
            self._settle(self._now())

    @override
    def _decode(self, audio: AudioPacket) -> tuple[int, bytes | None]:
        """Open and decode; one that cannot be opened is requested again."""
        head = audio.rtptime.to_bytes(4) + audio.ssrc.to_bytes(4)
        plain = self._opener.open(head, audio.payload)
        frames = self._announcement.frames_per_packet
        if not self._setting.decode:
            return frames, b""
        try:
            pcm = self._decoder.decode(plain)
        except AlacError as err:
            self._stats.undecodable += 1
            self._setting.violation(f"audio: {err}")
            return frames, None
        return len(pcm) // 4, pcm
