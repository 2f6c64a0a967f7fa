"""Pictures of strangers: four kinds, of bounded size, fetched by nobody but us."""

from base64 import b64decode
from collections.abc import Iterator
import gzip
from io import BytesIO
import logging
from pathlib import Path
import random
import subprocess
import sys
import zlib

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.airplay.player.artwork import Picture, async_scale_picture
from homeassistant.core import HomeAssistant
from tests.ha.media_server import picture, tagged_mp3
from tests.ha.players import call, play, state_of
from tests.ha.watch import Watch, logged
from tests.raop.audio.web_server import Exchange, WebServer, redirect, status, whole
from tests.virtual_receiver import VirtualReceiver

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
DDS = b"DDS " + (124).to_bytes(4, "little") + bytes(120)
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100)
# WEBP needs most: two canvases, their bytes, and the picture.
MOST_MB = 72

# Prints how many megabytes scaling a picture takes at most.
MEASURE = """
import re, sys
from custom_components.airplay.player import artwork

def peak_mb():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1]) // 1024

content = open(sys.argv[1], "rb").read()
small = open(sys.argv[2], "rb").read()
assert artwork._scale(small)
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before = peak_mb()
assert artwork._scale(content)
print(peak_mb() - before)
"""


@pytest.fixture
def web(socket_enabled: None) -> Iterator[WebServer]:
    """Return a server in the network."""
    server = WebServer()
    yield server
    server.close()


def flat(
    width: int, height: int, kind: str, mode: str = "RGB", **options: object
) -> bytes:
    """Return a picture of few bytes."""
    written = BytesIO()
    Image.new(mode, (width, height)).save(written, kind, **options)
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (SVG, "image/svg+xml"),
        (SVG, "image/png"),
        (PAGE, "text/html"),
        (PAGE, "image/jpeg"),
        (EPS, "application/postscript"),
        (DDS, "image/vnd-ms.dds"),
        (JP2, "image/jp2"),
        (flat(9, 9, "BMP"), "image/bmp"),
        (b"", "image/png"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:4].hex(),
)
async def test_nothing_but_pictures_comes_from_our_address(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    hass_client: ClientSessionGenerator,
    web: WebServer,
    caplog: pytest.LogCaptureFixture,
    content: bytes,
    kind: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    thumb = web.serve("/cover?api_key=hidden", whole(content, kind))

    await play(hass, player, song, extra={"thumb": thumb})
    await logged(caplog, "Could not decode a picture")
    client = await hass_client()
    served = await client.get(state_of(hass, player).attributes["entity_picture"])

    assert served.status == 404
    assert await served.read() == b""
    assert not kitchen.song.artwork
    assert "hidden" not in caplog.text
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/gif"),
        ("WEBP", "image/webp"),
    ],
)
async def test_pictures_are_fetched_once_and_served_as_what_they_are(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    hass_client: ClientSessionGenerator,
    web: WebServer,
    kind: str,
    content_type: str,
) -> None:
    content = flat(90, 60, kind)
    thumb = web.serve("/cover", whole(content, "text/html"))

    await play(hass, player, song, extra={"thumb": thumb})
    await kitchen.wait_until(lambda: bool(kitchen.song.artwork))
    client = await hass_client()
    served = await client.get(state_of(hass, player).attributes["entity_picture"])

    assert served.content_type == content_type
    assert await served.read() == content
    assert Image.open(BytesIO(kitchen.song.artwork)).size == (90, 60)
    assert len(web.requests) == 1
    await call(hass, player, "media_stop")


def compressed(content: bytes, encoding: str) -> object:
    """Answer in an encoding for which nobody asked."""

    def serve(exchange: Exchange) -> None:
        length = f"Content-Length: {len(content)}"
        exchange.answer("200 OK", f"Content-Encoding: {encoding}", length, body=content)

    return serve


@pytest.mark.parametrize(
    ("encoding", "content", "message"),
    [
        ("gzip", gzip.compress(bytes(300_000_000), 1), "too large to fetch"),
        ("deflate", zlib.compress(bytes(300_000_000), 1), "too large to fetch"),
        ("gzip", b"no", "Could not fetch a picture: ClientPayloadError"),
        ("br", b"no", "Could not fetch a picture: ClientPayloadError"),
    ],
    ids=["gzip", "deflate", "damaged", "unknown"],
)
async def test_a_compressed_answer_stays_small(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    web: WebServer,
    caplog: pytest.LogCaptureFixture,
    encoding: str,
    content: bytes,
    message: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    thumb = web.serve("/cover", compressed(content, encoding))  # type: ignore[arg-type]

    await play(hass, player, song, extra={"thumb": thumb})
    await logged(caplog, message)

    assert not kitchen.song.artwork
    await call(hass, player, "media_stop")


async def test_a_compressed_picture_is_shown(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    web: WebServer,
) -> None:
    content = gzip.compress(picture(60, 40))

    await play(
        hass,
        player,
        song,
        extra={"thumb": web.serve("/cover", compressed(content, "gzip"))},  # type: ignore[arg-type]
    )

    await kitchen.wait_until(lambda: bool(kitchen.song.artwork))
    await call(hass, player, "media_stop")


@pytest.mark.parametrize(
    "behaviour", [status("404 Not Found"), redirect("http://10.1.1.1/")]
)
async def test_a_picture_that_cannot_be_had_is_none(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    hass_client: ClientSessionGenerator,
    web: WebServer,
    caplog: pytest.LogCaptureFixture,
    behaviour: object,
) -> None:
    caplog.set_level(logging.DEBUG)
    thumb = web.serve("/cover", behaviour)  # type: ignore[arg-type]

    await play(hass, player, song, extra={"thumb": thumb})
    await logged(caplog, "Could not fetch a picture")
    client = await hass_client()
    served = await client.get(state_of(hass, player).attributes["entity_picture"])

    assert served.status == 404
    assert not kitchen.song.artwork
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
async def test_a_picture_of_home_assistant_is_fetched_without_a_signature(
    hass: HomeAssistant, player: str, song: str, web: WebServer
) -> None:
    hass.config.internal_url = f"http://127.0.0.1:{web.port}"
    web.serve("/api/camera_proxy/camera.door", status("401 Unauthorized"))

    await play(hass, player, song, extra={"thumb": "/api/camera_proxy/camera.door"})
    await hass.async_add_executor_job(web.wait_for_requests, 1)

    assert web.paths()[0] == "/api/camera_proxy/camera.door"
    await call(hass, player, "media_stop")


@pytest.mark.usefixtures("kitchen")
async def test_a_cover_of_another_kind_is_not_shown(
    hass: HomeAssistant, player: str, song: str, tmp_path: Path
) -> None:
    (tmp_path / "media" / "tagged.mp3").write_bytes(tagged_mp3(flat(60, 60, "BMP")))
    watch = Watch(hass, player)

    await play(hass, player, song.replace("song.wav", "tagged.mp3"))
    titled = await watch.until(
        lambda now: now.attributes.get("media_title") == "Morning"
    )

    assert "entity_picture" not in titled.attributes
    await call(hass, player, "media_stop")


async def scaled(hass: HomeAssistant, content: bytes) -> Image.Image | None:
    """Return the picture as receivers get it."""
    encoded = await async_scale_picture(hass, Picture(content, "image/png"))
    if not encoded:
        return None
    return Image.open(BytesIO(b64decode(encoded)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_four_megapixels_are_the_most(hass: HomeAssistant, kind: str) -> None:
    shown = await scaled(hass, flat(2000, 2000, kind))

    assert shown is not None
    assert shown.size == (600, 600)
    assert await scaled(hass, flat(2000, 2001, kind)) is None


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
async def test_pictures_of_any_mode_are_scaled(hass: HomeAssistant, mode: str) -> None:
    shown = await scaled(hass, flat(800, 400, "PNG", mode))

    assert shown is not None
    assert (shown.mode, shown.size) == ("RGB", (600, 300))


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [
        (1, (0, 0)),
        (2, (1, 0)),
        (3, (1, 1)),
        (4, (0, 1)),
        (5, (0, 0)),
        (6, (1, 0)),
        (7, (1, 1)),
        (8, (0, 1)),
        (9, (0, 0)),
    ],
)
async def test_pictures_are_turned_upright(
    hass: HomeAssistant, orientation: int, corner: tuple[int, int]
) -> None:
    original = Image.new("RGB", (80, 40))
    original.paste((255, 255, 255), (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    written = BytesIO()
    original.save(written, "JPEG", exif=exif, quality=95)

    shown = await scaled(hass, written.getvalue())

    assert shown is not None
    assert shown.size == ((40, 80) if 5 <= orientation <= 8 else (80, 40))
    places = [5, shown.width - 6], [5, shown.height - 6]
    bright = [
        (x, y)
        for x in (0, 1)
        for y in (0, 1)
        if shown.convert("L").getpixel((places[0][x], places[1][y])) > 128  # type: ignore[operator]
    ]
    assert bright == [corner]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_damaged_pictures_are_none_or_a_picture(
    hass: HomeAssistant, kind: str
) -> None:
    chance = random.Random(7)
    exif = Image.Exif()
    exif[0x0112] = 6
    original = bytearray(flat(64, 48, kind, exif=exif))

    for _ in range(150):
        damaged = bytearray(original)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        await scaled(hass, bytes(damaged[: chance.randint(1, len(damaged))]))


@pytest.mark.parametrize(
    "content",
    [
        flat(2000, 2000, "PNG"),
        flat(2000, 2000, "PNG", "RGBA"),
        flat(2000, 2000, "PNG", "P"),
        flat(2000, 2000, "GIF", "P"),
        flat(2000, 2000, "WEBP", lossless=True),
        flat(2000, 2000, "JPEG"),
        flat(2000, 2000, "JPEG", progressive=True, subsampling=0),
    ],
    ids=["PNG", "RGBA", "palette", "GIF", "WEBP", "JPEG", "progressive"],
)
def test_scaling_takes_little_memory(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "large").write_bytes(content)
    (tmp_path / "small").write_bytes(flat(9, 9, "PNG"))
    arguments = [str(tmp_path / "large"), str(tmp_path / "small")]

    grown = subprocess.run(
        [sys.executable, "-c", MEASURE, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )

    assert int(grown.stdout) <= MOST_MB
