"""Frames between the sender and a decoder process."""

from dataclasses import replace

import pytest

from custom_components.airplay.raop.audio.decoder_link import (
    MAX_CONTENT_BYTES,
    DecoderEvent,
    FrameKind,
    FrameReader,
    Job,
    Limits,
    LinkError,
    decode_event,
    decode_job,
    encode_cover,
    encode_event,
    encode_job,
    encode_pcm,
)
from custom_components.airplay.raop.audio.events import (
    Cover,
    Ended,
    Failure,
    Found,
    Retitled,
)
from custom_components.airplay.raop.messages import MAX_PICTURE_BYTES, MediaBounds, Tags

TAGS = Tags(title="SOS", track=3)
EVENTS: list[DecoderEvent] = [
    Found(3018, is_live=False, can_seek=True, tags=TAGS, cover_type="image/png"),
    Found(None, is_live=True, can_seek=False, tags=Tags(), station="Rädio"),
    Retitled(TAGS),
    Failure("media_not_found", "there is no such file", 404),
    Ended(),
]


def frames_of(octets: bytes, step: int) -> list[tuple[FrameKind, bytes]]:
    """Feed bytes in pieces."""
    reader = FrameReader()
    pieces = (octets[at : at + step] for at in range(0, len(octets), step))
    return [frame for piece in pieces for frame in reader.feed(piece)]


@pytest.mark.parametrize("event", EVENTS, ids=lambda each: type(each).__name__)
def test_events_come_through(event: DecoderEvent) -> None:
    ((kind, content),) = frames_of(encode_event(event), 3)

    assert (kind, decode_event(content)) == (FrameKind.EVENT, event)


def test_a_job_comes_through() -> None:
    job = Job(
        url="http://host/ü.mp3",
        start_frame=44100,
        bounds=MediaBounds(own_server="host:8123"),
        limits=replace(Limits(), pauses_s=(0.5,)),
    )

    ((kind, content),) = frames_of(encode_job(job), 1000)

    assert (kind, decode_job(content)) == (FrameKind.JOB, job)


@pytest.mark.parametrize("step", [1, 7, 70_000, 1 << 20])
def test_long_pcm_and_covers_are_cut_and_come_through(step: int) -> None:
    pcm, picture = bytes(range(256)) * 600, b"picture" * 20_000
    octets = b"".join([*encode_cover(Cover(picture, "image/png")), *encode_pcm(pcm)])

    found = frames_of(octets, step)

    assert all(len(content) <= MAX_CONTENT_BYTES for _, content in found)
    of_kind = {
        kind: b"".join(content for each, content in found if each is kind)
        for kind in (FrameKind.PCM, FrameKind.COVER)
    }
    assert of_kind == {FrameKind.PCM: pcm, FrameKind.COVER: picture}


@pytest.mark.parametrize(
    "octets",
    [
        b"\x00\x01\x00\x00\x00x",
        b"\x05\x01\x00\x00\x00x",
        b"\x03\x01\x00\x01\x00",
        b"\x03\xff\xff\xff\xff",
        b"\x02\x03\x00\x00\x00abc",
    ],
)
def test_frames_of_no_kind_or_size_are_refused(octets: bytes) -> None:
    with pytest.raises(LinkError):
        frames_of(octets, 100)


def test_pictures_without_end_are_refused() -> None:
    piece = b"".join(encode_cover(Cover(bytes(MAX_CONTENT_BYTES), "image/png")))
    with pytest.raises(LinkError):
        frames_of(piece * (MAX_PICTURE_BYTES // MAX_CONTENT_BYTES + 1), len(piece))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        b"\xff",
        b'["Ended"]',
        b'["Ended",{"x":1}]',
        b'["Opened",{}]',
        b'["Found",{}]',
        b'["Failure",{"code":1,"reason":"x"}]',
        b'["Retitled",{"tags":{"title":7}}]',
        b"[" * 30_000,
    ],
)
def test_what_is_no_event_is_refused(content: bytes) -> None:
    with pytest.raises(LinkError):
        decode_event(content)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"url":7}', b"{", b"{}"])
def test_what_is_no_job_is_refused(content: bytes) -> None:
    with pytest.raises(LinkError):
        decode_job(content)


def test_an_address_longer_than_a_frame_is_refused() -> None:
    with pytest.raises(LinkError):
        encode_job(Job(url="http://host/" + "a" * MAX_CONTENT_BYTES))
