"""The kinds of media, recognized by their bytes."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.decoder.playlists import entries_of
from custom_components.airplay.raop.decoder.sniff import Kind, kind_of


@pytest.mark.parametrize(
    ("head", "content_type", "kind"),
    [
        (b"", "audio/mpeg", Kind.EMPTY),
        (b"ID3\x04", "text/html", Kind.MEDIA),
        (b"Please log in", "text/html", Kind.PAGE),
        (b"ID3\x04", "", Kind.MEDIA),
        (b"RIFF....WAVE", "application/octet-stream", Kind.MEDIA),
        (b"<!DOCTYPE html><html>", "audio/mpeg", Kind.PAGE),
        (b"\xef\xbb\xbf\n <HTML>", "", Kind.PAGE),
        (b"<?xml version='1.0'?><error/>", "", Kind.PAGE),
        (b'{"error": 1}', "", Kind.PAGE),
        (b"[{}]", "", Kind.PAGE),
        (b"not found", "application/json; charset=utf-8", Kind.PAGE),
        (b"\x89PNG\r\n\x1a\n", "", Kind.PICTURE),
        (b"??", "image/webp", Kind.PICTURE),
        (b"#EXTM3U\n#EXT-X-VERSION:3", "audio/mpegurl", Kind.SEGMENTS),
        (b"a.mp3", "application/vnd.apple.mpegurl", Kind.PLAYLIST),
        (b"<?xml version='1.0'?>\n<MPD xmlns='x'>", "", Kind.DASH),
        (b"??", "application/dash+xml", Kind.DASH),
        (b"#EXTM3U\n#EXTINF:1,Song\nhttp://a/b", "", Kind.PLAYLIST),
        (b"[playlist]\nFile1=http://a/b", "", Kind.PLAYLIST),
        (b"http://a/b.mp3\r\n", "text/plain", Kind.PLAYLIST),
    ],
)
def test_kinds_of_bytes_are_recognized(
    head: bytes, content_type: str, kind: Kind
) -> None:
    assert kind_of(head, content_type) is kind


@given(head=st.binary(), content_type=st.text())
def test_arbitrary_bytes_are_something(head: bytes, content_type: str) -> None:
    assert isinstance(kind_of(head, content_type), Kind)


def test_an_m3u_lists_its_addresses_without_comments() -> None:
    playlist = b"\xef\xbb\xbf#EXTM3U\r\n#EXTINF:1,A\r\nhttp://a/1\r\n\r\nsub/2.mp3\nhttp://a/1\n"

    assert entries_of(playlist) == ["http://a/1", "sub/2.mp3"]


def test_a_pls_lists_its_files_by_their_numbers() -> None:
    playlist = b"[Playlist]\nNumberOfEntries=2\nfile10=http://a/10\nFile2 = http://a/2 \nTitle2=x\n"

    assert entries_of(playlist) == ["http://a/2", "http://a/10"]


@given(playlist=st.binary())
def test_arbitrary_playlists_never_fail(playlist: bytes) -> None:
    assert all(isinstance(entry, str) for entry in entries_of(playlist))
    entries_of(b"[playlist]\n" + playlist)
