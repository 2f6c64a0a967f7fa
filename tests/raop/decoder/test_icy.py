"""Titles between the sound of radios."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.decoder.icy import IcyDemuxer, decode_text

from ..audio.web_server import with_titles


def demux(octets: bytes, interval: int, step: int) -> tuple[bytes, list[str]]:
    demuxer = IcyDemuxer(interval)
    sound = b""
    titles: list[str] = []
    for at in range(0, len(octets), step):
        piece, new = demuxer.feed(octets[at : at + step])
        sound += piece
        titles += new
    return sound, titles


@given(
    sound=st.binary(max_size=400),
    interval=st.integers(1, 50),
    step=st.integers(1, 70),
    titles=st.dictionaries(
        st.integers(0, 20),
        st.text(
            st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
            min_size=1,
        )
        .map(str.strip)
        .filter(bool),
    ),
)
def test_sound_and_titles_come_apart_however_they_arrive(
    sound: bytes, interval: int, step: int, titles: dict[int, str]
) -> None:
    fitting = {
        number: text.encode()
        for number, text in titles.items()
        if number < len(sound) // interval
    }

    demuxed = demux(with_titles(sound, interval, fitting), interval, step)

    assert demuxed[0] == sound
    assert demuxed[1] == [fitting[number].decode() for number in sorted(fitting)]


@given(octets=st.binary(), interval=st.integers(1, 1000))
def test_arbitrary_bytes_never_fail_and_never_grow(
    octets: bytes, interval: int
) -> None:
    sound, _ = demux(octets, interval, 7)

    assert len(sound) <= len(octets)


@pytest.mark.parametrize(
    ("block", "title"),
    [
        (b"StreamTitle='Abba - SOS';StreamUrl='http://x';", ["Abba - SOS"]),
        (b"StreamTitle='It's; so 'quoted'';", ["It's; so 'quoted'"]),
        (b"StreamTitle='Rock 'n' Roll", ["Rock 'n"]),
        (b"StreamTitle='No end'", ["No end"]),
        (b"StreamTitle='';", [""]),
        (b"StreamTitle='", []),
        (b"StreamUrl='http://x';", []),
        ("StreamTitle='Müller';".encode(), ["Müller"]),
        ("StreamTitle='Müller';".encode("latin-1"), ["Müller"]),
    ],
)
def test_titles_are_read_as_stations_write_them(block: bytes, title: list[str]) -> None:
    units = -(-len(block) // 16)

    _, titles = IcyDemuxer(2).feed(
        b"ab" + bytes([units]) + block.ljust(units * 16, b"\0")
    )

    assert titles == title


def test_bytes_that_are_no_text_are_read_somehow() -> None:
    assert decode_text(b"\xff\x81") == "ÿ�"
