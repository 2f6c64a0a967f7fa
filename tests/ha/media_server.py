"""Media and the servers that hand it out, for the tests of the Home Assistant side."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from io import BytesIO
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import av
from mutagen.id3 import APIC, ID3, TALB, TIT2, TPE1
import numpy as np
from PIL import Image

from .sound import RATE, tone

META_BYTES = 8000


@cache
def mp3(seconds: float) -> bytes:
    """Return a tone as MP3."""
    samples = np.frombuffer(tone(seconds), dtype=np.int16).reshape(1, -1)
    target = BytesIO()
    with av.open(target, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=RATE)
        stream.layout = "stereo"
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate = RATE
        resampler = av.AudioResampler("s16p", "stereo", RATE, frame_size=1152)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return target.getvalue()


@cache
def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    """Return a picture with something in it."""
    image = Image.effect_noise((width, height), 80).convert("RGB")
    written = BytesIO()
    image.save(written, kind)
    return written.getvalue()


@cache
def vast_picture() -> bytes:
    """Return a few bytes that are a picture of 36 million pixels."""
    written = BytesIO()
    Image.new("1", (6000, 6000)).save(written, "PNG")
    return written.getvalue()


def tagged_mp3(cover: bytes) -> bytes:
    """Return an MP3 with metadata and a cover."""
    tags: Any = ID3()  # type: ignore[no-untyped-call]
    for frame, details in (
        (TIT2, {"text": "Morning"}),
        (TPE1, {"text": "Grieg"}),
        (TALB, {"text": "Peer Gynt"}),
        (APIC, {"mime": "image/jpeg", "type": 3, "desc": "", "data": cover}),
    ):
        tags.add(frame(encoding=3, **details))
    written = BytesIO(mp3(4))
    tags.save(written)
    return written.getvalue()


async def radio(request: web.Request) -> web.StreamResponse:
    """Play endlessly, and change the title after two seconds of sound.

    The query may contain another name of the station, and two other titles.
    """
    name = request.query.get("name", "Radio Test")
    titles = request.query.getall("title", ["First Song", "Second Song"])
    headers = {"Content-Type": "audio/mpeg", "icy-metaint": str(META_BYTES)}
    response = web.StreamResponse(
        headers=headers | ({"icy-name": name} if name else {})
    )
    await response.prepare(request)
    sound, sent = mp3(20), 0
    try:
        while True:
            at = sent % (len(sound) - META_BYTES)
            title = titles[sent >= 32000]
            words = f"StreamTitle='{title}';".encode()
            blocks = -(-len(words) // 16)
            await response.write(
                sound[at : at + META_BYTES]
                + bytes([blocks])
                + words.ljust(blocks * 16, b"\0")
            )
            sent += META_BYTES
    except ConnectionError:
        return response


def _answer(body: bytes, content_type: str, status: int = 200) -> object:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, status=status)

    return handler


@asynccontextmanager
async def media_server() -> AsyncIterator[TestServer]:
    """Serve good and bad media."""
    app = web.Application()
    app.router.add_get("/radio", radio)
    for path, body, kind, status in (
        ("/song.mp3", mp3(4), "audio/mpeg", 200),
        ("/page.mp3", b"<html><body>Log in</body></html>", "text/html", 200),
        ("/empty.mp3", b"", "audio/mpeg", 200),
        ("/forbidden.mp3", b"no", "text/plain", 403),
        ("/teapot.mp3", b"no", "text/plain", 418),
        ("/broken.mp3", b"no", "text/plain", 500),
        ("/cover.png", picture(1600, 900), "image/png", 200),
        ("/broken.png", b"no picture", "image/png", 200),
        ("/huge.png", b"\0" * 10_000_001, "image/png", 200),
        ("/vast.png", vast_picture(), "image/png", 200),
    ):
        app.router.add_get(path, _answer(body, kind, status))  # type: ignore[arg-type]
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    try:
        yield server
    finally:
        await server.close()
