"""Playlists: their entries, and the metadata of these."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.airplay.media.playlist import (
    MAX_ENTRIES,
    MAX_PLAYLIST_BYTES,
    Entry,
    HlsPlaylistError,
    LocalPlace,
    NotAPlaylistError,
    PlaylistError,
    is_playlist,
    parse_playlist as parse_bytes,
)

WEB = "https://radio.example/lists/all.m3u"
FILE = LocalPlace("/media/music/list.m3u", "/media/music")
SOURCE = LocalPlace(
    "/media/music/list.m3u", "/media", "media-source://media_source/local/"
)

M3U = """#EXTM3U
#PLAYLIST:Evening
#EXTINF:123,Nina Simone - Feeling Good
one.mp3

#EXTINF:-1 tvg-logo="a,b.png",A Station
#EXTVLCOPT:network-caching=1000
http://stream.example/live
plain.mp3
"""
PLS = """[playlist]
NumberOfEntries=2
File10=http://ten.example/
file2 = two.mp3
Title2=Miles Davis - So What
Length2=545
Length10=-1
Version=2
"""


def parse_playlist(
    playlist: str | bytes, origin: str | LocalPlace, content_type: str | None = None
) -> list[Entry]:
    octets = playlist.encode() if isinstance(playlist, str) else playlist
    return parse_bytes(octets, origin, content_type)


def urls(playlist: str | bytes, base_url: str | LocalPlace = WEB) -> list[str]:
    return [entry.url for entry in parse_playlist(playlist, base_url)]


def test_extended_m3u_provides_artist_title_and_duration() -> None:
    assert parse_playlist(M3U, WEB) == [
        Entry(
            "https://radio.example/lists/one.mp3",
            title="Feeling Good",
            artist="Nina Simone",
            duration_ms=123_000,
        ),
        Entry(
            "http://stream.example/live",
            title="A Station",
            picture="https://radio.example/lists/a,b.png",
        ),
        Entry("https://radio.example/lists/plain.mp3"),
    ]


def test_pls_entries_come_in_the_order_of_their_numbers() -> None:
    assert parse_playlist(PLS, "https://radio.example/a.pls") == [
        Entry(
            "https://radio.example/two.mp3",
            title="So What",
            artist="Miles Davis",
            duration_ms=545_000,
        ),
        Entry("http://ten.example/"),
    ]


@pytest.mark.parametrize(
    ("directive", "known"),
    [
        ("#EXTINF:1.5,Song", ("Song", None, 1500)),
        ("#EXTINF:0,Song", ("Song", None, None)),
        ("#EXTINF:,Song", ("Song", None, None)),
        ("#EXTINF:1.2.3,Song", ("Song", None, None)),
        ("#extinf: 7 ,Song", ("Song", None, 7000)),
        ('#EXTINF:7,He said "no", twice', ('He said "no", twice', None, 7000)),
        ('#EXTINF:7 logo="broken,Song', ("Song", None, 7000)),
        ("#EXTINF:7", (None, None, None)),
        ("#EXTINF:7, ", (None, None, 7000)),
        ("#EXTINF:7,A - B - C", ("B - C", "A", 7000)),
        ("#EXTINF:7,- B", ("- B", None, 7000)),
        ("#EXTINF:7,A-B", ("A-B", None, 7000)),
        ("#EXTINF:7,\x00bad".replace("\x00", "\x1b"), ("bad", None, 7000)),
        ("#EXTINF:7," + "x" * 2000, ("x" * 1000, None, 7000)),
    ],
)
def test_titles_are_read_however_they_are_written(
    directive: str, known: tuple[str | None, str | None, int | None]
) -> None:
    [entry] = parse_playlist(f"#EXTM3U\n{directive}\na.mp3", WEB)

    assert (entry.title, entry.artist, entry.duration_ms) == known


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXTINF:1,Bär\nä.mp3\n".encode(),
        "#EXTM3U\r\n#EXTINF:1,Bär\r\nä.mp3\r\n".encode(),
        "#EXTM3U\r#EXTINF:1,Bär\rä.mp3".encode(),
        "\ufeff#EXTM3U\n#EXTINF:1,Bär\nä.mp3".encode(),
        "#EXTM3U\n#EXTINF:1,Bär\nä.mp3".encode("latin-1"),
        b"\xef\xbb\xbf" + "#EXTM3U\n#EXTINF:1,Bär\nä.mp3".encode("latin-1"),
        "\ufeff\n#EXTM3U\n#EXTINF:1,Bär\n  ä.mp3  ",
    ],
)
def test_line_ends_and_character_sets_do_not_matter(playlist: str | bytes) -> None:
    assert parse_playlist(playlist, "http://a.example/b") == [
        Entry("http://a.example/ä.mp3", title="Bär", duration_ms=1000)
    ]


@pytest.mark.parametrize(
    ("base_url", "content_type"),
    [
        ("http://a.example/list.M3U?x=1", None),
        ("http://a.example/list#.mp3", "Audio/X-MpegURL; charset=utf-8"),
        ("http://a.example/list.m3u8", "application/vnd.apple.mpegurl"),
    ],
)
def test_m3u_needs_no_header_if_its_type_is_declared(
    base_url: str, content_type: str | None
) -> None:
    entries = parse_playlist("# Songs\na.mp3", base_url, content_type)

    assert entries == [Entry("http://a.example/a.mp3")]


def test_list_of_web_addresses_is_a_playlist_without_any_name() -> None:
    assert urls("http://b.example/c", "http://a.example/") == ["http://b.example/c"]


@pytest.mark.parametrize(
    ("base_url", "content_type"),
    [("http://a.example/b.pls", None), ("http://a.example/b", "audio/x-scpls")],
)
def test_pls_needs_no_header_if_its_type_is_declared(
    base_url: str, content_type: str | None
) -> None:
    assert parse_playlist("File1=c", base_url, content_type) == [
        Entry("http://a.example/c")
    ]


def test_hls_stream_is_recognized() -> None:
    hls = "#EXTM3U\r\n#EXT-X-VERSION:3\r\n#EXTINF:6,\r\n1.ts\r\n"

    with pytest.raises(HlsPlaylistError):
        parse_playlist(hls, "http://a.example/list.m3u8")


@pytest.mark.parametrize(
    "other",
    ["", "some words", "<html>", "<?xml version='1.0'?><playlist/>", b"ID3\0\0"],
)
def test_other_files_are_no_playlists(other: str | bytes) -> None:
    with pytest.raises(NotAPlaylistError):
        parse_playlist(other, "http://a.example/song.mp3", "audio/mpeg")


def test_web_page_is_no_playlist_under_any_name() -> None:
    with pytest.raises(NotAPlaylistError):
        parse_playlist("<!doctype html>", WEB, "audio/x-mpegurl")


def test_empty_playlist_has_no_entries() -> None:
    assert not parse_playlist("#EXTM3U\n", WEB)


def test_song_that_is_listed_twice_plays_twice() -> None:
    assert len(urls("#EXTM3U\na.mp3\na.mp3")) == 2


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("a b.mp3", "https://radio.example/lists/a%20b.mp3"),
        ("../c.mp3", "https://radio.example/c.mp3"),
        ("/c.mp3", "https://radio.example/c.mp3"),
        ("//other.example/c.mp3", "https://other.example/c.mp3"),
        ("Artist\\c.mp3", "https://radio.example/lists/Artist/c.mp3"),
        ("c.mp3?x=1", "https://radio.example/lists/c.mp3?x=1"),
        ("HTTP://other.example:8000/", "http://other.example:8000/"),
    ],
)
def test_entries_of_the_web_are_seen_from_their_playlist(
    address: str, url: str
) -> None:
    assert urls(f"#EXTM3U\n{address}") == [url]


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "C:\\Music\\a.mp3",
        "ftp://a.example/b.mp3",
        "concat:a|b",
        "data:audio/wav;base64,AA",
        "media-source://media_source/local/a.mp3",
        "http://",
        "http:///a.mp3",
        "http://[a/",
        "http://a.example:99999999/",
        "http://a.example/\x01",
        "http://a.example/" + "x" * 9000,
    ],
)
def test_addresses_other_than_of_the_web_are_refused(address: str) -> None:
    assert urls(f"#EXTM3U\n{address}\ngood.mp3") == [
        "https://radio.example/lists/good.mp3"
    ]
    with pytest.raises(PlaylistError):
        parse_playlist(f"#EXTM3U\n{address}", WEB)


def test_entry_without_an_address_is_refused() -> None:
    assert urls("[playlist]\nFile1=\nFile2=b") == ["https://radio.example/lists/b"]


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("a #1?.mp3", "/media/music/a #1?.mp3"),
        ("./deep/../a.mp3", "/media/music/a.mp3"),
        ("Artist\\a.mp3", "/media/music/Artist/a.mp3"),
        ("/media/music/deep/a.mp3", "/media/music/deep/a.mp3"),
        ("file:///media/music/a%20b.mp3", "/media/music/a b.mp3"),
        ("file://localhost/media/music/a.mp3", "/media/music/a.mp3"),
        ("https://a.example/b.mp3", "https://a.example/b.mp3"),
    ],
)
def test_local_playlist_leads_to_its_folder_and_the_web(
    address: str, path: str
) -> None:
    assert urls(f"#EXTM3U\n{address}", FILE) == [path]


@pytest.mark.parametrize(
    "address",
    [
        "../secret.mp3",
        "..\\secret.mp3",
        "deep/../../secret.mp3",
        "/media/musical/a.mp3",
        "/etc/passwd",
        "file:///etc/passwd",
        "file:///media/music/../secret.mp3",
        "file:///media/music/%2e%2e/secret.mp3",
        "file:///media/music/a%00.mp3",
        "file://server/media/music/a.mp3",
        "file:a.mp3",
        "C:\\Music\\a.mp3",
        "smb://server/a.mp3",
        ".",
    ],
)
def test_local_playlist_cannot_leave_its_folder(address: str) -> None:
    with pytest.raises(PlaylistError):
        parse_playlist(f"#EXTM3U\n{address}", FILE)


def test_playlist_in_the_root_folder_leads_below_it() -> None:
    assert urls("#EXTM3U\na.mp3\n..\n", LocalPlace("/list.m3u", "/")) == ["/a.mp3"]


def test_playlist_among_local_media_leads_to_media_beside_it() -> None:
    playlist = "#EXTM3U\na b.mp3\n../c.mp3\n/local/music/d.mp3\n\\d.mp3\nfile:///e.mp3"

    assert urls(playlist, SOURCE) == [
        "media-source://media_source/local/music/a b.mp3",
        "media-source://media_source/local/c.mp3",
    ]


@pytest.mark.parametrize("base_url", ["", "list.m3u", "media-source://radio/1.m3u"])
def test_relative_entry_of_a_playlist_without_a_source_is_refused(
    base_url: str,
) -> None:
    assert urls("#EXTM3U\na.mp3\nhttp://a.example/", base_url) == ["http://a.example/"]


def test_playlist_is_bounded() -> None:
    longest = "#EXTM3U\n" + "a\n" * MAX_ENTRIES

    assert len(urls(longest)) == MAX_ENTRIES
    with pytest.raises(PlaylistError, match="10000 entries"):
        parse_playlist(longest + "a", WEB)
    with pytest.raises(PlaylistError, match="1 MiB"):
        parse_playlist(b"#" * (MAX_PLAYLIST_BYTES + 1), WEB)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U" + "\n " * 500_000,
        "#EXTM3U\n#EXTINF:1" + '"' * 1_000_000,
        "#EXTM3U\n#EXTINF:" + " " * 1_000_000,
        "[playlist]\nFile1" + " " * 1_000_000,
        "[playlist]\nFile" + "9" * 1_000_000,
    ],
)
@pytest.mark.timeout(10)
def test_hostile_playlist_is_parsed_in_time(playlist: str) -> None:
    assert not parse_playlist(playlist, WEB)


def test_addresses_stay_out_of_logs() -> None:
    assert "secret" not in repr(Entry("http://user:secret@a.example/"))


@pytest.mark.parametrize(
    ("media_id", "mime_type", "expected"),
    [
        ("http://a.example/b.m3u?c=d", None, True),
        ("http://a.example/b.PLS#e", None, True),
        ("http://a.example/b.mp3?list=c.m3u", None, False),
        ("/media/b.m3u8", "application/octet-stream", True),
        ("media-source://media_source/local/b.pls", "music", True),
        ("http://a.example/b", "audio/x-scpls", True),
        ("http://a.example/b", "audio/mpegurl;charset=utf-8", True),
        ("http://a.example/b.m3u", "audio/mpeg", False),
        ("http://a.example/b", None, False),
    ],
)
def test_playlists_are_known_by_type_and_name(
    media_id: str, mime_type: str | None, expected: bool
) -> None:
    assert is_playlist(media_id, mime_type) is expected


PIECES = st.sampled_from(
    [
        "#EXTM3U",
        "[playlist]",
        "#EXTINF:1,",
        "#EXTINF:-1",
        "#EXT-X-KEY",
        "File1=",
        "Title1=",
        "Length1=",
        "http://",
        "https://[",
        "file:///",
        "..",
        "/",
        "\\",
        "%2e%2e",
        ":",
        "@",
        "a.mp3",
        "-",
        '"',
        "'",
        ",",
        "?",
        "#",
        "\n",
        "\r\n",
        "\x00",
        "é",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=5)).map("".join)
PLACES = st.sampled_from([FILE, SOURCE, LocalPlace("/x/../y", "/")])
BASES = st.sampled_from(["", WEB, "/", "http://["]) | PLACES | TEXTS


@settings(deadline=None)
@given(
    playlist=TEXTS | TEXTS.map(lambda text: "#EXTM3U\n" + text) | st.binary(),
    base_url=BASES,
    content_type=st.none() | st.sampled_from(["audio/x-scpls", "audio/mpegurl", ";"]),
)
def test_arbitrary_playlists_give_safe_entries_or_a_playlist_error(
    playlist: str | bytes, base_url: str | LocalPlace, content_type: str | None
) -> None:
    is_playlist(str(base_url), content_type)
    try:
        entries = parse_playlist(playlist, base_url, content_type)
    except PlaylistError:
        return
    for url in (each for entry in entries for each in (entry.url, *entry.others)):
        if url.startswith(("http://", "https://")):
            continue
        assert isinstance(base_url, LocalPlace)
        path = base_url.path_of(url)
        assert path.startswith(base_url.root)
        assert "/../" not in path


@settings(deadline=None)
@given(st.lists(st.from_regex(r"\A[a-z]{1,8}( [a-z]{1,8})?\.mp3\Z"), max_size=20))
def test_written_playlist_reads_back(names: list[str]) -> None:
    m3u = "#EXTM3U\n" + "\n".join(f"#EXTINF:5,{name[:-4]}\n{name}" for name in names)
    pls = "[playlist]\n" + "\n".join(
        f"File{at}={name}\nTitle{at}={name[:-4]}\nLength{at}=5"
        for at, name in enumerate(names)
    )
    expected = [
        Entry(f"/media/music/{name}", title=name[:-4], duration_ms=5000)
        for name in names
    ]

    assert parse_playlist(m3u, FILE) == expected
    assert parse_playlist(pls, FILE) == expected
