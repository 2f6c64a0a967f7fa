"""Open media: its container, and what is known before anything is decoded."""

from contextlib import ExitStack
from dataclasses import dataclass
import re

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Discard

from ...audio.pcm import RATE
from ..convert import check_sound
from ..guard.local_file import LocalFile
from ..guard.metered import MediaBytes, MediaFile, MeteredFile, MeteredMedia
from ..guard.tag_cut import without_long_tags, without_long_tags_live
from ..media_errors import not_audio
from ..transfer import wav_head
from ..transfer.http_file import HttpFile
from ..transfer.http_stream import HttpStream
from ..transfer.liveness import End
from .parted import FileParts, LiveParts, PartedFile, may_have_parts

# Eight frames or more of Dolby or DTS in a WAV file. Twice as much takes four times as
# long, which is most of the time that raw samples take to start.
_RAW_PROBE_BYTES = "32768"
# Radios send in real time: each second of analysis delays the start.
_RADIO_ANALYSIS_US = "500000"
_PICTURE_NAME = re.compile(r"\.(?:bmp|gif|jpe?g|png|tiff?|webp)\Z", re.IGNORECASE)
_SEGMENTED = {"hls"}
# Their headers state how much sound follows; of others, libav guesses it.
_STATING = {"aiff", "au", "flac", "mov,mp4,m4a,3gp,3g2,mj2", "w64", "wav"}

type MediaSource = HttpFile | HttpStream | LocalFile


@dataclass(slots=True)
class Input:
    """Open media: its properties before anything is decoded."""

    container: InputContainer
    stream: AudioStream
    file: MediaSource | None = None
    parts: FileParts | LiveParts | None = None
    # Whether a playlist of segments says so; libav knows it of the first variant only.
    has_end: bool = False

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
    def end(self) -> End:
        """How its transfer ended, as far as that is known without an error."""
        if isinstance(self.file, HttpFile | HttpStream):
            return self.file.end
        return End.WHOLE

    @property
    def is_growing(self) -> bool:
        """Whether it is a growing playlist of segments: libav cannot detect its end."""
        return self._is_listed_without_duration and not self.has_end

    @property
    def station(self) -> str | None:
        """The name that a radio announces."""
        return self.file.station if isinstance(self.file, HttpStream) else None

    @property
    def title(self) -> str | None:
        """The title that a radio announces as playing."""
        return self.file.title if isinstance(self.file, HttpStream) else None

    def can_skip_to(self, start: int) -> bool:
        """Whether a seek costs less than reading everything before, and is exact.

        `start` is a frame of the output: libav finds nothing behind this part.
        """
        end_ms = self.duration_ms
        is_behind = end_ms is not None and start * 1000 >= end_ms * RATE
        # libav cannot seek if the first variant is gone.
        if self._is_listed_without_duration:
            return False
        if self._is_divided or (self.parts is not None and is_behind):
            return False
        if isinstance(self.file, HttpFile):
            return self.file.is_ranged
        return not (self.is_live or self.is_stream)

    @property
    def duration_ms(self) -> int | None:
        """The duration, if it is known."""
        if self.is_live or self._is_divided:
            return None
        return self._found_ms or self.stated_ms

    @property
    def stated_ms(self) -> int | None:
        """The duration that its header states."""
        if self._is_divided:
            return None
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

    @property
    def _is_listed_without_duration(self) -> bool:
        is_segmented = self.container.format.name in _SEGMENTED
        return is_segmented and self.container.duration is None

    @property
    def _is_divided(self) -> bool:
        """Whether libav knows only a part of it."""
        return self.parts is not None and self.parts.is_divided

    def next_part(self) -> Input | None:
        """Release this part and open the one behind it; None: this is the last.

        Raises UnplayableError, FFmpegError: it cannot be played; ask for the next one.
        Raises the errors of its reads.
        """
        part = self.parts.next() if self.parts is not None else None
        if part is None or self.file is None:
            return None
        self.container.close()
        metered = (
            MeteredFile(part) if isinstance(part, PartedFile) else MeteredMedia(part)
        )
        return _opened(metered, b"", self.file, self.parts)

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


def open_media(file: MediaSource, head: bytes) -> Input:
    """Open the container in media that is at its beginning, of which this is the head.

    Raises UnplayableError: it is not audio, or too much precedes the sound.
    Raises OSError, FFmpegError: it broke off, or libav does not know it.
    """
    is_raw = _is_raw(head)
    if isinstance(file, HttpStream):
        live = LiveParts(file) if may_have_parts(head, is_live=True) else None
        media: MediaBytes | None = live.next() if live else None
        media = media or without_long_tags_live(file)
        metered = MeteredMedia(media, counts_frames=is_raw)
        return _opened(metered, head, file, live)
    parts = FileParts(file) if may_have_parts(head) else None
    content: MediaFile = (parts.next() if parts else None) or without_long_tags(file)
    name = file.name if isinstance(file, LocalFile) else ""
    # libav believes a name of a picture, whatever the content is.
    name = "" if _PICTURE_NAME.search(name) else name
    return _opened(MeteredFile(content, name, counts_frames=is_raw), head, file, parts)


def input_of(
    container: InputContainer,
    file: MediaSource | None = None,
    parts: FileParts | LiveParts | None = None,
) -> Input:
    """Return the input for an open container.

    Raises UnplayableError: it has no sound, or sound out of bounds; it is closed then.
    """
    with ExitStack() as undo:
        undo.callback(container.close)
        stream = container.streams.best("audio")
        if not isinstance(stream, AudioStream):
            has_video = bool(container.streams.video)
            raise not_audio("it has no sound" if has_video else "it is not audio")
        context = stream.codec_context
        if context.sample_rate:
            check_sound(context.sample_rate, context.channels)
        undo.pop_all()
    if container.format.name in _SEGMENTED:
        # Otherwise every variant of the media is loaded.
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
    return Input(container, stream, file, parts)


def _opened(
    metered: MeteredMedia,
    head: bytes,
    file: MediaSource,
    parts: FileParts | LiveParts | None,
) -> Input:
    # The content must not make libav open anything else.
    options = {"protocol_whitelist": "data"}
    if _is_raw(head):
        # Limits how far libav looks for another format inside raw samples.
        options["probesize"] = _RAW_PROBE_BYTES
    if isinstance(file, HttpStream):
        options["analyzeduration"] = _RADIO_ANALYSIS_US
    found = input_of(av.open(metered, mode="r", options=options), file, parts)
    metered.open()
    return found


def _is_raw(head: bytes) -> bool:
    """Whether it is a format of raw samples in chunks, WAV or AIFF."""
    return head.startswith((b"RIFF", b"RF64", b"FORM"))
