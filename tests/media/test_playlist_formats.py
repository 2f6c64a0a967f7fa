"""Playlists in every format and character set that homes have."""

import gzip

import pytest

from custom_components.airplay.media.playlist import (
    MAX_PLAYLIST_BYTES,
    Entry,
    HlsPlaylistError,
    LocalPlace,
    NotAPlaylistError,
    PlaylistError,
    is_playlist,
    parse_playlist,
)

WEB = "http://radio.example/lists/all"
PLACE = LocalPlace("/media/lists/a.xspf", "/media")
ASX = """<ASX version = "3.0">
<!-- <entry><ref href="http://hidden.example/"/></entry> -->
<Title>All stations</Title>
<ENTRY>
  <Title>Jazz &amp; Blues &#228; &unknown;</Title>
  <AUTHOR>Ann</AUTHOR>
  <REF HREF="mms://old.example/jazz"/>
  <ref href = 'http://jazz.example/live?a=1&b=2' />
</ENTRY>
<entry><title><![CDATA[1 < 2]]></title><ref href=http://plain.example/></entry>
<entryref href="more.asx">
</ASX>
"""
XSPF = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE playlist [ <!ENTITY song "http://entity.example/"> ]>
<playlist version="1" xmlns="http://xspf.org/ns/0/">
  <title>Evening</title>
  <trackList>
    <track>
      <location>http://a.example/one%20song.mp3</location>
      <creator>Nina Simone</creator><title>Feeling - Good</title>
      <album>I Put a Spell on You</album><duration>177000</duration>
    </track>
    <x:track><x:location>two.mp3</x:location><duration>soon</duration></x:track>
    <track><location>&song;</location></track>
    <track><title>No address</title></track>
  </trackList>
</playlist>
"""


def test_asx_has_titles_and_the_first_address_that_plays() -> None:
    assert parse_playlist(ASX.encode(), WEB) == [
        Entry(
            "http://jazz.example/live?a=1&b=2",
            title="Jazz & Blues ä &unknown;",
            artist="Ann",
        ),
        Entry("http://plain.example/", title="1 < 2"),
        Entry("http://radio.example/lists/more.asx"),
    ]


def test_base_of_an_asx_counts() -> None:
    asx = b'<asx><base href="http://b.example/c/"/><ref href="d"><ref href="[/"></asx>'

    assert [each.url for each in parse_playlist(asx, WEB)][:1] == [
        "http://b.example/c/d"
    ]


def test_xspf_has_artists_and_albums() -> None:
    first, *others = parse_playlist(XSPF.encode(), WEB)

    assert first == Entry(
        "http://a.example/one%20song.mp3",
        title="Feeling - Good",
        artist="Nina Simone",
        album="I Put a Spell on You",
        duration_ms=177_000,
    )
    assert others[0] == Entry("http://radio.example/lists/two.mp3")


def test_a_document_type_defines_nothing() -> None:
    urls = [each.url for each in parse_playlist(XSPF.encode(), WEB)]

    assert not [url for url in urls if "entity.example" in url]


@pytest.mark.parametrize("character", ["&#xD800;", "&#1114112;", "&#99999999;"])
def test_what_is_no_character_stays_as_written(character: str) -> None:
    asx = f'<asx><entry><title>{character}</title><ref href="b"/></entry></asx>'

    assert parse_playlist(asx.encode(), WEB)[0].title == character


@pytest.mark.parametrize(
    "markup",
    [
        "<asx><entry><ref href='a'",
        "<asx><!-- <entry><ref href='http://a.example/'/></entry>",
        "<asx><entry><title>Nothing",
        "<asx>" + "<entry>" * 1000,
    ],
)
def test_unfinished_markup_has_no_entries(markup: str) -> None:
    assert not parse_playlist(markup.encode(), WEB)


@pytest.mark.parametrize(
    "other",
    [
        "<?xml version='1.0'?><playlist><song/></playlist>",
        "<html><asx></html>",
        "<!-- never closed",
        "<?a?>" * 20 + "<asx>",
        "<asxx>",
    ],
)
def test_other_markup_is_no_playlist(other: str) -> None:
    with pytest.raises(NotAPlaylistError):
        parse_playlist(other.encode(), f"{WEB}.xspf", "application/xspf+xml")


def test_entries_of_an_xspf_file_are_files_beside_it() -> None:
    def listed(address: str) -> bytes:
        track = f"<track><location>{address}</location></track>"
        return f"<playlist><trackList>{track}</trackList></playlist>".encode()

    [escaped] = parse_playlist(listed("../b%20c/100%.mp3"), PLACE)
    [absolute] = parse_playlist(listed("file:///media/x%23y.mp3"), PLACE)

    assert (escaped.url, escaped.others) == (
        "/media/b%20c/100%.mp3",
        ("/media/b c/100%.mp3",),
    )
    assert (absolute.url, absolute.others) == ("/media/x#y.mp3", ())
    # Escapes do not lead outside.
    [odd] = parse_playlist(listed("../..%2f..%2fetc"), PLACE)
    assert (odd.url, odd.others) == ("/media/..%2f..%2fetc", ())


def test_servers_of_a_reference_are_one_station() -> None:
    reference = (
        b"[Reference]\r\nRef2=http://b.example/\r\nRef1=http://a.example/?x=.asf\r\n"
    )

    assert parse_playlist(reference, f"{WEB}.asx", "video/x-ms-asf") == [
        Entry("http://a.example/?x=.asf", others=("http://b.example/",))
    ]
    assert not parse_playlist(b"[reference]\n", WEB)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("blank", ["", "\r\n \r\n"])
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\r\n#EXTINF:1,Bär\r\nä.mp3\r\n",
        "[playlist]\r\nFile1=ä.mp3\r\nTitle1=Bär\r\nLength1=1\r\n",
        "file1=ä.mp3\r\ntitle1=Bär\r\nLength1=1",
        "#EXTINF:1,Bär\r\nä.mp3",
    ],
)
def test_character_set_and_blank_lines_do_not_matter(
    text: str, blank: str, codec: str
) -> None:
    expected = [Entry("http://a.example/ä.mp3", title="Bär", duration_ms=1000)]
    octets = (blank + text).encode(codec)

    assert parse_playlist(octets, "http://a.example/b") == expected
    assert parse_playlist(gzip.compress(octets), "http://a.example/b") == expected


@pytest.mark.parametrize(
    "text",
    [
        "# Stations\n\n# of mine\nhttp://b.example/c\n",
        "ref1=http://b.example/c",
        "HTTP://b.example/c\n",
    ],
)
def test_lists_need_no_head(text: str) -> None:
    assert [each.url for each in parse_playlist(text.encode(), WEB)] == [
        "http://b.example/c"
    ]


def test_text_with_nothing_in_it_is_no_list() -> None:
    for other in (
        b"http://is.example/ a word",
        b"\x1f\x8bdamaged",
        b"#only a comment\n",
        b"\xff\xfe\0\0a\0",
    ):
        with pytest.raises(NotAPlaylistError):
            parse_playlist(other, WEB)


def test_packed_playlist_is_bounded() -> None:
    packed = gzip.compress(b"#EXTM3U\n" + b"#" * (64 * MAX_PLAYLIST_BYTES))

    with pytest.raises(PlaylistError, match="1 MiB"):
        parse_playlist(packed, WEB)


def test_segments_without_a_head_are_segments() -> None:
    with pytest.raises(HlsPlaylistError):
        parse_playlist("\ufeff\n#EXTM3U\n#EXT-X-VERSION:3\n".encode(), WEB)


def test_audio_with_the_name_of_a_playlist_is_audio() -> None:
    with pytest.raises(NotAPlaylistError):
        parse_playlist(b"ID3\x04\x01\x02\xff\xfb\x90", f"{WEB}.m3u")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("http://a.example/b.asx?c", None),
        ("http://a.example/b.xspf", "application/octet-stream"),
        ("/media/b.wax", None),
        ("/media/b.m3u.gz", None),
        ("http://a.example/b", "application/xspf+xml"),
        ("http://a.example/b", "video/x-ms-wvx"),
    ],
)
def test_formats_are_known_by_name_and_type(
    name: str, content_type: str | None
) -> None:
    assert is_playlist(name, content_type)
