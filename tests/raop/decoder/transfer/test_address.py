"""Web addresses as browsers read them, and where redirects lead."""

import pytest

from custom_components.airplay.raop.decoder.transfer.address import (
    as_browsers_read,
    redirected,
    request_target,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (" \r\n http://a.example/x \t", "http://a.example/x"),
        ("http://a.example/on\ne.m\tp3", "http://a.example/one.mp3"),
        (r"http:\\a.example\b\c.mp3", "http://a.example/b/c.mp3"),
        (r"HTTP:/a.example/b?c=\d#\e", r"HTTP://a.example/b?c=\d#\e"),
        ("https:////a.example/b//c", "https://a.example/b//c"),
        ("b c/d.mp3", "b c/d.mp3"),
        ("http://a.example/?x= y ", "http://a.example/?x= y"),
    ],
)
def test_an_address_is_read_as_browsers_do(written: str, read: str) -> None:
    assert as_browsers_read(written) == read


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/c.mp3", "http://a.example/c.mp3"),
        ("c.mp3#t=9", "http://a.example/b/c.mp3"),
        ("//other.example/c", "http://other.example/c"),
        (" https://other.example/c ", "https://other.example/c"),
        ("?c", "http://a.example/b/x?c"),
        (r"\c.mp3", "http://a.example/c.mp3"),
        ("ftp://other.example/c", "ftp://other.example/c"),
    ],
)
def test_a_redirect_leads_where_browsers_go(location: str, leads_to: str) -> None:
    assert redirected("http://a.example/b/x", location) == leads_to


@pytest.mark.parametrize(
    ("raw", "name"),
    [("/Größe ą.mp3".encode(), "/Größe ą.mp3"), (b"/K\xf6ln.mp3", "/Köln.mp3")],
)
def test_raw_bytes_in_a_redirect_are_text(raw: bytes, name: str) -> None:
    # http.client reads all headers as Latin-1.
    led = redirected("http://a.example/", raw.decode("latin-1"))

    assert led == f"http://a.example{name}"


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("", "", "/"),
        ("", "a=1", "/?a=1"),
        ("/my söng%20x", 'q="1"', "/my%20s%C3%B6ng%20x?q=%221%22"),
    ],
)
def test_a_target_is_escaped_once(path: str, query: str, target: str) -> None:
    assert request_target(path, query) == target
