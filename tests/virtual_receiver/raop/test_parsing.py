"""The parsing of the virtual receiver, against the published vectors."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.virtual_receiver.network.rtsp import RequestParser, Response, RtspError
from tests.virtual_receiver.quirks import parse_quirks

from .alac import AlacError, decode_alac, decode_l16
from .crypto import decrypt
from .digest import digest, is_authorized
from .metadata import MetadataError, parse_dmap, parse_progress
from .packets import (
    PacketError,
    build_resend_request,
    build_timing_request,
    parse_audio,
    parse_sync,
    parse_timing_reply,
    signed_distance,
)
from .sdp import SdpError, parse_sdp

_VECTORS = json.loads((Path(__file__).parents[2] / "vectors.json").read_text())

SDP = (
    b"v=0\r\no=iTunes 1234567890 0 IN IP4 192.168.1.10\r\ns=iTunes\r\n"
    b"c=IN IP4 192.168.1.50\r\nt=0 0\r\nm=audio 0 RTP/AVP 96\r\n"
    b"a=rtpmap:96 AppleLossless\r\n"
    b"a=fmtp:96 352 0 16 40 10 14 2 255 0 0 44100\r\n"
)
REQUEST = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: iTunes/11.0.4\r\n\r\n"
SILENT_FRAME = bytes.fromhex("200002") + bytes(1408) + b"\xc0"


def pattern() -> bytes:
    """Return the sound of the vector alac_pattern_352."""
    sound = bytearray()
    for i in range(352):
        left, right = 93 * i % 65536 - 32768, 32767 - 61 * i % 65536
        sound += left.to_bytes(2, "little", signed=True)
        sound += right.to_bytes(2, "little", signed=True)
    return bytes(sound)


def pattern_frame(*, has_size: bool = False) -> bytes:
    """Encode the pattern by the text of the protocol, bit by bit."""
    bits = "001" + "0" * 16 + str(int(has_size)) + "00" + "1"
    bits += f"{352:032b}" if has_size else ""
    sound = pattern()
    for at in range(0, len(sound), 2):
        bits += f"{int.from_bytes(sound[at : at + 2], 'little'):016b}"
    bits += "111"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def test_rtsp_request_in_single_bytes() -> None:
    parser = RequestParser()
    requests = [request for byte in REQUEST for request in parser.feed(bytes([byte]))]

    assert [request.method for request in requests] == ["OPTIONS"]
    assert requests[0].uri == "*"
    assert requests[0].headers["user-agent"] == "iTunes/11.0.4"


def test_rtsp_requests_that_come_at_once_with_bodies() -> None:
    body = (
        b"SET_PARAMETER rtsp://h/1 RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nabc"
    )

    requests = RequestParser().feed(body + REQUEST + body[:-1])

    assert [(one.method, one.body) for one in requests] == [
        ("SET_PARAMETER", b"abc"),
        ("OPTIONS", b""),
    ]


@pytest.mark.parametrize(
    "head",
    [
        b"OPTIONS * HTTP/2.0\r\n\r\n",
        b"options * RTSP/1.0\r\n\r\n",
        b"OPTIONS  * RTSP/1.0\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nno colon\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\ncseq: 1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\nCSeq: 1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: 999999999\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nX: \xff\r\n\r\n",
        b"X" * 20_000,
    ],
)
def test_rtsp_refuses_invalid_requests(head: bytes) -> None:
    with pytest.raises(RtspError):
        RequestParser().feed(head)


def test_rtsp_response() -> None:
    reply = Response(200, {"Session": "1"}, b"ab").build("7")

    assert reply == (
        b"RTSP/1.0 200 OK\r\nCSeq: 7\r\nServer: AirTunes/105.1\r\nSession: 1\r\n"
        b"Content-Length: 2\r\n\r\nab"
    )


def test_sdp_of_alac() -> None:
    announcement = parse_sdp(SDP)

    assert len(SDP) == 182
    assert announcement.codec == "alac"
    assert announcement.frames_per_packet == 352
    assert announcement.rate == 44100
    assert not announcement.is_encrypted


def test_sdp_with_key_and_latencies() -> None:
    announcement = parse_sdp(
        SDP
        + b"a=rsaaeskey:AAAA\r\na=aesiv:EBESExQVFhcYGRobHB0eHw\r\n"
        + b"a=min-latency:11025\r\na=max-latency:88200\r\n"
    )

    assert announcement.encrypted_key == bytes(3)
    assert announcement.aes_iv == bytes(range(0x10, 0x20))
    assert announcement.min_latency_frames == 11025
    assert announcement.max_latency_frames == 88200


def test_sdp_of_l16() -> None:
    body = SDP[: SDP.index(b"a=")] + b"a=rtpmap:96 L16/44100/2\r\n"

    assert parse_sdp(body).codec == "l16"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        SDP.removesuffix(b"\r\n"),
        SDP.replace(b"\r\n", b"\n"),
        SDP.replace(b"t=0 0\r\n", b""),
        SDP.replace(b" 44100\r\n", b"\r\n"),
        SDP.replace(b"AppleLossless", b"mpeg4-generic/44100/2"),
        SDP.replace(b"AppleLossless", b"L16/44100/2"),
        SDP.replace(b"a=rtpmap", b"a=x"),
        SDP + b"a=aesiv:EBESExQVFhcYGRobHB0eHw\r\n",
        SDP + b"a=rsaaeskey:AAAA\r\na=aesiv:AAAA\r\n",
        SDP + b"a=rsaaeskey:*\r\na=aesiv:EBESExQVFhcYGRobHB0eHw\r\n",
        SDP + b"a=max-latency:x\r\n",
        SDP + b"\xff\r\n",
    ],
)
def test_sdp_refuses(body: bytes) -> None:
    with pytest.raises(SdpError):
        parse_sdp(body)


@pytest.mark.parametrize("name", [key for key in _VECTORS if "digest" in key])
def test_digest_vectors(name: str) -> None:
    vector = _VECTORS[name]
    arguments = (vector["user"], vector["password"], vector["method"], vector["uri"])

    response = digest(*arguments, vector["nonce"], upper=vector["upper"])

    assert response == vector["response"]
    header = (
        f'Digest username="{vector["user"]}", realm="raop", '
        f'nonce="{vector["nonce"]}", uri="{vector["uri"]}", response="{response}"'
    )
    for upper in (False, True):
        accepted = is_authorized(
            header,
            vector["method"],
            vector["uri"],
            password=vector["password"],
            nonce=vector["nonce"],
            upper=upper,
        )
        assert accepted == (upper == vector["upper"])


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic x", 'Digest realm="raop"', 'Digest realm="x", nonce="n"'],
)
def test_digest_refuses_other_headers(header: str | None) -> None:
    assert not is_authorized(header, "OPTIONS", "*", password="p", nonce="n")


def test_alac_vectors() -> None:
    for name, frame in (
        ("alac_silence_352", SILENT_FRAME[:-4] + b"\0\0\1\xc0"),
        ("alac_pattern_352", pattern_frame()),
        ("alac_pattern_352_hassize", pattern_frame(has_size=True)),
    ):
        assert hashlib.sha256(frame).hexdigest() == _VECTORS[name]["sha256"]

    assert decode_alac(SILENT_FRAME[:-4] + b"\0\0\1\xc0") == bytes(1408)
    assert decode_alac(pattern_frame()) == pattern()
    assert decode_alac(pattern_frame(has_size=True)) == pattern()
    short = _VECTORS["alac_4frames_hassize"]
    assert decode_alac(bytes.fromhex(short["frame"])).hex() == short["pcm"]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        pattern_frame()[:-1],
        pattern_frame()[:-1] + b"\x00",
        pattern_frame()[:-1] + b"\xc1",
        pattern_frame() + b"\x00",
        b"\x00" + pattern_frame()[1:],
        b"\x22" + pattern_frame()[1:],
        pattern_frame()[:2] + b"\x0a" + pattern_frame()[3:],
        bytes.fromhex("200000") + pattern_frame()[3:],
        bytes.fromhex("2000120000000000000000000003fffe0201fe00ffff0001c0"),
        bytes.fromhex(_VECTORS["alac_compressed_silence_352"]["hex"]),
    ],
)
def test_alac_refuses_frames_that_a_decoder_would_not_play(frame: bytes) -> None:
    with pytest.raises(AlacError):
        decode_alac(frame)


def test_l16_is_big_endian() -> None:
    assert decode_l16(bytes.fromhex("00010203")) == bytes.fromhex("01000302")
    with pytest.raises(AlacError):
        decode_l16(b"\0\0")


def test_aes_leaves_the_tail_clear() -> None:
    vector = _VECTORS["aes_cbc_short"]
    key, iv = bytes.fromhex(vector["key"]), bytes.fromhex(vector["iv"])

    assert decrypt(bytes.fromhex(vector["cipher"]), key, iv).hex() == vector["plain"]


def test_packet_vectors() -> None:
    header = bytes.fromhex(_VECTORS["rtp_audio_header_first"]["hex"])
    audio = parse_audio(header + bytes(16))
    assert (audio.sequence, audio.rtptime) == (0x1234, 0x10000000)
    assert (audio.ssrc, audio.is_marked) == (0xDEADBEEF, True)
    sync = parse_sync(bytes.fromhex(_VECTORS["sync_next"]["hex"]))
    assert (sync.is_first, sync.flag, sync.rtptime) == (False, 7, 0x1000AC44)
    assert sync.rtptime - sync.rtptime_less_latency == 77175
    assert sync.sender_ns == (1700000001 + 2208988800) * 10**9 + 250_000_000
    reply = parse_timing_reply(bytes.fromhex(_VECTORS["timing_reply"]["hex"]))
    assert reply.origin.hex() == "83c117ccafba9b32"
    assert abs(reply.sent_ns - reply.received_ns - 120_000) <= 1
    filler = bytes.fromhex("83c117ccafba9b32")
    assert build_timing_request(filler).hex() == _VECTORS["timing_request"]["hex"]
    request = build_resend_request(0x1234, 3)
    assert request.hex() == _VECTORS["retransmit_request"]["hex"]


@pytest.mark.parametrize("packet", [b"", bytes(12), bytes(40), b"\x80\x60" + bytes(25)])
def test_packets_refuse(packet: bytes) -> None:
    for parse in (parse_audio, parse_sync, parse_timing_reply):
        with pytest.raises(PacketError):
            parse(packet)


def test_distances_wrap() -> None:
    assert signed_distance(2, 0xFFFF, 16) == 3
    assert signed_distance(0xFFFFFFFF, 0, 32) == -1


def test_dmap_vector() -> None:
    body = bytes.fromhex(_VECTORS["dmap_now_playing_metadata"]["hex"])

    assert parse_dmap(body) == {
        "mikd": 2,
        "minm": "Song",
        "asar": "Artist",
        "asal": "Album",
    }
    with pytest.raises(MetadataError):
        parse_dmap(body[:-1])
    with pytest.raises(MetadataError):
        parse_dmap(b"mlit\0\0\0\x0cminm\0\0\0\x09abcd")
    with pytest.raises(MetadataError):
        parse_dmap(b"mlit\0\0\0\x09minm\0\0\0\x01\xff")


def test_progress() -> None:
    assert parse_progress("1/2/4294967295") == (1, 2, 4294967295)
    for text in ("1/2", "1/2/x", "1/2/4294967296"):
        with pytest.raises(MetadataError):
            parse_progress(text)


def test_quirks_from_the_command_line() -> None:
    quirks = parse_quirks(
        [
            "loss=0.05",
            'refuse={"SETUP":453}',
            "unanswered=SETUP,RECORD",
            "wrong_cseq",
            "drop_at=FLUSH",
        ]
    )

    assert quirks.loss == 0.05
    assert quirks.refuse == {"SETUP": 453}
    assert quirks.unanswered == {"SETUP", "RECORD"}
    assert quirks.wrong_cseq
    assert quirks.drop_at == "FLUSH"
    with pytest.raises(ValueError, match="no such quirk"):
        parse_quirks(["nothing=1"])
