"""Long tags are cut before libav reads them; what is shown of them stays."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
import struct
import time

from mutagen.oggopus import OggOpus
import pytest

from custom_components.airplay.raop.audio.events import Opened
from custom_components.airplay.raop.decoder.guard.tag_cut import (
    without_long_tags,
    without_long_tags_live,
)
from custom_components.airplay.raop.decoder.media_errors import UnplayableError
from custom_components.airplay.raop.errors import MediaNotAudioError
from custom_components.airplay.raop.messages import MAX_PICTURE_BYTES, Tags
from tests.raop.audio.conftest import Keep, Play
from tests.raop.audio.media import RATE, encode, jpeg, noise
from tests.raop.audio.recorder import Played
from tests.raop.audio.web_server import WebServer, radio, ranged, whole

from .tagged import (
    comments,
    frame,
    id3,
    many_comments,
    many_texts,
    syncsafe,
    text,
    with_blocks,
)

SONG = noise(2 * RATE)
MP3 = encode("mp3", "libmp3lame", SONG)
FLAC = encode("flac", "flac", SONG)
COVER = jpeg(64)
PICTURE = b"\0image/jpeg\0\3\0" + COVER
# As many as made libav work for half a minute.
MANY = 48_000
ENOUGH = 10_000


def flac_picture(data: bytes) -> bytes:
    """Return a picture block of FLAC."""
    head = struct.pack(">II", 3, 10) + b"image/jpeg"
    return head + struct.pack(">IIIIII", 0, 64, 64, 24, 0, len(data)) + data


def tags_of(played: Played) -> Tags:
    """Play it all, and return its tags."""
    assert len(played.all()) >= 2 * RATE * 4
    return played.heard.wait_for(Opened).tags


@pytest.mark.parametrize("version", [3, 4])
def test_a_tag_with_thousands_of_texts_costs_nothing(
    keep: Keep, play: Play, version: int
) -> None:
    frames = many_texts(MANY, version) + text("TIT2", "Song", version)
    song = keep("a.mp3", id3(text("TPE1", "We", version) + frames, version) + MP3)
    begun = time.process_time()

    tags = tags_of(play(song))

    assert time.process_time() - begun < 3
    assert tags == Tags(title="Song", artist="We")


def test_a_frame_of_250_megabytes_is_skipped(tmp_path: Path, play: Play) -> None:
    title = text("TIT2", "Song")
    length = 250_000_000
    with (tmp_path / "a.mp3").open("wb") as file:
        size = syncsafe(len(title) + 10 + length)
        file.write(b"ID3\3\0\0" + size + title)
        file.write(b"APIC" + length.to_bytes(4) + b"\0\0" + PICTURE)
        file.seek(20 + len(title) + length)
        file.write(MP3)

    played = play(str(tmp_path / "a.mp3"))

    assert tags_of(played).title == "Song"
    assert played.heard.wait_for(Opened).cover is None


def test_sound_is_the_same_with_and_without_a_cut(keep: Keep, play: Play) -> None:
    plain = play(keep("plain.mp3", MP3)).all()
    tagged = id3(text("TIT2", "Song") + many_texts(ENOUGH)) + MP3

    whole_song = play(keep("long.mp3", tagged)).all()
    rest = play(keep("long.mp3", tagged), position_ms=1000).all()

    assert whole_song == plain
    assert rest == plain[RATE * 4 :]


@pytest.mark.parametrize(
    "write",
    [
        lambda: id3(text("TIT2", "Song") + many_texts(ENOUGH)),
        lambda: id3(text("TT2", "Song", 2) + many_texts(ENOUGH, 2), 2),
        lambda: id3(text("TIT2", "Song", 4) + many_texts(ENOUGH, 4), 4),
        # An extended header; those of v2.3 do not count their own size.
        lambda: id3(
            b"\0\0\0\6" + bytes(6) + text("TIT2", "Song") + bytes(70000), 3, 0x40
        ),
        lambda: id3(b"\0\0\0\6\1\0" + text("TIT2", "Song", 4) + bytes(70000), 4, 0x40),
        # iTunes' sizes in v2.4, which are not in seven bits.
        lambda: id3(
            frame("TXXX", b"\0a\0" + b"v" * 250)
            + text("TIT2", "Song", 4)
            + many_texts(ENOUGH, 4),
            4,
        ),
        # A footer behind the tag.
        lambda: (
            (tag := id3(text("TIT2", "Song", 4) + many_texts(ENOUGH, 4), 4, 0x10))
            + b"3DI"
            + tag[3:10]
        ),
        lambda: id3(many_texts(ENOUGH)) + id3(text("TIT2", "Song")),
    ],
    ids=["v2.3", "v2.2", "v2.4", "extended", "extended 4", "iTunes", "footer", "two"],
)
def test_the_title_of_a_long_tag_is_kept(
    keep: Keep, play: Play, write: Callable[[], bytes]
) -> None:
    assert tags_of(play(keep("a.mp3", write() + MP3))).title == "Song"


def test_the_first_cover_of_a_long_tag_is_kept(keep: Keep, play: Play) -> None:
    other = frame("APIC", b"\0image/jpeg\0\3\0" + bytes(1_000_000))
    tag = id3(frame("APIC", PICTURE) + other + many_texts(ENOUGH))

    played = play(keep("a.mp3", tag + MP3))

    assert tags_of(played) == Tags()
    cover = played.heard.wait_for(Opened).cover
    assert cover is not None
    assert cover.data == COVER


def test_long_tags_on_the_web_are_cut(web: WebServer, play: Play) -> None:
    tagged = id3(text("TIT2", "Song") + many_texts(ENOUGH)) + MP3

    assert tags_of(play(web.serve("/ranged.mp3", ranged(tagged)))).title == "Song"
    assert tags_of(play(web.serve("/whole.mp3", whole(tagged)))).title == "Song"


def test_long_tags_of_a_radio_are_cut(web: WebServer, play: Play) -> None:
    tag = id3(text("TIT2", "Song") + frame("PRIV", bytes(5_000_000)))
    played = play(web.serve("/live", radio(tag + MP3, 60)), ahead_frames=60 * RATE)

    assert played.heard.wait_for(Opened).tags.title == "Song"
    played.close()


def test_more_tags_than_a_song_has_are_refused(keep: Keep, play: Play) -> None:
    error = play(keep("a.mp3", id3(b"") * 9 + MP3)).failure().error

    assert type(error) is MediaNotAudioError
    assert "its tags" in str(error)


def test_long_comments_of_flac_are_cut(keep: Keep, play: Play) -> None:
    entries = [*many_comments(60_000), "TITLE=Song", "album artist=We"]
    song = keep("a.flac", with_blocks(FLAC, [(4, comments(["ARTIST=I", *entries]))]))
    begun = time.process_time()

    tags = tags_of(play(song))

    assert time.process_time() - begun < 3
    assert tags == Tags(title="Song", artist="I", album_artist="We")


def test_blocks_of_flac_that_nobody_needs_are_skipped(keep: Keep, play: Play) -> None:
    full = bytes((1 << 24) - 1)
    blocks = [
        (1, full),
        (6, flac_picture(COVER)),
        (6, flac_picture(full[:2_000_000])),
        (2, full),
        (4, comments(["TITLE=Song"])),
        (5, full[:1000]),
    ]

    played = play(keep("a.flac", with_blocks(FLAC, blocks)))

    assert tags_of(played).title == "Song"
    cover = played.heard.wait_for(Opened).cover
    assert cover is not None
    assert cover.data == COVER


def test_a_picture_of_flac_that_is_too_long_is_skipped(keep: Keep, play: Play) -> None:
    picture = flac_picture(bytes(MAX_PICTURE_BYTES + 100_000))
    blocks = [(6, picture), (4, comments(["TITLE=Song"]))]

    played = play(keep("a.flac", with_blocks(FLAC, blocks)))

    assert tags_of(played).title == "Song"
    assert played.heard.wait_for(Opened).cover is None


def test_blocks_without_end_are_refused(keep: Keep, play: Play) -> None:
    error = play(keep("a.flac", with_blocks(FLAC, [(1, b"")] * 5000))).failure().error

    assert type(error) is MediaNotAudioError


def test_comments_of_ogg_are_counted(keep: Keep, play: Play) -> None:
    opus = encode("ogg", "libopus", noise(48000), rate=48000)

    def tagged(count: int) -> bytes:
        file = BytesIO(opus)
        tags = OggOpus(file)  # type: ignore[no-untyped-call]
        tags["TITLE"] = "Song"
        for number in range(count):
            tags[f"K{number:06}"] = "v"
        file.seek(0)
        tags.save(file)
        return file.getvalue()

    few, many = (play(keep(f"{count}.opus", tagged(count))) for count in (900, 2000))

    assert len(few.all()) == RATE * 4
    assert few.heard.wait_for(Opened).tags.title == "Song"
    assert type(many.failure().error) is MediaNotAudioError


@pytest.mark.parametrize(
    "broken",
    [
        b"ID3",
        b"ID3\3\0\0\0\0",
        b"ID3\3\0\0\0\x7f\x7f\x7fTIT2",
        id3(b"TIT2" + b"\xff" * 4 + bytes(70000)),
        id3(bytes(70000), 4, 0x40),
        b"fLaC",
        b"fLaC\0\0\0\x22abc",
        b"fLaC\4\0\0\4\xff\xff\xff\xff",
        b"fLaC\x84\xff\xff\xff" + b"\xff" * 70000,
        b"OggS",
        b"OggS" + bytes(22) + b"\1\x10OpusTags" + bytes(8),
        b"OggS" + bytes(22) + b"\0" + b"OggS" + bytes(23),
        b"",
    ],
)
def test_broken_tags_are_read_to_their_end(broken: bytes) -> None:
    cut = without_long_tags(BytesIO(broken))
    live = without_long_tags_live(BytesIO(broken))

    content = cut.read(1 << 20)
    assert content == live.read(1 << 20)
    assert (cut.read(10), live.read(10)) == (b"", b"")


def test_ogg_whose_comments_cannot_be_counted_is_refused() -> None:
    page = b"OggS" + bytes(22) + b"\1\x0dOpusTags\xff\xff\xff\xff\xff"

    with pytest.raises(UnplayableError, match="its tags"):
        without_long_tags(BytesIO(page))


def test_a_cut_file_has_positions_of_its_own() -> None:
    tag = id3(text("TIT2", "Song") + many_texts(ENOUGH))
    cut = without_long_tags(BytesIO(tag + b"0123456789"))
    kept = id3(text("TIT2", "Song"))

    assert cut.seek(0, 2) == len(kept) + 10
    assert cut.seek(-3, 1) == len(kept) + 7 == cut.tell()
    assert cut.read(5) == b"789"
    assert cut.seek(0) == 0
    assert cut.read(len(kept)) == kept
    assert cut.read(10) + cut.read(10) == b"0123456789"
    assert cut.seek(-100, 1) == 0
    assert cut.seek(len(kept) + 4) == len(kept) + 4
    assert cut.read(2) == b"45"
