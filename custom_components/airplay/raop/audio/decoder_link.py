"""What passes between the sender and a decoder process: frames of a bounded size.

A frame is its kind (one byte), the size of its content (four bytes, little-endian),
and the content. The sender sends one job. The decoder process answers with events, as
JSON, between the PCM that they belong to. A cover comes in pieces before its event.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
import json
import struct
from typing import Self, get_args

from ..dataclass_json import ShapeError, build, write
from ..media import MAX_PICTURE_BYTES, Loudness, Media, MediaBounds, MediaKind
from .events import Cover, Ended, Failure, Found, Retitled
from .pcm import FRAME_BYTES

# Wakes whoever reads rarely, and is little for the pacing thread to copy at once.
MAX_CONTENT_BYTES = 1 << 16
_HEADER = struct.Struct("<BI")
FRAME_HEADER_BYTES = _HEADER.size
# To the prepared process: a number, and whether the job comes later, with the decoder
# process's end of a socket pair.
REQUEST = struct.Struct("<Q?")
# From it: the number of a process that has ended, and its wait status; a negative one
# is the error number for which it was not started.
ENDED = struct.Struct("<Qi")


class FrameKind(IntEnum):
    """The kinds of frames."""

    JOB = 1
    PCM = 2
    EVENT = 3
    COVER = 4


class LinkError(Exception):
    """A decoder process sent something that is no frame of this protocol."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The time limits of a source, in seconds.

    All of an opening may take `open_s`, a connection to one of several addresses
    `connect_s`, the first byte of a body `first_s`, and each later one `read_s`.
    """

    open_s: float = 30.0
    connect_s: float = 2.5
    first_s: float = 20.0
    read_s: float = 20.0
    # A live playlist may not grow for the length of a segment.
    segment_s: float = 15.0
    reconnect_s: float = 60.0
    pauses_s: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)


# A voice may be computed while it is waited for, and a disk may have to start. A station
# is live: what it does not send now, it will not send later.
_LIMITS = {
    MediaKind.SPEECH: Limits(open_s=50.0, first_s=30.0),
    MediaKind.RADIO: Limits(open_s=10.0, first_s=5.0, read_s=5.0),
}


def limits_of(kind: MediaKind) -> Limits:
    """Return the time limits for media of a kind."""
    return _LIMITS.get(kind, Limits())


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a decoder process is to open, and the frame of it at which to begin."""

    url: str = field(repr=False)
    start_frame: int = 0
    kind: MediaKind = MediaKind.ANY
    bounds: MediaBounds = field(default_factory=MediaBounds)
    limits: Limits = Limits()
    loudness: Loudness = Loudness.OFF

    @classmethod
    def of(cls, media: Media, start_frame: int, limits: Limits) -> Self:
        """Return the job for media, from a frame on."""
        return cls(
            url=media.url,
            start_frame=start_frame,
            kind=media.kind,
            bounds=media.bounds,
            limits=limits,
            loudness=media.loudness,
        )


type DecoderEvent = Found | Retitled | Failure | Ended

_EVENTS: tuple[type[DecoderEvent], ...] = get_args(DecoderEvent.__value__)


def encode_job(job: Job) -> bytes:
    """Write a job as a frame. Raises LinkError: its address is too long."""
    return _frame(FrameKind.JOB, write(job))


def decode_job(content: bytes) -> Job:
    """Read the content of a job's frame. Raises LinkError: it is malformed."""
    try:
        return build(Job, json.loads(content))
    except (ValueError, RecursionError, ShapeError) as err:
        raise LinkError(f"not a job: {err}") from err


def encode_pcm(pcm: bytes) -> Iterator[bytes]:
    """Write s16le stereo as frames."""
    most = MAX_CONTENT_BYTES // FRAME_BYTES * FRAME_BYTES
    for start in range(0, len(pcm), most):
        yield _frame(FrameKind.PCM, pcm[start : start + most])


def encode_event(event: DecoderEvent) -> bytes:
    """Write an event as a frame. Raises LinkError: it is too long."""
    return _frame(FrameKind.EVENT, write([type(event).__name__, event]))


def decode_event(content: bytes) -> DecoderEvent:
    """Read the content of an event's frame. Raises LinkError: it is malformed."""
    try:
        name, fields = json.loads(content)
        for kind in _EVENTS:
            if kind.__name__ == name:
                return build(kind, fields)
    except (ValueError, TypeError, RecursionError, ShapeError) as err:
        raise LinkError(f"not an event: {err}") from err
    raise LinkError("an unknown event")


def encode_cover(cover: Cover) -> Iterator[bytes]:
    """Write a picture as frames; its kind is in the event that follows."""
    for start in range(0, len(cover.data), MAX_CONTENT_BYTES):
        piece = cover.data[start : start + MAX_CONTENT_BYTES]
        yield _frame(FrameKind.COVER, piece)


def _frame(kind: FrameKind, content: bytes) -> bytes:
    if len(content) > MAX_CONTENT_BYTES:
        raise LinkError(f"{kind.name} is too long")
    return _HEADER.pack(kind, len(content)) + content


class FrameReader:
    """Takes the bytes of one side and returns whole frames."""

    def __init__(self) -> None:
        """Start without any bytes."""
        self._rest = b""
        self._cover_bytes = 0

    def feed(self, octets: bytes) -> Iterator[tuple[FrameKind, bytes]]:
        """Yield the kind and the content of each frame that is complete.

        Raises LinkError: its kind or size is not one of this protocol.
        """
        octets = self._rest + octets
        at = 0
        while len(octets) - at >= _HEADER.size:
            number, size = _HEADER.unpack_from(octets, at)
            kind = self._checked(number, size)
            end = at + _HEADER.size + size
            if end > len(octets):
                break
            yield kind, octets[at + _HEADER.size : end]
            if kind is FrameKind.COVER:
                self._cover_bytes += size
            at = end
        self._rest = octets[at:]

    def _checked(self, number: int, size: int) -> FrameKind:
        try:
            kind = FrameKind(number)
        except ValueError as err:
            raise LinkError("an unknown kind of frame") from err
        if size > MAX_CONTENT_BYTES or (kind is FrameKind.PCM and size % FRAME_BYTES):
            raise LinkError(f"{kind.name} has a wrong size")
        if kind is FrameKind.COVER and self._cover_bytes + size > MAX_PICTURE_BYTES:
            raise LinkError("a picture is too big")
        return kind
