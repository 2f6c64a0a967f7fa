"""Pictures of strangers: four kinds, of bounded size, fetched by nobody but us."""

from base64 import b64decode
from collections.abc import Iterator
import gzip
from io import BytesIO
import json
import logging
from pathlib import Path
import subprocess
import sys
import zlib

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.airplay.player.artwork import Picture, async_scale_picture
from custom_components.airplay.player.picture_program import MEMORY_BYTES
from homeassistant.core import HomeAssistant
from tests.ha.media_server import picture, tagged_mp3
from tests.ha.pictures import HOSTILE, LARGEST, flat
from tests.ha.players import call, play, state_of
from tests.ha.watch import Watch, logged
from tests.raop.audio.web_server import Exchange, WebServer, redirect, status, whole
from tests.virtual_receiver import VirtualReceiver

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
DDS = b"DDS " + (124).to_bytes(4, "little") + bytes(120)
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100)
LARGE_INSIDE = ("texts in PNG", "tags in JPEG", "tags in PNG")
# Home Assistant holds the file and what comes out; the rest is in another process.
MOST_MB = 16

# Prints how many megabytes Home Assistant's process grew at most while it had pictures
# scaled, and how much the largest of the other processes used.
MEASURE = """
import json, re, resource, sys
from custom_components.airplay.player import artwork

def peak_mb():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1]) // 1024

contents = [open(path, "rb").read() for path in sys.argv[1:]]
assert artwork._scale(contents[0])
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")
before = peak_mb()
are_shown = [bool(artwork._scale(content)) for content in contents]
other_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(json.dumps([peak_mb() - before, other_mb, are_shown]))
"""


@pytest.fixture
def web(socket_enabled: None) -> Iterator[WebServer]:
    """Return a server in the network."""
    server = WebServer()
    yield server
    server.close()


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
    for _ in range(3):
        address = state_of(hass, player).attributes["entity_picture"]
        served = await client.get(address)
        assert served.status == 404

    assert not kitchen.song.artwork
    assert len(web.requests) == 1
    await play(hass, player, song, extra={"thumb": thumb})
    await logged(caplog, "Could not fetch a picture", 2)
    await call(hass, player, "media_stop")


async def test_a_hostile_picture_is_not_shown_and_the_music_goes_on(
    hass: HomeAssistant,
    kitchen: VirtualReceiver,
    player: str,
    song: str,
    song_pcm: bytes,
    web: WebServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    watch = Watch(hass, player)
    thumb = web.serve("/cover", whole(HOSTILE["tags in JPEG"], "image/jpeg"))

    await play(hass, player, song, extra={"thumb": thumb})
    await logged(caplog, "Could not decode a picture: it needs too much memory")
    await watch.until_is("idle")

    assert kitchen.heard(song_pcm).is_complete
    assert not kitchen.song.artwork


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


def test_pictures_take_no_memory_of_home_assistant(tmp_path: Path) -> None:
    contents = LARGEST | {name: HOSTILE[name] for name in LARGE_INSIDE}
    for number, content in enumerate(contents.values()):
        (tmp_path / f"{number:02}").write_bytes(content)

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, sorted(tmp_path.iterdir()))],
        check=True,
        capture_output=True,
        text=True,
    )

    grown_mb, other_mb, are_shown = json.loads(done.stdout)
    assert grown_mb <= MOST_MB
    assert other_mb << 20 <= MEMORY_BYTES
    assert are_shown[: len(LARGEST)] == [True] * len(LARGEST)


async def test_a_process_that_does_not_start_or_end_costs_the_picture_only(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "custom_components.airplay.player.artwork._PROGRAM"
    endless = "import time; time.sleep(60)"
    monkeypatch.setattr("custom_components.airplay.player.artwork._LONGEST_S", 0.2)

    for arguments in (("-c", "raise SystemExit(1)"), ("-c", endless)):
        monkeypatch.setattr(program, arguments)
        assert await scaled(hass, flat(9, 9, "PNG")) is None
    monkeypatch.setattr(sys, "executable", "/no/such/program")
    assert await scaled(hass, flat(9, 9, "PNG")) is None
