"""The sound that a receiver has played, packet by packet, with the instant of each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.virtual_receiver.raop.packets import signed_distance

NS_PER_S = 1_000_000_000
FRAME_BYTES = 4


@dataclass(frozen=True, slots=True)
class PlayedPacket:
    """The frames of one packet; a missing one was played as silence."""

    session: int
    play_ns: int
    """CLOCK_MONOTONIC at which the first frame was played."""
    local_ns: int
    """The same instant on the receiver's own clock."""
    rtptime: int
    frames: int
    rate: int
    pcm: bytes
    is_missing: bool

    @property
    def sound(self) -> bytes:
        """Return the frames as they were played, silence included."""
        return self.pcm or bytes(self.frames * FRAME_BYTES)


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames that were played without a break."""

    session: int
    start_ns: int
    local_ns: int
    rtptime: int
    frames: int


class Recording:
    """Everything that was played; kept only on request."""

    def __init__(self, *, keep: bool = True) -> None:
        """Start with nothing played."""
        self._keep = keep
        self._listeners: list[Callable[[PlayedPacket], None]] = []
        self.packets: list[PlayedPacket] = []
        self.frames = 0
        """Frames that are past, silence for lost ones included."""
        self.heard_frames = 0
        """Frames that came from a packet."""
        self.first_frame_ns: int | None = None
        self.last_frame_ns: int | None = None

    def add(self, packet: PlayedPacket) -> None:
        """Add the next packet that was played."""
        if not packet.is_missing:
            self.heard_frames += packet.frames
            if self.first_frame_ns is None:
                self.first_frame_ns = packet.play_ns
        self.frames += packet.frames
        self.last_frame_ns = packet.play_ns + packet.frames * NS_PER_S // packet.rate
        if self._keep:
            self.packets.append(packet)
        for listener in self._listeners:
            listener(packet)

    def subscribe(self, listener: Callable[[PlayedPacket], None]) -> None:
        """Call a listener with each packet from now on."""
        self._listeners.append(listener)

    def clear(self) -> None:
        """Forget all sound that was played until now."""
        self.packets.clear()
        self.frames = self.heard_frames = 0
        self.first_frame_ns = self.last_frame_ns = None

    @property
    def pcm(self) -> bytes:
        """Return all that was played as s16le, without the pauses."""
        return b"".join(packet.sound for packet in self.packets)

    def play_times(self) -> dict[int, int]:
        """Map the rtptime of each packet that was played to CLOCK_MONOTONIC."""
        return {
            packet.rtptime: packet.play_ns
            for packet in self.packets
            if not packet.is_missing
        }


def segments(packets: Iterable[PlayedPacket], tolerance_ns: int) -> list[Segment]:
    """Join packets that follow each other in rtptime and in time."""
    joined: list[Segment] = []
    end_ns = end_rtptime = 0
    for packet in packets:
        follows = (
            bool(joined)
            and joined[-1].session == packet.session
            and packet.rtptime == end_rtptime
            and abs(packet.play_ns - end_ns) <= tolerance_ns
        )
        if follows:
            last = joined[-1]
            joined[-1] = Segment(
                last.session,
                last.start_ns,
                last.local_ns,
                last.rtptime,
                last.frames + packet.frames,
            )
        else:
            joined.append(
                Segment(
                    packet.session,
                    packet.play_ns,
                    packet.local_ns,
                    packet.rtptime,
                    packet.frames,
                )
            )
        end_ns = packet.play_ns + packet.frames * NS_PER_S // packet.rate
        end_rtptime = packet.rtptime + packet.frames & 0xFFFFFFFF
    return joined


def with_pauses(packets: Iterable[PlayedPacket], limit_s: float = 60.0) -> bytes:
    """Return the sound that played with silence in each pause, up to a limit for each."""
    sound = bytearray()
    end_ns: int | None = None
    for packet in packets:
        if end_ns is not None:
            pause_ns = min(packet.play_ns - end_ns, round(limit_s * NS_PER_S))
            frames = round(pause_ns * packet.rate / NS_PER_S)
            sound += bytes(max(0, frames) * FRAME_BYTES)
        sound += packet.sound
        end_ns = packet.play_ns + packet.frames * NS_PER_S // packet.rate
    return bytes(sound)


def runs(
    packets: Iterable[PlayedPacket], hole_s: float = 30.0
) -> list[list[PlayedPacket]]:
    """Split at the end of a session, if rtptime goes back, or at a large hole."""
    split: list[list[PlayedPacket]] = []
    for packet in packets:
        if split:
            last = split[-1][-1]
            step = signed_distance(packet.rtptime, last.rtptime, 32)
            if last.session == packet.session and 0 < step < hole_s * packet.rate:
                split[-1].append(packet)
                continue
        split.append([packet])
    return split
