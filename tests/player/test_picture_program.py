"""The program that scales pictures: what it shows, and what ends it."""

from io import BytesIO, StringIO
import os
import random
import resource
import signal
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import Mock

from PIL import Image
import pytest

from custom_components.airplay.player import picture_program
from custom_components.airplay.player.picture_program import PictureError, scale
from tests.ha.media_server import picture
from tests.ha.pictures import HOSTILE, LARGEST, flat


def run(content: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the program."""
    command = [sys.executable, "-P", picture_program.__file__]
    return subprocess.run(command, input=content, capture_output=True, check=False)


@pytest.mark.parametrize("content", LARGEST.values(), ids=LARGEST)
def test_the_largest_pictures_are_scaled_within_the_limits(content: bytes) -> None:
    done = run(content)

    assert (done.returncode, done.stderr) == (0, b"")
    assert Image.open(BytesIO(done.stdout)).size == (600, 600)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tags in JPEG", b"it needs too much memory"),
        ("tags in PNG", b"it needs too much memory"),
        ("comment in GIF", b""),
        ("scans in JPEG", b""),
    ],
)
def test_what_takes_too_much_is_ended(name: str, reason: bytes) -> None:
    done = run(HOSTILE[name])

    assert (done.stdout, done.stderr) == (b"", reason)
    ends = {signal.SIGXCPU, signal.SIGKILL}
    assert done.returncode == 1 if reason else -done.returncode in ends


def test_a_picture_of_too_many_pixels_is_none() -> None:
    done = run(flat(2000, 2001, "PNG"))

    assert (done.returncode, done.stderr) == (1, b"it has too many pixels")


def test_nothing_but_the_pixels_is_passed_on() -> None:
    commented = flat(9, 9, "JPEG", comment=b"of a stranger" * 10)

    assert b"stranger" in commented
    assert b"stranger" not in scale(commented)


def test_a_picture_without_detail_loss_is_made_small_enough() -> None:
    noise = BytesIO()
    Image.effect_noise((600, 600), 200).convert("RGB").save(noise, "PNG")

    assert 50_000 < len(scale(noise.getvalue())) < 100_000


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_damaged_pictures_are_none_or_a_picture(kind: str) -> None:
    chance = random.Random(7)
    exif = Image.Exif()
    exif[0x0112] = 6
    original = bytearray(flat(64, 48, kind, exif=exif))
    outcomes = set()

    for _ in range(150):
        damaged = bytearray(original)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            shown = Image.open(
                BytesIO(scale(bytes(damaged[: chance.randint(1, len(damaged))])))
            )
            outcomes.add(shown.format)
        except PictureError as err:
            outcomes.add(str(err))

    assert "it is damaged" in outcomes
    assert outcomes <= {"JPEG", "it is damaged", "it has too many pixels"}


class Streams:
    """The standard streams of the program."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
        self.out, self.err = BytesIO(), StringIO()
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(content)))
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=self.out))
        monkeypatch.setattr(sys, "stderr", self.err)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """Return the limits that the program sets, which would hold for the tests too."""
    found: dict[int, int] = {}

    def keep(kind: int, pair: tuple[int, int]) -> None:
        found[kind] = pair[1]

    monkeypatch.setattr(resource, "setrlimit", keep)
    monkeypatch.setattr(os, "nice", lambda _: None)
    return found


def test_the_program_writes_a_picture_within_its_limits(
    monkeypatch: pytest.MonkeyPatch, limits: dict[int, int]
) -> None:
    streams = Streams(monkeypatch, picture(1600, 900))

    assert picture_program.main() == 0

    with Image.open(BytesIO(streams.out.getvalue())) as shown:
        assert (shown.format, shown.width) == ("JPEG", 600)
    assert 0 < limits[resource.RLIMIT_AS] <= 256 << 20
    assert 0 < limits[resource.RLIMIT_CPU] <= 5
    assert limits[resource.RLIMIT_FSIZE] == limits[resource.RLIMIT_CORE] == 0


@pytest.mark.parametrize(
    ("content", "problem", "reason"),
    [(b"no picture", None, "damaged"), (b"", MemoryError(), "too much memory")],
)
def test_the_program_says_why_there_is_no_picture(
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[int, int],
    content: bytes,
    problem: Exception | None,
    reason: str,
) -> None:
    streams = Streams(monkeypatch, content)
    if problem:
        monkeypatch.setattr(picture_program, "scale", Mock(side_effect=problem))

    assert picture_program.main() == 1

    assert reason in streams.err.getvalue()
    assert not streams.out.getvalue()
    assert limits
