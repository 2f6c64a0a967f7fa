"""A job of a decoder process: open, decode, and reopen what breaks off."""

from typing import Protocol

from ..audio.decoder_link import DecoderEvent, Job
from ..audio.events import Cover, Ended, Retitled
from ..audio.pcm import FRAME_BYTES, RATE
from ..media import Tags
from .job_scope import JobScope, Retries
from .media_errors import UnplayableError, for_failure
from .track import BREAKS, Track, open_track

# A connection that delivered this much counts as good.
_STEADY_FRAMES = 10 * RATE


class Output(Protocol):
    """Where the result of a job goes; each call may wait until it is taken."""

    def write(self, pcm: bytes) -> None:
        """Deliver frames."""

    def tell(self, event: DecoderEvent, cover: Cover | None = None) -> None:
        """Deliver an event that belongs between the frames."""


class Decoding:
    """Media as 44100/16/2 PCM, decoded as fast as the output takes it."""

    def __init__(self, job: Job, output: Output, scope: JobScope) -> None:
        """Prepare the job."""
        self._job = job
        self._output = output
        self._scope = scope
        self._retries = Retries(job.limits)
        self._tags = Tags()
        self._written_frames = 0
        self._reopened_at = 0
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
        was_growing = track.is_growing
        found, cover = track.found()
        self._tags = found.tags
        self._output.tell(found, cover)
        while not self._pump(track):
            track.close()
            track = self._track = self._reopen()
            if was_growing and not track.is_live:
                # The broadcast has ended: the address now delivers its recording.
                break
        self._output.tell(Ended())

    def _pump(self, track: Track) -> bool:
        """Deliver the audio of a track; return False if it is live and broke off."""
        while True:
            try:
                block = next(track.blocks, None)
            except UnplayableError as err:
                # A station may send other sound the next time.
                if track.is_live and self._written_frames and not err.is_refusal:
                    return False
                raise
            except BREAKS as err:
                if track.is_live:
                    return False
                raise for_failure(err) from err
            if block is None:
                return not track.is_growing
            self._deliver(block, track.tags)

    def _deliver(self, block: bytes, tags: Tags) -> None:
        if tags != self._tags:
            self._tags = tags
            self._output.tell(Retitled(tags))
        self._output.write(block)
        self._written_frames += len(block) // FRAME_BYTES

    def _reopen(self) -> Track:
        """Reopen a live stream that broke off, until the time limit."""
        if self._written_frames - self._reopened_at > _STEADY_FRAMES:
            self._retries.reset()
        while True:
            self._scope.pause(self._retries.next_pause())
            try:
                track = open_track(self._job.url, 0, self._scope)
            except UnplayableError:
                continue
            self._reopened_at = self._written_frames
            return track
