"""A job of a decoder process: open, decode, and reopen what breaks off."""

from dataclasses import replace
from typing import Protocol

from ..audio.decoder_link import DecoderEvent, Job
from ..audio.events import Cover, Ended, Retitled
from ..audio.pcm import FRAME_BYTES, RATE
from ..media import MediaKind, Tags
from .job_scope import JobScope, Retries
from .media_errors import UnplayableError, for_failure, only_a_part
from .track import BREAKS, Track, open_track
from .transfer.liveness import End, Then, Transfer, after
from .transfer.second import Beginning, without_first

# A connection that delivered this much counts as good.
_STEADY_FRAMES = 10 * RATE
# The sound that is decoded ahead lasts longer.
_ASK_S = 3.0
# How often media may be opened again that misses something and gives nothing new.
_MOST_IN_VAIN = 2


class Output(Protocol):
    """Where the result of a job goes; each call may wait until it is taken."""

    def write(self, pcm: bytes) -> None:
        """Deliver frames."""

    def rest(self) -> None:
        """Deliver what is held back, because no more may come for a while.

        Raises ConnectionError: nobody takes it any longer.
        """

    def tell(self, event: DecoderEvent, cover: Cover | None = None) -> None:
        """Deliver an event that belongs between the frames."""


class Decoding:
    """Media as 44100/16/2 PCM, decoded as fast as the output takes it."""

    def __init__(self, job: Job, output: Output, scope: JobScope) -> None:
        """Prepare the job."""
        self._job = job
        self._output = output
        self._scope = scope
        self._kind = job.kind
        self._retries = Retries(job.limits)
        self._beginning = Beginning()
        self._tags = Tags()
        self._written_frames = 0
        self._reopened_at = 0
        self._in_vain = 0
        # What the caller knows, or a second connection has shown.
        self._is_station = job.kind is MediaKind.RADIO
        self._is_finite = False
        # What came last before a break, in case that no more comes.
        self._cut = b""
        self._track: Track | None = None

    def run(self) -> None:
        """Decode to the end.

        Raises UnplayableError: it cannot be played, or not any further.
        """
        try:
            self._run()
        finally:
            # The collector may not free what libav still reads.
            if self._track:
                self._track.close()

    def _run(self) -> None:
        job = self._job
        track = self._track = open_track(
            job.url, job.start_frame, self._scope, job.loudness
        )
        found, cover = track.found()
        self._tags = found.tags
        self._output.tell(found, cover)
        while True:
            over = self._pump(track)
            track.close()
            if (then := after(over)) is Then.OVER:
                break
            following = self._reopen(track, over, then)
            if following is None:
                break
            track = following
        self._write(self._cut)
        self._output.tell(Ended())

    def _pump(self, track: Track) -> Transfer:
        """Deliver the audio of a track, and return how its transfer ended.

        Raises UnplayableError: there is no use in opening it again.
        """
        self._cut = b""
        try:
            for block in track.blocks:
                if track.is_cut:
                    self._cut += block
                else:
                    self._deliver(block, track.tags)
        except UnplayableError as err:
            # A station may send other sound the next time.
            if not (track.is_live and self._written_frames) or err.is_refusal:
                raise
            return track.transfer(self._kind, is_broken=True)
        except BREAKS as err:
            over = track.transfer(self._kind, is_broken=True)
            if after(over) is Then.FAIL:
                raise for_failure(err) from err
            return over
        return track.transfer(self._kind, is_broken=False)

    def _deliver(self, block: bytes, tags: Tags) -> None:
        if tags != self._tags:
            self._tags = tags
            self._output.tell(Retitled(tags))
        self._beginning.add(block)
        self._write(block)

    def _write(self, pcm: bytes) -> None:
        self._output.write(pcm)
        self._written_frames += len(pcm) // FRAME_BYTES

    def _reopen(self, ended: Track, over: Transfer, then: Then) -> Track | None:
        """Open media again whose transfer is over, until the time limit.

        Return it at the place that was reached. None: the whole of it was heard.

        Raises UnplayableError: the rest of it does not come.
        """
        if self._is_over(over, then):
            return None
        retries = self._retries
        if then is Then.ASK:
            limits = self._job.limits
            shorter = replace(limits, reconnect_s=min(_ASK_S, limits.reconnect_s))
            retries = Retries(shorter)
        while True:
            self._output.rest()
            try:
                self._scope.pause(retries.next_pause())
            except UnplayableError:
                if then is Then.ASK:
                    return None
                raise
            longest_s = _ASK_S if then is Then.ASK else 2 * self._scope.limits.open_s
            try:
                with self._scope.deadline(longest_s):
                    track = self._open_again(ended, over)
            except (UnplayableError, *BREAKS):
                continue
            self._reopened_at = self._written_frames
            return track

    def _is_over(self, over: Transfer, then: Then) -> bool:
        """Whether media ends at the same place again; count how often.

        Raises UnplayableError: it says itself that it is longer.
        """
        gained = self._written_frames - self._reopened_at
        if gained > _STEADY_FRAMES:
            self._retries.reset()
        self._in_vain = 0 if gained else self._in_vain + 1
        if then is Then.RESUME and self._in_vain > _MOST_IN_VAIN:
            raise only_a_part()
        if self._is_finite and not gained:
            if over.is_missing:
                raise only_a_part()
            return True
        return False

    def _open_again(self, ended: Track, over: Transfer) -> Track | None:
        """Open media at the place that was reached; None: that was its end."""
        job, is_anew = self._job, ended.is_stream or over.end is End.OTHER
        # A stream is read from its beginning, which shows whether it is the same.
        start = job.start_frame + (0 if is_anew else self._written_frames)
        if self._track:
            self._track.close()
        track = self._track = open_track(job.url, start, self._scope, job.loudness)
        if ended.is_growing:
            # Of a broadcast that is over, the address now delivers the recording.
            return track if track.is_live else None
        if self._is_station or not is_anew:
            return track
        is_same, track.blocks = self._beginning.is_of(track.blocks)
        if not is_same and self._kind is MediaKind.ANY:
            self._is_station, self._kind = True, MediaKind.RADIO
            return track
        self._is_finite = True
        if over.end in {End.WHOLE, End.CLOSED} and not over.is_missing:
            return None
        patience_s = self._scope.limits.open_s if track.is_radio else None
        track.blocks = without_first(track.blocks, self._written_frames, patience_s)
        return track
