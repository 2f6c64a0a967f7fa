"""The sound of a timeline: music, and voices over it, made into packets."""

from collections.abc import Callable

from ...session.backlog import ENCODED_AT_ONCE, Backlog
from ...wire.rtp import FRAMES_PER_PACKET
from .feed import Pcm, PcmFeed
from .outlet import Outlet
from .overlay_mix import MemberPackets, PlacedOverlay, SharedPackets

# Taken and encoded at once, sent a batch at a time: waking up cold is what costs.
_BLOCK_FRAMES = ENCODED_AT_ONCE * FRAMES_PER_PACKET


class Packetizer:
    """Fills the backlog with what all hear, and branches with what one hears alone."""

    def __init__(self, backlog: Backlog, on_switch: Callable[[Pcm], None]) -> None:
        self.backlog = backlog
        self.feed = PcmFeed(on_switch)
        self.branches: dict[Outlet, MemberPackets] = {}
        self.is_paused = False
        # Music that begins while a voice mutes it waits: its first frames count.
        self._is_fresh = False
        self._overlay: PlacedOverlay | None = None

    @property
    def is_silent(self) -> bool:
        """Whether there is no music to hear."""
        return self.feed.is_held or self.feed.source is None

    @property
    def unmade_frame(self) -> int:
        """The first frame that is in no packet: no voice was mixed into it."""
        return self.backlog.frame_of(self.backlog.next_sequence)

    def begin(
        self, source: Pcm, frame: int, position_frames: int, *, is_seamless: bool
    ) -> None:
        """Let a source be heard from a frame on; see `Supply.cue`."""
        self.is_paused = False
        self._is_fresh = True
        self.feed.cue(source, frame, position_frames, is_seamless=is_seamless)

    def resume(self, frame: int) -> None:
        """Let what was held be heard from a frame on, or behind the voice."""
        self.is_paused = False
        self._is_fresh = True
        if self._wants_music:
            self.feed.resume(frame)

    def clear(self) -> None:
        """Leave the music; voices go on."""
        self.is_paused = False
        self.feed.clear()

    def speak(self, voicing: PlacedOverlay, sequence: int) -> None:
        """Let a voice be heard by all, in packets from one on."""
        self.unmake(self.backlog.frame_of(sequence))
        self.take_back(sequence)
        self._overlay = voicing

    def speak_to(
        self, outlet: Outlet, voicing: PlacedOverlay, shared: SharedPackets
    ) -> None:
        """Let a voice be heard on one outlet, in the trunk's packets from now on."""
        below = self.branches.get(outlet)
        if below:
            below.settle()
        packets = MemberPackets(shared, below or shared, voicing)
        next_frame = self.backlog.frame_of(shared.next_sequence)
        if music := self.backlog.music_from(next_frame):
            packets.make(music)
        self.branches[outlet] = packets

    def is_said_at(self, frame: int) -> bool:
        """Whether all voices are over when a frame is heard."""
        voices = [each.voicing for each in self.branches.values()]
        if self._overlay:
            voices.append(self._overlay)
        return all(each.is_heard_at(frame) for each in voices)

    def drop_voices(self) -> None:
        """Let no voice be heard any more."""
        self._overlay = None
        self.branches.clear()

    def drop_branches(self, frame: int) -> None:
        """Leave the branches that nobody asks for any more when a frame is heard."""
        for outlet, packets in tuple(self.branches.items()):
            if not packets.is_needed_at(frame):
                del self.branches[outlet]

    def unmake(self, frame: int) -> None:
        """Take music back that is not heard, to be made again."""
        self.feed.rewind(frame, self.backlog.music_from(frame))

    def take_back(self, sequence: int) -> None:
        """Forget packets that were made, but not sent yet, from one on."""
        for backlog in (self.backlog, *(b.backlog for b in self.branches.values())):
            backlog.take_back(sequence)

    def make(self, frame: int) -> None:
        """Make the next block, for all and for those who hear something else."""
        voicing = self._overlay
        if voicing is None or voicing.is_made:
            self._let_music_flow(frame)
            sound = music = self.feed.read(frame, _BLOCK_FRAMES)
        else:
            sound, music = self._voiced(voicing, frame)
        self.backlog.append(sound, music)
        for packets in self.branches.values():
            # Where its own voice is over, it hears what all hear.
            packets.make(sound if packets.voicing.is_made else music)

    def _voiced(self, voicing: PlacedOverlay, frame: int) -> tuple[bytes, bytes]:
        """Return the next block with a voice in it, and without it."""
        heard, music = [], []
        stop = frame + _BLOCK_FRAMES
        while frame < stop:
            frames = voicing.reach(frame, stop - frame, is_silent=self.is_silent)
            self._let_music_flow(frame)
            music.append(self.feed.read(frame, frames))
            heard.append(voicing.mix(frame, music[-1]))
            frame += frames
        return b"".join(heard), b"".join(music)

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
