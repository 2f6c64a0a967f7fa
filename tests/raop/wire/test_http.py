"""HTTP requests of receivers and remote apps: accepted and refused ones."""

from contextlib import suppress
from itertools import pairwise
from random import Random
import re
import time

from hypothesis import given, note, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.http import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    HttpRequest,
    NotAdmittedError,
    RequestParser,
    encode_response,
)
from tests.fuzz import AT_ONCE, BATCHES

# As shairport-sync sends it (captured).
PLAY = (
    b"GET /ctrl-int/1/play HTTP/1.1\r\n"
    b"Host: 10.77.0.1:43679\r\n"
    b"Active-Remote: 2234473162\r\n\r\n"
)


def read(data: bytes) -> HttpRequest | None:
    return RequestParser().feed(data)


def test_request_of_shairport_sync() -> None:
    request = read(PLAY)

    assert request == HttpRequest(
        "GET",
        "/ctrl-int/1/play",
        (),
        {"host": "10.77.0.1:43679", "active-remote": "2234473162"},
    )


@pytest.mark.parametrize("end", [b"\0", b"\r", b""])
@pytest.mark.parametrize("size", [1, MAX_HEAD_BYTES])
def test_a_header_of_spaces_takes_no_time(size: int, end: bytes) -> None:
    filler = b" " * (MAX_HEAD_BYTES - 100)
    data = b"GET / HTTP/1.1\r\nX:" + filler + end + b"\r\n\r\n"
    parser = RequestParser()

    began = time.process_time()
    with suppress(ReceiverProtocolError):
        for at in range(0, len(data), size):
            parser.feed(data[at : at + size])

    assert time.process_time() - began < 0.5


@given(st.lists(st.integers(0, len(PLAY)), max_size=8))
def test_pieces_make_the_same_request(cuts: list[int]) -> None:
    parser = RequestParser()
    at = [0, *sorted(cuts), len(PLAY)]

    got = [parser.feed(PLAY[a:b]) for a, b in pairwise(at)]

    assert next(each for each in got if each) == read(PLAY)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a?x=1&y=-2.5&x=3", "/a", (("x", "1"), ("y", "-2.5"), ("x", "3"))),
        ("/a?x=&y", "/a", (("x", ""), ("y", ""))),
        ("/a%2Fb?q=%27c%3A1%27+d", "/a/b", (("q", "'c:1' d"),)),
        ("daap://host:3689/server-info", "/server-info", ()),
        ("http://host/x?a=/b", "/x", (("a", "/b"),)),
        ("/", "/", ()),
    ],
)
def test_targets(target: str, path: str, query: tuple[tuple[str, str], ...]) -> None:
    request = read(f"GET {target} HTTP/1.1\r\n\r\n".encode())

    assert request
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize(
    "data",
    [
        b"GET /a HTTP/1.0\r\n\r\n",
        b"GET /a HTTP/1.1\n\n",
        b"\r\n\r\nGET /a HTTP/1.1\r\n\r\n",
        b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"GET /a HTTP/1.1\r\nX:\r\n\r\nmore that nobody reads",
        b"GET /a HTTP/1.1\r\nX: \xff\r\n\r\n",
    ],
)
def test_oddities_of_the_field_are_accepted(data: bytes) -> None:
    request = read(data)

    assert request
    assert request.path == "/a"


def test_parser_waits_for_the_body() -> None:
    parser = RequestParser()

    assert parser.feed(b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nab") is None
    request = parser.feed(b"cd")

    assert request
    assert request.body == b"abc"


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"GET  /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/2.0\r\n\r\n",
        b"GET /a\r\n\r\n",
        b"BREW /a HTTP/1.1\r\n\r\n",
        b"GET a HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET /?" + b"&".join([b"a=1"] * 40) + b" HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /a HTTP/1.1\r\n: no name\r\n\r\n",
        b"GET /a HTTP/1.1\r\n folded: a\r\n\r\n",
        b"GET /a HTTP/1.1\r\nX: a\rb\r\n\r\n",
        b"GET /a HTTP/1.1\r\nX: 1\r\nx: 2\r\n\r\n",
        b"GET /a HTTP/1.1\r\n" + b"Transfer-Encoding: chunked\r\n\r\n",
        b"GET /a HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nContent-Length: 99999\r\n\r\n",
        b"GET /a HTTP/1.1\r\n"
        + b"".join(b"X-%d: 1\r\n" % each for each in range(MAX_HEADERS + 1))
        + b"\r\n",
        b"G" * (MAX_HEAD_BYTES + 1),
        b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\n\r\n",
        b"\r\n" * MAX_HEAD_BYTES,
    ],
)
def test_everything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ReceiverProtocolError):
        read(data)


def test_parser_memory_stays_bounded() -> None:
    parser = RequestParser()
    head = b"POST /a HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % MAX_BODY_BYTES

    parser.feed(head)
    parser.feed(b"x" * (MAX_BODY_BYTES - 1))
    request = parser.feed(b"y" * (1 << 20))

    assert request
    assert len(request.body) == MAX_BODY_BYTES
    assert len(parser._buffer) <= MAX_HEAD_BYTES + MAX_BODY_BYTES + 1


PIECES = [
    b"GET ", b"POST ", b"/ctrl-int/1/", b"setproperty?", b"dmcp.volume=", b"50",
    b" HTTP/1.1", b"\r\n", b"\n", b"\r", b"\0", b": ", b"Content-Length", b"%", b"&",
    b"Active-Remote", b"=", b"9" * 20, b"\xff", b"Transfer-Encoding", b"?", b" ",
]  # fmt: skip


def hostile(dice: Random) -> bytes:
    """Return a request with random changes, or only random parts of one."""
    words = re.split(rb"(\r\n|[ :/])", PLAY) if dice.random() < 0.5 else []
    for _ in range(dice.randrange(dice.randrange(1, 40))):
        at = dice.randrange(len(words) + 1)
        is_word = dice.random() < 0.7
        new = dice.choice(PIECES) if is_word else dice.randbytes(dice.randrange(40))
        words[at : at + dice.randrange(2)] = [new]
    return b"".join(words)


@BATCHES
@given(st.integers(0, 1 << 32))
def test_arbitrary_bytes_are_a_request_or_refused(seed: int) -> None:
    dice = Random(seed)
    for _ in range(AT_ONCE):
        pieces = [hostile(dice) for _ in range(dice.randrange(5))]
        note(f"{pieces}")
        parser = RequestParser()
        try:
            for piece in pieces:
                parser.feed(piece)
        except ReceiverProtocolError:
            continue
        assert len(parser._buffer) <= MAX_HEAD_BYTES + MAX_BODY_BYTES + 1


def test_response_has_a_length_and_closes() -> None:
    assert encode_response(204) == (
        b"HTTP/1.1 204 No Content\r\n"
        b"DAAP-Server: iTunes/11.0.4 (Windows; N)\r\n"
        b"Content-Type: application/x-dmap-tagged\r\n"
        b"Content-Length: 0\r\n"
        b"Connection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("header", "number"),
    [
        (b"Active-Remote: 7", " 7"),
        (b"ACTIVE-REMOTE:\t7 ", "\t7 "),
        (b"Host: x", ""),
        (b"X: Active-Remote: 7", ""),
        (b"Active-Remote: \xff", " \ufffd"),
    ],
)
def test_the_number_of_a_session_is_looked_at_first(header: bytes, number: str) -> None:
    asked: list[str] = []

    def admits(active_remote: str) -> bool:
        asked.append(active_remote)
        return False

    parser = RequestParser(admits)
    # What follows is no request, which does not matter any more.
    with pytest.raises(NotAdmittedError):
        parser.feed(b"BREW\r\n" + header + b"\r\nno header\r\n\r\n")

    assert asked == [number]


def test_line_ends_before_a_request_take_no_time() -> None:
    parser = RequestParser()
    began = time.process_time()
    for _ in range(MAX_HEAD_BYTES):
        parser.feed(b"\n")
    with pytest.raises(ReceiverProtocolError):
        parser.feed(b"\n")

    assert time.process_time() - began < 0.1
