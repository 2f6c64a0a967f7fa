"""Heads and bodies of messages, well-formed and not."""

from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.framing import (
    MAX_BODY_BYTES,
    MAX_HEADERS,
    body_of,
    parse_headers,
    split_head,
)
from custom_components.airplay.raop.wire.rtsp import ResponseParser

CHUNKED = b"RTSP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def only_body(data: bytes) -> bytes:
    (message,) = ResponseParser().feed(data)
    return message.body


@pytest.mark.parametrize(
    "lines",
    [
        [b"Session: a b"],
        [b"Session: a", b" b"],
        [b"Session:", b"\ta", b"  ", b" \t b  "],
        [b"SESSION : a b\0\r"],
        [b"  session:a b"],
        [b"no colon", b" that goes on: still", b"Session: a b"],
        [b": no name", b"Session: a b", b""],
        [b"Session: a b", b"Session 2", b" x: y"],
        [b"Session: a", b" b", b"\0"],
    ],
)
def test_headers_are_read_as_they_come(lines: list[bytes]) -> None:
    assert parse_headers(lines) == {"session": "a b"}


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert parse_headers([b"Server: Gr\xfc\xdfe"]) == {"server": "Gr\ufffd\ufffde"}


def test_too_many_lines_are_refused_also_if_they_are_folded() -> None:
    with pytest.raises(ReceiverProtocolError, match="too many headers"):
        split_head(b"RTSP/1.0 200 OK\nA: b" + b"\n c" * MAX_HEADERS)


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 3\r\nContent-Length: 3",
        b"Content-Length: 3, 3",
        b"content-length:003\0",
        b"Content-Length:\r\n 3",
        b"Transfer-Encoding: identity\r\nContent-Length: 3",
    ],
)
def test_a_length_may_be_said_twice(lines: bytes) -> None:
    assert only_body(b"RTSP/1.0 200 OK\r\n" + lines + b"\r\n\r\nabc") == b"abc"


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"content-length": "3, 4"}, "Content-Length: '3, 4'"),
        ({"content-length": "-3"}, "Content-Length: '-3'"),
        ({"content-length": str(MAX_BODY_BYTES + 1)}, "Content-Length: '1048577'"),
        ({"transfer-encoding": "gzip, chunked"}, "Transfer-Encoding: 'gzip, chunked'"),
    ],
)
def test_lengths_that_cannot_be_are_named(headers: dict[str, str], named: str) -> None:
    with pytest.raises(ReceiverProtocolError, match=named):
        body_of(headers)


@pytest.mark.parametrize(
    "wire",
    [
        b"6\r\nabcdef\r\n0\r\n\r\n",
        b"3;name=value\r\nabc\r\n003 \r\ndef\r\n00\r\nTrailer: x\r\n\r\n",
        b"3\nabc\n3\ndef\n0\n\n",
    ],
)
def test_chunks_are_joined_however_they_are_cut(wire: bytes) -> None:
    parser = ResponseParser()
    stream = (CHUNKED + wire) * 2

    whole = [each.body for each in parser.feed(stream)]
    cut = [each.body for byte in stream for each in parser.feed(bytes((byte,)))]

    assert whole == cut == [b"abcdef", b"abcdef"]


def test_chunks_count_more_than_a_length() -> None:
    head = CHUNKED.replace(b"Transfer", b"Content-Length: 9\r\nTransfer")

    assert only_body(head + b"1\r\nx\r\n0\r\n\r\n") == b"x"


@pytest.mark.parametrize(
    ("wire", "named"),
    [
        (b"x\r\n", "length of a chunk.*x"),
        (b"-1\r\n", "length of a chunk.*-1"),
        (b"+1\r\n", r"length of a chunk.*\+1"),
        (b"\r\n", "length of a chunk"),
        (b"123456789\r\n", "length of a chunk.*123456789"),
        (b"fffffff\r\n", "too long.*fffffff"),
        (b"1\r\nabc\r\n", "longer than announced.*bc"),
        (b"1" * 300, "line of a chunked body is too long"),
        (b"0\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1), "too many headers"),
    ],
)
def test_chunks_that_cannot_be_are_named(wire: bytes, named: str) -> None:
    with pytest.raises(ReceiverProtocolError, match=named):
        ResponseParser().feed(CHUNKED + wire)


def test_a_body_has_4096_chunks_at_most() -> None:
    most = b"1\r\nx\r\n" * 4095

    assert len(only_body(CHUNKED + most + b"0\r\n\r\n")) == 4095
    with pytest.raises(ReceiverProtocolError, match="too many chunks"):
        ResponseParser().feed(CHUNKED + most + b"1\r\nx\r\n0\r\n")


def test_a_body_in_chunks_is_no_longer_than_any_other() -> None:
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    parser = ResponseParser()
    parser.feed(CHUNKED)

    for _ in range(MAX_BODY_BYTES // 0x10000):
        parser.feed(chunk)
    with pytest.raises(ReceiverProtocolError, match="too long"):
        parser.feed(b"1\r\n")


@given(st.binary(max_size=300))
def test_any_bytes_are_chunks_or_an_error(noise: bytes) -> None:
    with suppress(ReceiverProtocolError):
        ResponseParser().feed(CHUNKED + noise)
