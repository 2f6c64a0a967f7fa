"""RTSP calls that a receiver makes."""

from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.rtsp import MAX_HEADERS, Call, CallParser


def test_calls_of_a_receiver_are_read_one_after_another() -> None:
    first = b"POST /command RTSP/1.0\r\nContent-Length: 3\r\nCSeq: 7\r\n\r\nabc"
    second = b"POST /command RTSP/1.0\nContent-Length: 0\n\n"
    parser = CallParser()

    calls = [call for byte in first + second for call in parser.feed(byte.to_bytes())]

    assert [(call.method, call.uri, call.body) for call in calls] == [
        ("POST", "/command", b"abc"),
        ("POST", "/command", b""),
    ]
    assert calls[0].answer() == (
        b"RTSP/1.0 200 OK\r\nCSeq: 7\r\nContent-Length: 0\r\n\r\n"
    )
    # shairport-sync numbers none of its calls.
    assert calls[1].answer() == b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"RTSP/1.0 200 OK",
        b"post /command RTSP/1.0",
        b"POST /command",
        b"POST " + b"x" * 2000 + b" RTSP/1.0",
        b"POST /command RTSP/1.0\r\nContent-Length: 99999999",
        b"POST /command RTSP/1.0\r\nCSeq: 1\r2",
        b"POST /command RTSP/1.0" + b"\r\nA: b" * (MAX_HEADERS + 1),
    ],
)
def test_invalid_call_is_an_error(head: bytes) -> None:
    with pytest.raises(ReceiverProtocolError):
        CallParser().feed(head + b"\r\n\r\n")


@given(st.binary(max_size=400))
def test_any_bytes_are_calls_or_an_error(noise: bytes) -> None:
    with suppress(ReceiverProtocolError):
        for call in CallParser().feed(b"POST /" + noise):
            assert isinstance(call, Call)
