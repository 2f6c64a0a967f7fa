"""DMAP: tags in tags."""

from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire import dmap
from tests.raop.vectors import octets

CODES = st.text(st.characters(codec="ascii"), min_size=4, max_size=4)


def words(metadata: bytes) -> dict[str, bytes]:
    ((code, payload),) = dmap.parse(metadata)
    assert code == "mlit"
    return dict(dmap.parse(payload))


def test_song_artist_and_album_become_the_known_bytes() -> None:
    metadata = dmap.now_playing("Song", "Artist", "Album")

    assert metadata == octets("dmap_now_playing_metadata")


def test_missing_metadata_is_omitted() -> None:
    assert words(dmap.now_playing(None, None, None)) == {"mikd": b"\x02"}


def test_all_known_metadata_is_encoded() -> None:
    metadata = dmap.now_playing(
        "Lied",
        None,
        None,
        album_artist="Chor",
        track=7,
        duration_ms=180_000,
    )

    assert words(metadata) == {
        "mikd": b"\x02",
        "minm": b"Lied",
        "asaa": b"Chor",
        "astn": b"\x00\x07",
        "astm": b"\x00\x02\xbf\x20",
    }


def test_an_empty_title_is_encoded() -> None:
    assert words(dmap.now_playing("", None, None))["minm"] == b""


@pytest.mark.parametrize("track", [0, 0xFFFF])
def test_track_numbers_have_16_bits(track: int) -> None:
    metadata = dmap.now_playing(None, None, None, track=track)

    assert words(metadata)["astn"] == track.to_bytes(2)


@pytest.mark.parametrize("duration_ms", [0, 0xFFFFFFFF])
def test_durations_have_32_bits(duration_ms: int) -> None:
    metadata = dmap.now_playing(None, None, None, duration_ms=duration_ms)

    assert words(metadata)["astm"] == duration_ms.to_bytes(4)


@pytest.mark.parametrize("track", [-1, 0x10000])
def test_a_track_number_that_does_not_fit_is_omitted(track: int) -> None:
    assert "astn" not in words(dmap.now_playing(None, None, None, track=track))


@pytest.mark.parametrize("duration_ms", [-1, 0x100000000])
def test_a_duration_that_does_not_fit_is_omitted(duration_ms: int) -> None:
    metadata = dmap.now_playing(None, None, None, duration_ms=duration_ms)

    assert "astm" not in words(metadata)


def test_texts_are_utf8() -> None:
    assert dmap.text("minm", "Größe") == b"minm\0\0\0\x07Gr\xc3\xb6\xc3\x9fe"


def test_texts_that_utf8_cannot_encode_do_no_harm() -> None:
    assert dmap.text("minm", "a\ud800b") == b"minm\0\0\0\x03a?b"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (dmap.byte("caps", 4), "63617073 00000001 04"),
        (dmap.u16("astn", 258), "6173746e 00000002 0102"),
        (dmap.u32("mstt", 200), "6d737474 00000004 000000c8"),
    ],
)
def test_numbers_have_their_size(item: bytes, expected: str) -> None:
    assert item == bytes.fromhex(expected)


def test_containers_hold_their_items() -> None:
    reply = dmap.container("cmgt", dmap.u32("mstt", 200), dmap.u32("cmvo", 50))

    assert reply == octets("dmap_cmgt_volume")


@pytest.mark.parametrize("code", ["abc", "abcde", "ü123"])
def test_codes_of_other_lengths_are_refused(code: str) -> None:
    with pytest.raises(ValueError, match="code"):
        dmap.tag(code, b"")


@given(st.lists(st.tuples(CODES, st.binary())))
def test_items_come_out_as_they_went_in(items: list[tuple[str, bytes]]) -> None:
    written = b"".join(dmap.tag(code, payload) for code, payload in items)

    assert dmap.parse(written) == items


def test_nothing_has_no_items() -> None:
    assert dmap.parse(b"") == []


def test_as_many_items_as_allowed_are_read() -> None:
    assert len(dmap.parse(dmap.tag("mikd", b"") * dmap.MAX_ITEMS)) == dmap.MAX_ITEMS


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b"mikd\0\0\0", "not a DMAP item"),
        (b"mikd\0\0\0\x02\0", "truncated"),
        (b"mikd\xff\xff\xff\xff", "truncated"),
        (b"mik\xfc\0\0\0\0", "not a DMAP item"),
        (dmap.tag("mikd", b"") * (dmap.MAX_ITEMS + 1), "too many"),
    ],
)
def test_broken_items_are_refused(written: bytes, reason: str) -> None:
    with pytest.raises(ReceiverProtocolError, match=reason):
        dmap.parse(written)


@given(st.binary())
def test_arbitrary_bytes_raise_nothing_but_protocol_errors(written: bytes) -> None:
    with suppress(ReceiverProtocolError):
        dmap.parse(written)
