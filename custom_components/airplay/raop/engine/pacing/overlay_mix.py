"""A voice on a timeline: mixed into the music of all receivers, or of one."""

from typing import Protocol

from ...audio.overlay import Overlay, Phase
from ...session.backlog import Backlog, Format
from ...session.timeline import Line
from ...wire.rtp import BYTES_PER_FRAME, SAMPLE_RATE
from .packet_source import PacketSource

# Packets that a receiver requests again are not older than this.
_KEPT_FRAMES = 3 * SAMPLE_RATE


class PlacedOverlay:
    """An overlay that begins at a frame of a timeline."""

    def __init__(self, overlay: Overlay, first_frame: int) -> None:
        self.overlay = overlay
        self._first = first_frame
        self._said_until = first_frame

    @property
    def is_made(self) -> bool:
        """Whether all of it is mixed in."""
        return self.overlay.phase is Phase.OVER

    def is_over_at(self, frame: int) -> bool:
        """Whether the clip is over at a frame."""
        return self.is_made and self._said_until <= frame

    def reach(self, frame: int, frames: int, *, is_silent: bool) -> int:
        """Return how many frames can be mixed at once; begin the overlay if due."""
        if frame < self._first:
            return min(frames, self._first - frame)
        if self.overlay.phase is None:
            self.overlay.begin(frame, is_silent=is_silent)
        return self.overlay.reach(frames)

    def mix(self, frame: int, music: bytes) -> bytes:
        """Return music with the overlay, no more frames than `reach` has returned."""
        if self.overlay.phase is None:
            return music
        sound = self.overlay.mix(music)
        if self.overlay.phase is Phase.VOICE:
            self._said_until = frame + len(sound) // BYTES_PER_FRAME
        return sound


class SharedPackets(PacketSource, Protocol):
    """The packets for all receivers, which may be silent."""

    @property
    def is_silent(self) -> bool:
        """Whether no music plays on the line."""


class MemberPackets:
    """The packets of one receiver with a voice that the others do not play.

    They match the shared packets number by number, with the voice mixed in.
    """

    def __init__(
        self, shared: SharedPackets, below: PacketSource, overlay: PlacedOverlay
    ) -> None:
        """Begin at the next shared packet; older ones come from `below`."""
        self._shared = shared
        self._below = below
        self.overlay = overlay
        self._first = shared.next_sequence
        first_frame = shared.backlog.frame_of(self._first)
        self.backlog = Backlog(self._first, first_frame, shared.backlog.ssrc)

    @property
    def line(self) -> Line | None:
        """The line of the shared packets."""
        return self._shared.line

    @property
    def next_sequence(self) -> int:
        """The first packet that is not due."""
        return self._shared.next_sequence

    @property
    def latency_frames(self) -> int:
        """The latency of the shared packets."""
        return self._shared.latency_frames

    def make(self, music: bytes) -> None:
        """Add the next shared frames, with the voice mixed in."""
        frame = self.backlog.frame_of(self.backlog.next_sequence)
        mixed = []
        is_silent = self._shared.is_silent
        while music:
            frames = len(music) // BYTES_PER_FRAME
            if not self.overlay.is_made:
                frames = self.overlay.reach(frame, frames, is_silent=is_silent)
            size = frames * BYTES_PER_FRAME
            mixed.append(self.overlay.mix(frame, music[:size]))
            music = music[size:]
            frame += frames
        self.backlog.append(b"".join(mixed))

    def packet_for(self, wire_sequence: int) -> int | None:
        """Return the packet that a receiver requests, if it is still available."""
        return self._shared.packet_for(wire_sequence)

    def batch(self, shape: Format, first: int, count: int) -> tuple[list[bytes], bytes]:
        """Return packets, separate and joined."""
        if first < self._first:
            return self._below.batch(shape, first, count)
        datagrams = self.backlog.datagrams(shape, first, count)
        return datagrams, b"".join(datagrams)

    def forget_below(self) -> None:
        """Replace the packets below with the shared ones."""
        self._below = self._shared

    def is_needed_at(self, frame: int) -> bool:
        """Whether its packets may still be requested while a frame plays."""
        return not self.overlay.is_over_at(frame - _KEPT_FRAMES)
