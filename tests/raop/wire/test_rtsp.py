"""RTSP: our requests, the answers of receivers, and forbidden answers."""

from contextlib import suppress
import time

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.rtsp import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_NOISE_BYTES,
    Call,
    Request,
    Response,
    ResponseParser,
)

OK = b"RTSP/1.0 200 OK\r\n"
WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)
LINE_ENDS = st.sampled_from([b"\r\n", b"\n"])


def only(data: bytes) -> Response:
    (response,) = ResponseParser().feed(data)
    assert isinstance(response, Response)
    return response


def statuses(parser: ResponseParser, data: bytes) -> list[int]:
    return [each.status for each in parser.feed(data) if isinstance(each, Response)]


def test_request_begins_with_its_line_and_its_number() -> None:
    request = Request("OPTIONS", "*")

    assert request.encode(3) == b"OPTIONS * RTSP/1.0\r\nCSeq: 3\r\n\r\n"


def test_request_keeps_the_order_of_its_headers() -> None:
    request = Request("RECORD", "rtsp://10.0.0.1/1", (("Session", "1"),))

    encoded = request.with_headers(("Range", "npt=0-"), ("RTP-Info", "seq=1")).encode(4)

    assert encoded == (
        b"RECORD rtsp://10.0.0.1/1 RTSP/1.0\r\nCSeq: 4\r\nSession: 1\r\n"
        b"Range: npt=0-\r\nRTP-Info: seq=1\r\n\r\n"
    )


def test_adding_headers_leaves_the_request_as_it_was() -> None:
    request = Request("OPTIONS", "*")

    request.with_headers(("Session", "1"))

    assert request.headers == ()


def test_request_with_a_body_has_its_type_and_length() -> None:
    request = Request("POST", "/a", body=b"\x01\r\n", content_type="text/parameters")

    assert request.encode(1) == (
        b"POST /a RTSP/1.0\r\nCSeq: 1\r\nContent-Type: text/parameters\r\n"
        b"Content-Length: 3\r\n\r\n\x01\r\n"
    )


def test_request_with_a_body_of_no_type_has_only_its_length() -> None:
    encoded = Request("POST", "/a", body=b"ab").encode(1)

    assert encoded.endswith(b"CSeq: 1\r\nContent-Length: 2\r\n\r\nab")


def test_request_without_a_body_has_no_type() -> None:
    assert b"Content" not in Request("POST", "/a", content_type="image/none").encode(1)


def test_request_is_encoded_in_utf8() -> None:
    request = Request("ANNOUNCE", "*", (("X-Apple-Client-Name", "Küche"),))

    assert "X-Apple-Client-Name: Küche\r\n".encode() in request.encode(1)


@pytest.mark.parametrize("end", ["\r", "\n", "\0", "\r\nEvil: 1"])
@pytest.mark.parametrize("place", ["method", "uri", "name", "value", "type"])
def test_request_refuses_line_ends_in_its_words(place: str, end: str) -> None:
    words = {name: name for name in ("method", "uri", "name", "value", "type")}
    words[place] += end
    request = Request(
        words["method"],
        words["uri"],
        ((words["name"], words["value"]),),
        body=b"body",
        content_type=words["type"],
    )

    with pytest.raises(ValueError, match="line end"):
        request.encode(1)


def test_response_has_status_reason_headers_and_body() -> None:
    response = only(
        b"RTSP/1.0 453 Not Enough Bandwidth\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nabc"
    )

    assert response == Response(
        453, "Not Enough Bandwidth", {"cseq": "2", "content-length": "3"}, b"abc"
    )


def test_response_finds_headers_in_any_case() -> None:
    response = only(OK + b"AUDIO-latency: 11025\r\n\r\n")

    assert response.header("Audio-Latency") == "11025"


def test_response_has_none_for_a_header_that_was_not_sent() -> None:
    assert only(OK + b"\r\n").header("Session") is None


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"RTSP/1.0 200", 200, ""),
        (b"RTSP/1.0 200 ", 200, ""),
        (b"RTSP/1.0  404  Not Found ", 404, "Not Found"),
        (b"HTTP/1.1 470 Connection Authorization Required", 470, None),
        (b"HTTP/1.0 501 Not Implemented", 501, "Not Implemented"),
        (b"RTSP/2.0 200 OK", 200, "OK"),
        (b"rtsp/1.0 200 ok", 200, "ok"),
        (b"RTSP/1.0 200OK", 200, "OK"),
        (b" \tRTSP/1.0 200 OK", 200, "OK"),
        (b"RTSP/1.0 200 OK\0", 200, "OK"),
        (b"RTSP/1.0 200 Gr\xfc\xdfe", 200, "Gr\ufffd\ufffde"),
    ],
)
def test_status_lines_of_the_field_are_understood(
    line: bytes, status: int, reason: str | None
) -> None:
    response = only(line + b"\r\n\r\n")

    expected = "Connection Authorization Required" if reason is None else reason
    assert (response.status, response.reason) == (status, expected)


def test_lines_may_end_without_carriage_return() -> None:
    assert only(b"RTSP/1.0 200 OK\nSession: 1\n\n").header("session") == "1"


def test_empty_lines_before_a_response_do_not_matter() -> None:
    assert only(b"\r\n\n\r" + OK + b"\r\n").status == 200


def test_line_ends_after_a_body_do_not_matter() -> None:
    data = OK + b"Content-Length: 2\r\n\r\nab\r\n\r\n" + OK + b"\r\n"

    assert [each.body for each in ResponseParser().feed(data)] == [b"ab", b""]


def test_a_body_may_start_with_line_ends() -> None:
    assert only(OK + b"Content-Length: 4\r\n\r\n\r\nab").body == b"\r\nab"


def test_an_empty_length_is_no_body() -> None:
    assert only(OK + b"Content-Length:\r\n\r\n").body == b""


def test_a_repeated_header_is_joined() -> None:
    response = only(
        OK + b"WWW-Authenticate: Basic realm=a\r\nWWW-authenticate: Digest x\r\n\r\n"
    )

    assert response.header("WWW-Authenticate") == "Basic realm=a, Digest x"


def test_parser_waits_for_the_rest_of_the_head() -> None:
    parser = ResponseParser()

    assert parser.feed(OK + b"\r") == []
    assert statuses(parser, b"\n") == [200]


def test_parser_waits_for_the_rest_of_the_body() -> None:
    parser = ResponseParser()

    assert parser.feed(OK + b"Content-Length: 2\r\n\r\n") == []
    assert [each.body for each in parser.feed(b"ab")] == [b"ab"]


def test_stray_line_ends_between_responses_are_ignored() -> None:
    parser = ResponseParser()

    assert statuses(parser, OK + b"\r\n") == [200]
    assert parser.feed(b"\r\n\r\n") == []
    assert statuses(parser, OK + b"\r\n") == [200]


def test_head_of_the_greatest_length_is_read() -> None:
    name = b"X: "
    filler = MAX_HEAD_BYTES - len(OK) - len(name) - 4

    assert only(OK + name + b"x" * filler + b"\r\n\r\n").status == 200


@pytest.mark.parametrize("end", [b"\r\n\r\n", b""])
def test_longer_heads_are_refused(end: bytes) -> None:
    data = OK + b"X: " + b"x" * (MAX_HEAD_BYTES - len(OK) - 2) + end

    with pytest.raises(ReceiverProtocolError, match="too long"):
        ResponseParser().feed(data)


def test_as_many_headers_as_allowed_are_read() -> None:
    headers = b"".join(b"X%d: 1\r\n" % each for each in range(MAX_HEADERS))

    assert len(only(OK + headers + b"\r\n").headers) == MAX_HEADERS


def test_more_headers_are_refused() -> None:
    with pytest.raises(ReceiverProtocolError, match="too many headers"):
        ResponseParser().feed(OK + b"X: 1\r\n" * (MAX_HEADERS + 1) + b"\r\n")


def test_body_of_the_greatest_length_is_read() -> None:
    head = OK + b"Content-Length: %d\r\n\r\n" % MAX_BODY_BYTES

    assert len(only(head + bytes(MAX_BODY_BYTES)).body) == MAX_BODY_BYTES


@pytest.mark.parametrize(
    "length",
    [
        str(MAX_BODY_BYTES + 1),
        "-1",
        "+1",
        "1.0",
        "0x10",
        "1_0",
        "٣",
        "ten",
        "1, 2",
        "1,",
        "9" * 5000,
    ],
)
def test_lengths_that_cannot_be_are_refused(length: str) -> None:
    with pytest.raises(ReceiverProtocolError, match="body length"):
        ResponseParser().feed(OK + f"Content-Length: {length}\r\n\r\n".encode())


@pytest.mark.parametrize(
    "line",
    [
        b"RTSP/1.0",
        b"RTSP/1.0 OK",
        b"RTSP/3.0 200 OK",
        b"HTTP/2 200 OK",
        b"RTSP/1.0 2000 OK",
        b"RTSP/1.0 20 OK",
        b"RTSP/1.0 000 OK",
        b"RTSP/1.0 \xd9\xa3\xd9\xa3\xd9\xa3 OK",
        b"options * RTSP/1.0",
    ],
)
def test_anything_but_a_status_line_is_refused(line: bytes) -> None:
    with pytest.raises(ReceiverProtocolError, match="not a status line"):
        ResponseParser().feed(line + b"\r\n\r\n")


@pytest.mark.parametrize("word", [b"a\rb", b"a\0b"])
def test_a_header_that_could_not_be_sent_back_is_refused(word: bytes) -> None:
    with pytest.raises(ReceiverProtocolError, match=r"control characters.*Session: a"):
        ResponseParser().feed(OK + b"Session: " + word + b"\r\n\r\n")


@given(
    st.lists(
        st.tuples(
            st.integers(200, 999).filter(lambda status: status not in (204, 304)),
            WORDS,
            st.dictionaries(WORDS.map(lambda name: f"X-{name}".lower()), WORDS),
            st.binary(max_size=50),
        )
    ),
    LINE_ENDS,
    st.data(),
)
def test_responses_come_out_as_they_went_in_however_they_are_cut(
    answers: list[tuple[int, str, dict[str, str], bytes]],
    end: bytes,
    data: st.DataObject,
) -> None:
    expected = [
        Response(status, reason, headers | {"content-length": str(len(body))}, body)
        for status, reason, headers, body in answers
    ]
    stream = b"".join(_build(response, end) for response in expected)
    parser = ResponseParser()
    parsed = []
    at = 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream)))
        parsed += parser.feed(stream[at : at + size])
        at += size

    assert parsed == expected


@pytest.mark.parametrize(
    "noise",
    [
        b"\0",
        b"\r\n\0\0 \t",
        b"$\0\0\0",
        b"$\1\0\5hello",
        b"$\0\0\5RTSP/" + b"$\1\1\0" + bytes(256),
        b"RTSP/1.0 100 Continue\r\n\r\n",
        b"RTSP/1.0 100 Continue\r\nContent-Length: 3\r\n\r\n",
        b"RTSP/1.0 100 Continue\r\nContent-Length: 3\r\n\r\nabc",
        b"RTSP/1.0 100 Continue\r\nContent-Length: 4\r\n\r\n\r\nab\r\n",
        b"RTSP/1.0 100 Continue\r\nContent-Length: 4\r\n\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\nCSeq: 1\r\n\r\n" * 3,
        b"RTSP/1.0 100 Go\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
@pytest.mark.parametrize("is_cut", [False, True])
def test_what_lies_between_responses_does_not_matter(
    noise: bytes, *, is_cut: bool
) -> None:
    answer = OK + b"Content-Length: 2\r\n\r\nab"
    stream = noise + answer + noise + answer + noise
    pieces = [stream[at : at + 1] for at in range(len(stream))] if is_cut else [stream]
    parser = ResponseParser()

    messages = [each for piece in pieces for each in parser.feed(piece)]

    assert [each.body for each in messages] == [b"ab", b"ab"]


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_that_has_no_body_is_complete_without_it(status: bytes) -> None:
    parser = ResponseParser()
    head = b"RTSP/1.0 " + status + b"\r\nContent-Length: 3\r\n\r\n"

    assert statuses(parser, head) == [int(status[:3])]
    assert statuses(parser, b"abc" + OK + b"\r\n") == [200]


@pytest.mark.parametrize(
    "noise", [b"\0", b"$\0\xff\xff" + bytes(0xFFFF), b"RTSP/1.0 100 Go\r\n\r\n"]
)
def test_noise_without_end_is_refused(noise: bytes) -> None:
    parser = ResponseParser()
    enough = noise * (MAX_NOISE_BYTES // len(noise))

    for at in range(0, len(enough), 16_384):
        assert parser.feed(enough[at : at + 16_384]) == []
    with pytest.raises(ReceiverProtocolError, match="no message"):
        parser.feed(noise + noise)


def test_noise_may_come_after_every_answer() -> None:
    parser = ResponseParser()
    noise = bytes(MAX_NOISE_BYTES // 2)

    for _ in range(3):
        assert statuses(parser, noise + OK + b"\r\n") == [200]


def test_a_request_of_the_receiver_comes_out_in_its_place() -> None:
    call = b"OPTIONS * RTSP/1.0\r\nCSeq: 5\r\nContent-Length: 1\r\n\r\nx"
    messages = ResponseParser().feed(OK + b"\r\n" + call + OK + b"\r\n")

    assert [type(each) for each in messages] == [Response, Call, Response]
    asked = messages[1]
    assert isinstance(asked, Call)
    assert (asked.method, asked.body) == ("OPTIONS", b"x")
    assert asked.answer(501) == (
        b"RTSP/1.0 501 Not Implemented\r\nCSeq: 5\r\nContent-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize("size", [1, 7, 16_384])
def test_the_longest_messages_are_read_in_no_time(size: int) -> None:
    head = OK + b"X: " + b"x" * (MAX_HEAD_BYTES - 100) + b"\r\n\r\n"
    stream = head * 4 + (OK + b"\r\n") * 3000 + b"\0" * 100_000
    parser = ResponseParser()

    began = time.process_time()
    count = 0
    for at in range(0, len(stream), size):
        count += len(parser.feed(stream[at : at + size]))

    assert count == 3004
    assert time.process_time() - began < 2


@given(st.binary())
def test_arbitrary_bytes_raise_nothing_but_protocol_errors(data: bytes) -> None:
    with suppress(ReceiverProtocolError):
        ResponseParser().feed(data)


@given(st.binary(max_size=300))
def test_arbitrary_heads_raise_nothing_but_protocol_errors(head: bytes) -> None:
    try:
        responses = ResponseParser().feed(OK + head + b"\r\n\r\n")
    except ReceiverProtocolError:
        return
    assert all(isinstance(each, Response) for each in responses)


@given(st.binary(max_size=300))
def test_any_received_header_can_be_sent_back(value: bytes) -> None:
    try:
        responses = ResponseParser().feed(OK + b"Session: " + value + b"\r\n\r\n")
    except ReceiverProtocolError:
        return
    for response in responses:
        assert isinstance(response, Response)
        session = response.header("session") or ""
        Request("RECORD", "*", (("Session", session),)).encode(1)


def _build(response: Response, end: bytes) -> bytes:
    lines = [
        f"RTSP/1.0 {response.status} {response.reason}".encode(),
        *(f"{name}: {value}".encode() for name, value in response.headers.items()),
        b"",
        b"",
    ]
    return end.join(lines) + response.body
