"""Open media, and what is known of it before anything is decoded."""

from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from .guard.local_file import LocalFile
from .transfer import wav_head
from .transfer.http_file import HttpFile
from .transfer.http_stream import HttpStream
from .transfer.liveness import End

SEGMENTED = {"hls"}
# Their headers state how much sound follows; of others, libav guesses it.
_STATING = {"aiff", "au", "flac", "mov,mp4,m4a,3gp,3g2,mj2", "w64", "wav"}


@dataclass(slots=True)
class Input:
    """Open media: its properties before anything is decoded."""

    container: InputContainer
    stream: AudioStream
    file: HttpFile | HttpStream | LocalFile | None = None

    @property
    def is_live(self) -> bool:
        """Whether it has no known end."""
        return (self.is_stream and self.stated_ms is None) or self.is_growing

    @property
    def is_stream(self) -> bool:
        """Whether it can only be read in order."""
        return isinstance(self.file, HttpStream)

    @property
    def is_radio(self) -> bool:
        """Whether its server has headers of a station."""
        return isinstance(self.file, HttpStream) and self.file.is_radio

    @property
    def is_growing(self) -> bool:
        """Whether it is a growing playlist of segments: libav cannot detect its end."""
        is_segmented = self.container.format.name in SEGMENTED
        return is_segmented and self.container.duration is None

    @property
    def end(self) -> End:
        """How its transfer ended, as far as that is known without an error."""
        if isinstance(self.file, HttpFile | HttpStream):
            return self.file.end
        return End.WHOLE

    @property
    def station(self) -> str | None:
        """The name that a radio announces."""
        return self.file.station if isinstance(self.file, HttpStream) else None

    @property
    def title(self) -> str | None:
        """The title that a radio announces as playing."""
        return self.file.title if isinstance(self.file, HttpStream) else None

    @property
    def can_skip(self) -> bool:
        """Whether a seek costs less than reading everything before."""
        if isinstance(self.file, HttpFile):
            return self.file.is_ranged
        return not (self.is_live or self.is_stream)

    @property
    def duration_ms(self) -> int | None:
        """The duration, if it is known."""
        return None if self.is_live else self._found_ms or self.stated_ms

    @property
    def stated_ms(self) -> int | None:
        """The duration that its header states."""
        if isinstance(self.file, HttpStream) and self.container.format.name == "wav":
            return wav_head.stated_ms(self.file.head)
        if self.container.format.name not in _STATING:
            return None
        return self._found_ms or None

    @property
    def _found_ms(self) -> int | None:
        if self.stream.duration is not None and self.stream.time_base is not None:
            return round(self.stream.duration * self.stream.time_base * 1000)
        if self.container.duration is not None:
            return round(self.container.duration * 1000 / av.time_base)
        return None

    def began(self) -> None:
        """End where it breaks off from now on, so that all that has come is heard."""
        if isinstance(self.file, HttpStream):
            self.file.began()

    def expect_end(self, within_s: float) -> None:
        """Take silence of its server for its end from now on."""
        if isinstance(self.file, HttpFile | HttpStream):
            self.file.expect_end(within_s)

    def close(self) -> None:
        """Release everything."""
        self.container.close()
        if self.file is not None:
            self.file.close()
