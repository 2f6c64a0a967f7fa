"""A source as the event loop sees it, its source played by hand."""

import asyncio
import base64

import pytest

from custom_components.airplay.raop.audio.decoder_pool import DecoderPool
from custom_components.airplay.raop.audio.events import (
    Buffered,
    Cover,
    Ended,
    Failed,
    Opened,
    Retitled,
    SourceEvent,
)
from custom_components.airplay.raop.engine.stream.item import MediaItem, over
from custom_components.airplay.raop.errors import MediaError, MediaNotFoundError
from custom_components.airplay.raop.messages import (
    CoverFound,
    Event,
    Media,
    MediaChanged,
    Tags,
)


class Bench:
    """A playback whose source emits the events of a test."""

    def __init__(self, media: Media, *, delay_s: float = 0) -> None:
        self.told: list[Event] = []
        self.decoders = DecoderPool()
        self.playback = MediaItem(
            "kitchen",
            media,
            self.decoders,
            delay_s=delay_s,
            ahead_ms=1000,
            emit=self.told.append,
        )

    async def say(self, *events: SourceEvent) -> None:
        """Emit an event on the source's thread and wait for its arrival."""

        def speak() -> None:
            for event in events:
                self.playback._on_source_event(event)

        await asyncio.to_thread(speak)
        await asyncio.sleep(0)


OPENED = Opened(
    duration_ms=5000, is_live=False, can_seek=True, tags=Tags(title="File", artist="A")
)
RADIO = Opened(
    duration_ms=None, is_live=True, can_seek=False, tags=Tags(), station="Radio 1"
)
MEDIA = Media(url="/none", name="song", tags=Tags(title="Caller"))


async def test_metadata_of_the_caller_overrides_that_of_the_file() -> None:
    bench = Bench(MEDIA)
    await bench.say(OPENED, Buffered())

    assert bench.told == []
    bench.playback.publish()

    (told,) = bench.told
    assert isinstance(told, MediaChanged)
    assert told.tags == Tags(title="Caller", artist="A")
    assert told.duration_ms == 5000
    bench.playback.close()


async def test_title_of_a_radio_overrides_that_of_the_caller() -> None:
    bench = Bench(MEDIA)
    await bench.say(RADIO, Buffered())
    bench.playback.publish()
    retitled = asyncio.Event()
    bench.playback.on_retitled = retitled.set

    await bench.say(Retitled(Tags(title="Now")))
    async with asyncio.timeout(10):
        await retitled.wait()

    last = bench.told[-1]
    assert isinstance(last, MediaChanged)
    assert (last.tags.title, last.is_live, last.station) == ("Now", True, "Radio 1")
    bench.playback.close()


async def test_a_title_of_replaced_media_is_not_reported() -> None:
    bench = Bench(MEDIA, delay_s=0.5)
    await bench.say(RADIO, Buffered())
    bench.playback.publish()
    await bench.say(Retitled(Tags(title="Now")))
    bench.playback.close()
    await asyncio.sleep(0.6)

    assert len(bench.told) == 1


async def test_an_embedded_picture_is_reported() -> None:
    bench = Bench(MEDIA)
    cover = Cover(b"\x89PNG", "image/png")
    opened = Opened(
        duration_ms=1, is_live=False, can_seek=True, tags=Tags(), cover=cover
    )
    await bench.say(opened, Buffered())

    bench.playback.publish()

    (found,) = [each for each in bench.told if isinstance(each, CoverFound)]
    assert base64.b64decode(found.picture) == b"\x89PNG"
    assert found.content_type == "image/png"
    bench.playback.close()


async def test_media_that_fails_before_it_can_start_is_raised() -> None:
    bench = Bench(MEDIA)
    waiting = asyncio.create_task(bench.playback.buffer())
    with pytest.raises(MediaError):
        await waiting

    assert isinstance(bench.playback.error, MediaNotFoundError)
    bench.playback.close()
    await bench.decoders.close()


async def test_media_that_fails_later_keeps_its_error_for_the_end() -> None:
    bench = Bench(MEDIA)
    error = MediaError("broken")
    await bench.say(OPENED, Buffered(), Failed(error), Ended())

    assert bench.playback.error is error
    bench.playback.close()


def test_tags_are_completed_by_other_tags() -> None:
    first, second = Tags(title="A", track=1), Tags(title="B", album="C")

    assert over(first, second) == Tags(title="A", album="C", track=1)
