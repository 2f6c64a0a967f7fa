"""Makes packets from the sound of a timeline: music, and voices over it."""

from collections.abc import Callable

from ...session.backlog import ENCODED_AT_ONCE, Backlog
from ...wire.rtp import FRAMES_PER_PACKET
from .feed import Pcm, PcmFeed
from .outlet import Outlet
from .overlay_mix import MemberPackets, PlacedOverlay, SharedPackets

# Read and encoded at once, sent a batch at a time: each cold wake-up is expensive.
_BLOCK_FRAMES = ENCODED_AT_ONCE * FRAMES_PER_PACKET


class Packetizer:
    """Makes the packets for all receivers, and those for single receivers."""

    def __init__(self, backlog: Backlog, on_switch: Callable[[Pcm], None]) -> None:
        self.backlog = backlog
        self.feed = PcmFeed(on_switch)
        self.member_packets: dict[Outlet, MemberPackets] = {}
        self.is_paused = False
        # Music that begins while a voice mutes it waits, so that its start is audible.
        self._is_fresh = False
        self._overlay: PlacedOverlay | None = None

    @property
    def is_silent(self) -> bool:
        """Whether no music plays."""
        return self.feed.is_held or self.feed.source is None

    @property
    def unmade_frame(self) -> int:
        """The first frame that is not in a packet yet, and has no voice mixed in."""
        return self.backlog.frame_of(self.backlog.next_sequence)

    def begin(
        self, source: Pcm, frame: int, position_frames: int, *, is_seamless: bool
    ) -> None:
        """Play a source from a frame on; see `PcmFeed.cue`."""
        self.is_paused = False
        self._is_fresh = True
        self.feed.cue(source, frame, position_frames, is_seamless=is_seamless)

    def resume(self, frame: int) -> None:
        """Continue the held music from a frame on, or after the voice."""
        self.is_paused = False
        self._is_fresh = True
        if self._wants_music:
            self.feed.resume(frame)

    def clear(self) -> None:
        """Remove the music; voices continue."""
        self.is_paused = False
        self.feed.clear()

    def speak(self, overlay: PlacedOverlay, sequence: int) -> None:
        """Place a voice for all receivers, from a packet on."""
        self.unmake(self.backlog.frame_of(sequence))
        self.take_back(sequence)
        self._overlay = overlay

    def speak_to(
        self, outlet: Outlet, overlay: PlacedOverlay, shared: SharedPackets
    ) -> None:
        """Place a voice for one outlet, over the shared packets from now on."""
        below = self.member_packets.get(outlet)
        if below:
            below.forget_below()
        packets = MemberPackets(shared, below or shared, overlay)
        next_frame = self.backlog.frame_of(shared.next_sequence)
        if music := self.backlog.music_from(next_frame):
            packets.make(music)
        self.member_packets[outlet] = packets

    def is_over_at(self, frame: int) -> bool:
        """Whether all voices are over when a frame plays."""
        overlays = [each.overlay for each in self.member_packets.values()]
        if self._overlay:
            overlays.append(self._overlay)
        return all(each.is_over_at(frame) for each in overlays)

    def drop_voices(self) -> None:
        """Remove all voices."""
        self._overlay = None
        self.member_packets.clear()

    def drop_member_packets(self, frame: int) -> None:
        """Drop packets of members that are no longer needed when a frame plays."""
        for outlet, packets in tuple(self.member_packets.items()):
            if not packets.is_needed_at(frame):
                del self.member_packets[outlet]

    def unmake(self, frame: int) -> None:
        """Return music from a frame on to the feed, to make it again."""
        self.feed.rewind(frame, self.backlog.music_from(frame))

    def take_back(self, sequence: int) -> None:
        """Drop packets from one on that were made, but not sent yet."""
        self.backlog.take_back(sequence)
        for packets in self.member_packets.values():
            packets.backlog.take_back(sequence)

    def make(self, frame: int) -> None:
        """Make the next block, for all receivers and for those with their own voice."""
        overlay = self._overlay
        if overlay is None or overlay.is_made:
            self._let_music_flow(frame)
            sound = music = self.feed.read(frame, _BLOCK_FRAMES)
        else:
            sound, music = self._mix(overlay, frame)
        self.backlog.append(sound, music)
        for packets in self.member_packets.values():
            # Once its own voice is over, it plays the shared sound.
            packets.make(sound if packets.overlay.is_made else music)

    def _mix(self, overlay: PlacedOverlay, frame: int) -> tuple[bytes, bytes]:
        """Return the next block with a voice, and without it."""
        mixed, music = [], []
        stop = frame + _BLOCK_FRAMES
        while frame < stop:
            frames = overlay.reach(frame, stop - frame, is_silent=self.is_silent)
            self._let_music_flow(frame)
            music.append(self.feed.read(frame, frames))
            mixed.append(overlay.mix(frame, music[-1]))
            frame += frames
        return b"".join(mixed), b"".join(music)

    @property
    def _wants_music(self) -> bool:
        if self.is_paused:
            return False
        overlay = self._overlay.overlay if self._overlay else None
        if overlay is None:
            return True
        return overlay.wants_music and not (self._is_fresh and overlay.is_muting)

    def _let_music_flow(self, frame: int) -> None:
        if self._wants_music:
            self._is_fresh = False
            self.feed.resume(frame)
        else:
            self.feed.hold(frame)
