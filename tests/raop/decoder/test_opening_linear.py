"""Parsers of what strangers write: four times the length costs about four times the time.

CPU time is counted, the least of several runs. Linear work has a ratio of four, quadratic
work one of sixteen.
"""

from collections.abc import Callable, Iterator
from io import BytesIO
import time

import pytest

from custom_components.airplay.media.playlist import (
    LocalPlace,
    PlaylistError,
    parse_playlist,
)
from custom_components.airplay.raop.decoder.decoder import _strings
from custom_components.airplay.raop.decoder.guard.segments import _absolute
from custom_components.airplay.raop.decoder.guard.tag_cut import without_long_tags
from custom_components.airplay.raop.decoder.icy import IcyDemuxer
from custom_components.airplay.raop.decoder.media_errors import UnplayableError
from custom_components.airplay.raop.decoder.playlists import entries_of
from custom_components.airplay.raop.decoder.sniff import kind_of
from custom_components.airplay.raop.decoder.tags import tags_from, tags_from_title

from .guard.tagged import comments, id3, many_comments, many_texts, with_blocks

LONG = 1 << 20
RUNS = 5
# Below this, a run says more about the machine than about the parser.
SHORT_S = 0.002
MOST = 8.0
SLOW_S = 1.5

type Parse = Callable[[bytes], object]


def icy(octets: bytes) -> None:
    """Read a radio that sends a block of metadata after each byte."""
    IcyDemuxer(1).feed(octets)


def tags(octets: bytes) -> None:
    """Read tags: one with this text, as many keys, and a radio's title."""
    text = octets.decode("latin-1")
    keys = {text[at : at + 64] + str(at): "x" for at in range(0, len(text), 64)}
    tags_from({"title": text}, keys)
    tags_from_title(text)


def home_assistant(octets: bytes) -> None:
    """Read a playlist in Home Assistant's process."""
    local = LocalPlace("/media/l.m3u", "/media")
    for base in ("http://a.example/l.m3u", "http://a.example/l.pls", local):
        try:
            parse_playlist(octets[:LONG], base)
        except PlaylistError:
            continue


def embedded(octets: bytes) -> None:
    """Cut the tags of a file that consists of this."""
    try:
        without_long_tags(BytesIO(octets)).read(1)
    except UnplayableError:
        return


def segments(octets: bytes) -> None:
    """Read a playlist of segments that a redirect led to."""
    _absolute(octets, "http://a.example/b/c.m3u8", "http://b.example/")


PARSERS: dict[str, Parse] = {
    "playlist": entries_of,
    "playlist in Home Assistant": home_assistant,
    "kind": kind_of,
    "ICY": icy,
    "tags": tags,
    "updated tags": _strings,
    "embedded tags": embedded,
    "segments": segments,
}
HEADS = [
    b"[playlist]\n",
    b"[playlist]\nfile1=a",
    b"#EXTM3U\n",
    b"#EXTINF:1",
    b"<",
    b"<asx><ref ",
    b"<playlist><trackList><track>",
]
# Those that look at the beginning.
LISTS = {"playlist", "playlist in Home Assistant", "kind"}
UNITS = [
    b"\n",
    b" ",
    b"\t\r",
    b"=",
    b'"',
    b',"',
    b"file1=a \n",
    b"file1=",
    b"#EXTINF:1,a - b\n",
    b'URI="',
    b"http://a \n",
    b"../",
    b"%",
    b"{ ",
    b"<",
    b"<a",
    b'<a "',
    b"<!--",
    b"<![CDATA[",
    b"<entry>",
    b"<ref href='a'>",
    b"<title>a</title>",
    b"href ",
    b"href=",
    b"&#1;",
    b"&",
    b"\0",
    b"\xff",
    b"\xffStreamTitle='a';",
    b"' ; ",
    b" - ",
]


def special(length: int) -> Iterator[bytes]:
    """Yield what only parsers of tags get far into."""
    flac = b"fLaC" + b"\x80\0\0\x22" + bytes(34)
    yield id3(many_texts(length // 20)) + bytes(100)
    yield id3(bytes(10) * (length // 20)) * 3
    yield with_blocks(flac, [(4, comments(many_comments(length // 14)))])
    yield with_blocks(flac, [(1, bytes(length // 200))] * 200)
    yield b"OggS" + bytes(22) + b"\xff" + b"\xff" * length
    yield (b"OggS" + bytes(22) + b"\0") * (length // 27)


def nasty(name: str, length: int) -> Iterator[bytes]:
    """Yield inputs of about this length for a parser, in the same order for each."""
    for head in [b"", *HEADS] if name in LISTS else [b""]:
        for unit in UNITS:
            yield head + unit * ((length - len(head)) // len(unit)) + b"x"
    if name == "embedded tags":
        yield from special(length)


def least_s(parse: Parse, octets: bytes, runs: int) -> float:
    """Return the CPU time of the fastest of several runs."""
    times = []
    for _ in range(runs):
        begun = time.thread_time()
        parse(octets)
        times.append(time.thread_time() - begun)
    return min(times)


@pytest.mark.parametrize("name", PARSERS)
def test_four_times_the_length_costs_about_four_times_the_time(
    name: str,
) -> None:
    parse = PARSERS[name]

    for short, whole in zip(nasty(name, LONG // 4), nasty(name, LONG), strict=True):
        if (long_s := least_s(parse, whole, 1)) < SHORT_S:
            continue
        # Only what looks slow is measured again.
        ratio = long_s / least_s(parse, short, 1)
        if ratio > MOST or long_s > SLOW_S:
            long_s = least_s(parse, whole, RUNS)
            ratio = long_s / least_s(parse, short, RUNS)
        assert ratio < MOST, (whole[:60], ratio)
        assert long_s < SLOW_S, (whole[:60], long_s)
