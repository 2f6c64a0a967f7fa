"""Every parser of foreign bytes, with examples of its input and what surrounds it.

`test_linear.py` measures each of them, `test_parsers.py` and `python -m tests.fuzz` feed
them mutated examples. A new parser is one more row in `PARSERS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
import inspect
import json
import plistlib
from random import Random
from urllib.parse import parse_qsl

from custom_components.airplay.discovery.entry_data import (
    receiver_data,
    receiver_from,
    unique_id,
)
from custom_components.airplay.discovery.records import service_of
from custom_components.airplay.media.play_queue import PlayQueue
from custom_components.airplay.media.playlist import PlaylistError, parse_playlist
from custom_components.airplay.media.queue_item import QueueItem, is_public
from custom_components.airplay.raop.auth import rsa
from custom_components.airplay.raop.auth.channel import ChannelKeys, EncryptedChannel
from custom_components.airplay.raop.auth.credentials import parse_credentials
from custom_components.airplay.raop.auth.digest import Challenge, attempts
from custom_components.airplay.raop.auth.legacy_setup import LegacySetup
from custom_components.airplay.raop.auth.pair_setup import transient_setup
from custom_components.airplay.raop.auth.pair_verify import verify
from custom_components.airplay.raop.auth.pairing_client import PairingClient
from custom_components.airplay.raop.auth.pairing_messages import read_answer
from custom_components.airplay.raop.errors import RaopError
from custom_components.airplay.raop.messages import decode_command, decode_event
from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import (
    check_id,
    completed,
    key_of,
    merge,
)
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.session.airplay2 import (
    REALTIME,
    AirPlay2Session,
    AirPlay2Terms,
    SessionClock,
    StreamSetup,
)
from custom_components.airplay.raop.session.control import Caller
from custom_components.airplay.raop.session.events import button_of
from custom_components.airplay.raop.session.info import ask_info
from custom_components.airplay.raop.session.remote import Remotes
from custom_components.airplay.raop.udp_ports import PortRange
from custom_components.airplay.raop.wire import (
    dmap,
    plist,
    ptp,
    ptp_requests,
    rtp,
    tlv8,
)
from custom_components.airplay.raop.wire.addresses import rank_addresses
from custom_components.airplay.raop.wire.dacp import parse_request
from custom_components.airplay.raop.wire.handshake import Handshake
from custom_components.airplay.raop.wire.http import RequestParser
from custom_components.airplay.raop.wire.parameters import parse_volume_db
from custom_components.airplay.raop.wire.rtsp import (
    CallParser,
    MessageParser,
    Response,
    ResponseParser,
    parse_transport,
    transport_ports,
)
from custom_components.airplay.raop.wire.txt import parse_record
from tests.raop.session.raop_session import make_session, prepare
from tests.raop.vectors import octets, word

# As the connections read.
_READ_BYTES = 16_384
# A receiver that always gives the same answer ends each handshake before that.
_MOST_ANSWERS = 20
_SECRET = bytes(64)
_KEYS = ChannelKeys.events(_SECRET)
_CALLER = Caller(
    local="192.168.1.10",
    session_id=1,
    dacp_id="A1B2C3D4E5F60718",
    active_remote=42,
    password="secret",
)


@dataclass(frozen=True, slots=True)
class Parser:
    """A parser: what it does with bytes, and what its input looks like.

    `frames` surround other bytes so that the parser looks at them; `refusals` are the
    errors that it may raise; `words` mean something to it.
    """

    parse: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    frames: tuple[tuple[bytes, bytes], ...] = ()
    refusals: tuple[type[Exception], ...] = (RaopError,)
    words: tuple[bytes, ...] = ()
    # Whether an input can be enough; other parsers need several, which depend on ours.
    is_whole: bool = True
    # Whether it also gets binary property lists of a nasty kind.
    is_plist: bool = False

    def accepts(self, data: bytes) -> bool:
        """Parse; return whether it was accepted. Raises what no parser may."""
        try:
            self.parse(data)
        except self.refusals:
            return False
        return True


def _fed(
    make: Callable[[], MessageParser[Response] | CallParser | ResponseParser],
) -> Callable[[bytes], object]:
    def parse(data: bytes) -> object:
        parser = make()
        chunks = (
            data[at : at + _READ_BYTES] for at in range(0, len(data), _READ_BYTES)
        )
        return [parser.feed(chunk) for chunk in chunks]

    return parse


def _answered[T](steps: Handshake[T], response: Response) -> T | None:
    """Give a handshake the same answer to all its requests."""
    try:
        next(steps)
        for _ in range(_MOST_ANSWERS):
            steps.send(response)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        steps.close()
    return None


def _respond(body: bytes) -> Response:
    return Response(200, "OK", {}, body)


def _header(data: bytes) -> str:
    """Return a header's value as the parser of messages delivers it."""
    return data.replace(b"\n", b"").decode(errors="replace").strip()


def _remote(data: bytes) -> object:
    remotes = Remotes()
    remotes.add("0a0b0c0d0e01", 7, "stream", frozenset({"10.0.0.2"}), 0)
    parser = RequestParser()
    request = parser.feed(data)
    return remotes.answer(request, "10.0.0.2", 1.0) if request else None


def _facts(receiver: Receiver) -> list[object]:
    """Return all properties of a receiver."""
    names = [
        name
        for name, each in inspect.getmembers(type(receiver))
        if isinstance(each, property)
    ]
    return [getattr(receiver, name) for name in names]


def _record(data: bytes) -> object:
    txt = parse_record(data)
    raop = Service("0A0B0C0D0E01@Den", "10.0.0.7", 5000, txt)
    airplay = Service("Den", "10.0.0.7", 7000, txt)
    found = merge(raop, airplay)
    facts = [_facts(each) for each in (found, merge(raop, None), merge(None, airplay))]
    return facts, found.title


def _instance(data: bytes) -> object:
    name = data.decode(errors="replace")
    service = Service(name, "10.0.0.7", 7000, {"deviceid": name, "pk": name})
    known = merge(Service("0A0B0C0D0E01@Den", "10.0.0.7", 5000), None)
    check_id(known, name)
    key = key_of(service, {known.id: known}, is_raop=True)
    return completed(key, known, service, is_raop=True), merge(None, service)


def _announced(data: bytes) -> object:
    """Take a record as Home Assistant's zeroconf delivers it, and store what it says."""
    name, _, rest = data.decode(errors="replace").partition("\n")
    addresses, *texts = rest.split("\n")
    txt = {
        key: value or None for key, _, value in (each.partition("=") for each in texts)
    }
    kind = "_airplay._tcp.local."
    service = service_of(f"{name}.{kind}", kind, addresses.split(","), 7000, txt)
    if service is None:
        return None
    receiver = merge(None, service)
    stored = json.loads(json.dumps(receiver_data(receiver)))
    kept = receiver_from(stored)
    assert (kept.id, kept.airplay) == (receiver.id, service)
    return _facts(kept), unique_id(kept.id)


def _addresses(data: bytes) -> object:
    return rank_addresses(data.decode(errors="replace").split("\n"))


_DEN = merge(Service("Den", "10.0.0.7", 7000), None)


def _info(body: bytes) -> object:
    receiver = _answered(ask_info(_DEN), _respond(body))
    return receiver and _facts(receiver)


def _airplay2(body: bytes) -> object:
    terms = AirPlay2Terms(
        caller=_CALLER,
        client_name="Home",
        clock=SessionClock(id=1),
        session_uuid="0" * 8,
        group_uuid="1" * 8,
        peer_uuid="2" * 8,
    )
    session, response = AirPlay2Session(terms), _respond(body)
    stream = StreamSetup(
        kind=REALTIME, key=bytes(32), control_port=6001, connection_id=1
    )
    opened = _answered(session.set_up(), response)
    return (
        opened,
        _answered(session.feedback(), response),
        _answered(session.read_volume(), response),
        _answered(session.set_up_stream(stream), response),
    )


def _raop(head: bytes) -> object:
    """Open a session of AirPlay 1 with a receiver that gives the same answer always."""
    [*responses] = ResponseParser().feed(head[:_READ_BYTES])
    session = make_session(password="secret")
    for each in responses:
        if isinstance(each, Response):
            _answered(prepare(session), each)
            _answered(session.record(1, 1), each)
    return None


def _digest(data: bytes) -> object:
    challenge = Challenge.parse(_header(data))
    return attempts(challenge.realm)


def _apple_response(data: bytes) -> object:
    text = _header(data)
    challenge = octets("apple_challenge_synthetic", "challenge")
    return rsa.signed_id(text, challenge), rsa.is_answer_to(text, challenge, b"", b"")


def _event(body: bytes) -> object:
    head = b"POST /command RTSP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
    return [button_of(call) for call in CallParser().feed(head + body)]


def _pairing(body: bytes) -> object:
    return read_answer(_respond(body), 2)


_HOME_KIT = parse_credentials(word("credentials", "pyatv_hap"))
_LEGACY = parse_credentials(word("credentials", "pyatv_legacy"))
_PRIVATE = int.from_bytes(octets("legacy_pair_setup_pin", "a"))
_SETUP = LegacySetup(PairingClient.named("Home", word("legacy_pair_setup_pin", "user")))


def _pair_setup(body: bytes) -> object:
    return _answered(transient_setup(_PRIVATE), _respond(body))


def _pair_verify(body: bytes) -> object:
    private = octets("hap_pair_verify", "client_x25519_priv")
    return [
        _answered(verify(each, private), _respond(body))
        for each in (_HOME_KIT, _LEGACY)
    ]


def _legacy_setup(body: bytes) -> object:
    return _answered(_SETUP.finish("1234", _PRIVATE, bytes(32)), _respond(body))


def _ptp(datagram: bytes) -> object:
    kinds = (
        ptp.Header,
        ptp.PtpAnnounce,
        ptp.PtpSync,
        ptp.PtpFollowUp,
        ptp_requests.DelayRequest,
        ptp_requests.DelayResponse,
        ptp_requests.UnicastRequest,
    )
    return _one_of(datagram, *(kind.parse for kind in kinds))


def _rtp(packet: bytes) -> object:
    kinds = (rtp.TimingRequest, rtp.SyncPacket, rtp.ResendRequest, rtp.TimeAnnounce)
    return _one_of(packet, *(kind.parse for kind in kinds))


def _one_of(data: bytes, *parsers: Callable[[bytes], object]) -> list[object]:
    found: list[object] = []
    for parse in parsers:
        try:
            found.append(parse(data))
        except RaopError:
            continue
    return found


def _channel(received: bytes) -> object:
    return EncryptedChannel(_KEYS).feed(received)


def _credentials(data: bytes) -> object:
    return parse_credentials(data.decode(errors="replace"))


def _ports(data: bytes) -> object:
    return PortRange.parse(data.decode(errors="replace"))


def _transport(data: bytes) -> object:
    fields = parse_transport(_header(data))
    return transport_ports(fields, "server_port"), transport_ports(
        fields, "control_port"
    )


def _dacp(data: bytes) -> object:
    query = parse_qsl(data.decode(errors="replace"), keep_blank_values=True)
    return parse_request("setproperty", query)


def _stored_queue(data: bytes) -> object:
    try:
        stored = json.loads(data)
    except ValueError, RecursionError:
        return None
    queue = PlayQueue.from_dict(stored, Random(1))
    assert PlayQueue.from_dict(queue.as_dict(), Random(1)).as_dict() == queue.as_dict()
    return queue.snapshot()


def _address(data: bytes) -> object:
    item = QueueItem(id="1", content_id=data.decode(errors="replace"), content_type="a")
    return is_public(item)


def _playlist(data: bytes) -> object:
    return parse_playlist(data, "http://radio.example/list.m3u"), parse_playlist(
        data, "/media/list.pls"
    )


def _binary(value: dict[str, object]) -> bytes:
    return plistlib.dumps(value, fmt=plistlib.FMT_BINARY)


_INFO: dict[str, object] = {
    "deviceID": "0A:0B:0C:0D:0E:01",
    "features": 0x58340405C4A00,
    "statusFlags": 0x284,
    "model": "ShairportSync",
    "txtAirPlay": b"\x0afeatures=1\x07flags=2",
    "initialVolume": -12.5,
}
_SESSION: dict[str, object] = {
    "eventPort": 7001,
    "timingPeerInfo": {"Addresses": ["10.0.0.7", "fe80::1"], "ID": "x"},
    "streams": [{"type": 96, "dataPort": 6000, "controlPort": 6001, "sr": 44100.0}],
}
_COMMAND: dict[str, object] = {"type": "sendMediaRemoteCommand", "value": "paus"}
_PLISTS = tuple(
    plistlib.dumps(each, fmt=fmt)
    for each in (_INFO, _SESSION, _COMMAND)
    for fmt in (plistlib.FMT_BINARY, plistlib.FMT_XML)
)
_XML_FRAMES = (
    (b"<plist><dict><key>", b"</key><true/></dict></plist>"),
    (b"<plist><dict><key>a</key><string>", b"</string></dict></plist>"),
    (b"<plist><dict><key>a</key><data>", b"</data></dict></plist>"),
    (b"<plist><dict><key>a</key><integer>", b"</integer></dict></plist>"),
    (b"<plist><dict><key>a</key><array>", b"</array></dict></plist>"),
    (b"<plist ", b"><dict/></plist>"),
    (b"<!DOCTYPE plist [", b"]><plist><dict/></plist>"),
)
_XML_WORDS = (
    b"<array>", b"</array>", b"<dict>", b"</dict>", b"<key>", b"</key>", b"<true/>",
    b"<integer>", b"</integer>", b"<real>", b"<date>", b"<data>", b"&amp;", b"&#0;",
    b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml", b"encoding=", b"bplist00",
)  # fmt: skip
_OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n"
_TRANSPORT = b"RTP/AVP/UDP;unicast;mode=record;control_port=6001;server_port=6000-6001"
_DIGEST = b'Digest realm="raop", nonce="abc", qop="auth,auth-int", opaque="x"'
_RTSP_WORDS = (
    b"RTSP/1.0 ", b"200", b"401", b"204", b"100", b" OK", b"\r\n", b"\n", b"\r\n ",
    b"\0", b"$\0\0\4", b"CSeq: ", b"Content-Length: ", b"Transfer-Encoding: chunked",
    b"WWW-Authenticate: ", b"Transport: ", b"Session: ", b"Apple-Response: ", b"ffffffff",
    b"OPTIONS * ", b"99999999999999999999", b"-1", b'"', b"\\", b"=", b",", b";",
)  # fmt: skip
_RTSP_SEEDS = (
    _OK + b"\r\n",
    _OK + b"Content-Length: 3\r\n\r\nabc" + _OK + b"\r\n",
    _OK + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: x\r\n\r\n",
    b"RTSP/1.0 401 Unauthorized\r\nWWW-Authenticate: " + _DIGEST + b"\r\n\r\n",
    _OK + b"Transport: " + _TRANSPORT + b"\r\nSession: 1\r\nAudio-Latency: 99\r\n\r\n",
    b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
    b"$\0\0\4abcd\r\n\r\n\0" + _OK + b"\r\n",
)
_RTSP_FRAMES = (
    (b"", b"\r\n\r\n"),
    (_OK + b"X: ", b"\r\n\r\n"),
    (_OK + b"X", b": 1\r\n\r\n"),
    (_OK + b"Content-Length: ", b"\r\n\r\n"),
    (_OK + b"Transfer-Encoding: chunked\r\n\r\n", b""),
    (_OK + b"Content-Length: 1048576\r\n\r\n", b""),
    (_OK + b"\r\n", b""),
)
_POST = b"POST /ctrl-int/1/setproperty?dmcp.device-volume=-1 HTTP/1.0\r\n"
_HTTP_SEEDS = (
    b"GET /ctrl-int/1/play HTTP/1.1\r\nHost: x\r\nActive-Remote: 7\r\n\r\n",
    _POST + b"Active-Remote: 7\r\nContent-Length: 2\r\n\r\nab",
)
_HTTP_FRAMES = (
    (b"", b"\r\n\r\n"),
    (b"GET ", b" HTTP/1.1\r\nActive-Remote: 7\r\n\r\n"),
    (b"GET /", b" HTTP/1.1\r\nActive-Remote: 7\r\n\r\n"),
    (b"GET /?", b" HTTP/1.1\r\nActive-Remote: 7\r\n\r\n"),
    (b"GET / HTTP/1.1\r\nActive-Remote: ", b"\r\n\r\n"),
    (b"GET / HTTP/1.1\r\nActive-Remote: 7\r\nX:", b"\r\n\r\n"),
)
_HTTP_WORDS = (
    b"GET ", b"POST ", b"/ctrl-int/1/", b"setproperty?", b"dmcp.volume=", b" HTTP/1.1",
    b"dmcp.device-prevent-playback=", b"dacp.playingtime=", b"speaker-id=", b"nan",
    b"1e999", b"9" * 30, b"%ff", b"%", b"&", b"=", b"\r\n", b"Content-Length: ",
    b"Active-Remote: 7", b"Transfer-Encoding: ",
)  # fmt: skip
_TXT_WORDS = (
    b"\x04ft=1", b"\x0afeatures=", b"0x", b",", b"\x04pw=1", b"am=", b"et=0,1", b"cn=",
    b"sf=0x4", b"vs=220.68", b"deviceid=", b"model=AppleTV3,2", b"rmodel=", b"psi=",
)  # fmt: skip
_QUEUE = json.dumps(
    {
        "version": 1,
        "items": [{"id": "a", "content_id": "x", "content_type": "m", "track": 1}],
        "order": [0],
        "position": 0,
        "shuffle": False,
        "repeat": "off",
    }
).encode()

PARSERS: dict[str, Parser] = {
    "rtsp": Parser(_fed(ResponseParser), _RTSP_SEEDS, _RTSP_FRAMES, words=_RTSP_WORDS),
    "rtsp calls": Parser(
        _fed(CallParser),
        (b"POST /command RTSP/1.0\r\nContent-Length: 1\r\n\r\nx",),
        ((b"POST /command RTSP/1.0\r\nX: ", b"\r\n\r\n"), (b"", b"\r\n\r\n")),
        words=_RTSP_WORDS,
    ),
    "rtsp session": Parser(_raop, _RTSP_SEEDS, _RTSP_FRAMES, words=_RTSP_WORDS),
    "transport": Parser(_transport, (_TRANSPORT, b'a;"b,c";server_port=1-2')),
    "digest": Parser(
        _digest,
        (_DIGEST, b'Basic realm="x", Digest realm=a,nonce=b, algorithm=SHA-256'),
        ((b'Digest realm="', b'"'), (b'Digest realm="a", nonce="b", x', b"")),
        words=(b"Digest ", b"realm=", b"nonce=", b"algorithm=MD5-sess", b'"', b"\\"),
    ),
    "apple response": Parser(_apple_response, (b"QUJD" * 86,), ((b"", b"=="),)),
    "http": Parser(_remote, _HTTP_SEEDS, _HTTP_FRAMES, words=_HTTP_WORDS),
    "dacp": Parser(
        _dacp,
        (b"dmcp.device-volume=-12.5", b"dmcp.volume=4&include-speaker-id=0xa"),
        ((b"dmcp.volume=", b""), (b"dmcp.volume=1&speaker-id=", b"")),
        words=_HTTP_WORDS,
    ),
    "plist": Parser(
        plist.parse_plist, _PLISTS, _XML_FRAMES, words=_XML_WORDS, is_plist=True
    ),
    "info": Parser(_info, _PLISTS, _XML_FRAMES[-2:], words=_XML_WORDS, is_plist=True),
    "airplay 2 session": Parser(
        _airplay2, _PLISTS, _XML_FRAMES[-2:], words=_XML_WORDS, is_plist=True
    ),
    "event": Parser(_event, _PLISTS, _XML_FRAMES[-2:], words=_XML_WORDS, is_plist=True),
    "tlv8": Parser(
        tlv8.decode, (octets("tlv_m1_normal"), octets("tlv_fragment_384", "first"))
    ),
    "pairing": Parser(
        _pairing,
        (b"\6\1\2", b"\6\1\2\7\1\3\x08\2\x3c\0", b"\6\1\2\7\1\x09"),
        ((b"\6\1\2\7\1\3", b""), (b"\6\1\2\7", b"")),
    ),
    "pair-setup": Parser(
        _pair_setup,
        (
            tlv8.encode(
                {
                    tlv8.Tag.STATE: b"\2",
                    tlv8.Tag.SALT: b"x" * 16,
                    tlv8.Tag.PUBLIC_KEY: b"y" * 384,
                }
            ),
        ),
        is_whole=False,
    ),
    "pair-verify": Parser(
        _pair_verify,
        (octets("hap_pair_verify", "m2"), octets("legacy_pair_verify", "atv_reply")),
        is_whole=False,
    ),
    "legacy pair-setup": Parser(
        _legacy_setup,
        (_binary({"pk": b"x" * 256, "salt": b"y" * 16, "proof": b"z"}),),
        is_whole=False,
    ),
    "encrypted channel": Parser(
        _channel,
        (EncryptedChannel(ChannelKeys(_KEYS.read, _KEYS.write)).encrypt(b"abc"),),
    ),
    "dmap": Parser(dmap.parse, (dmap.now_playing("a", "b", "c", track=1),)),
    "volume": Parser(
        parse_volume_db,
        (b"volume: -12.5\r\n", b"\r\nvolume: -144.000000"),
        ((b"volume:", b"\r\n"), (b"", b"volume: 1"), (b"volume: 1", b"x")),
        words=(b"volume:", b"-", b".", b"\n"),
    ),
    "txt": Parser(
        _record,
        (
            b"\x0bft=0x1,0x2\x09am=Foo1,1\x06et=0,1\x04pw=0",
            b"\x0afeatures=1\x07flags=2",
        ),
        words=_TXT_WORDS,
    ),
    "instance": Parser(
        _instance, (b"0A0B0C0D0E01@Den", b"Den (2)", b"0a-0b-0c-0d-0e-01")
    ),
    "addresses": Parser(
        _addresses, (b"10.0.0.1\nfe80::1%eth0\n::1", b"169.254.1.1\nhost")
    ),
    "ptp": Parser(
        _ptp,
        (
            ptp.PtpAnnounce(ptp.PortIdentity(1), 1, 1).build(),
            ptp.PtpSync(ptp.PortIdentity(1), 1, 5).build(),
            ptp.PtpFollowUp(ptp.PortIdentity(1), 1, 5).build(),
            ptp_requests.delay_request(ptp.PortIdentity(1), 1),
            ptp_requests.signaling(ptp.PortIdentity(1), 1),
        ),
    ),
    "rtp": Parser(
        _rtp,
        (
            octets("timing_request"),
            octets("retransmit_request"),
            rtp.SyncPacket(1, 2, 3).build(),
            rtp.TimeAnnounce(1, 2, 3, 4).build(),
        ),
    ),
    "credentials": Parser(_credentials, (word("credentials", "pyatv_hap").encode(),)),
    "udp ports": Parser(
        _ports, (b"6001-6100", b" 6001 - 6100 "), refusals=(ValueError,)
    ),
    "commands": Parser(
        decode_command,
        (b'{"type":"Stop","id":1,"body":{"stream":"a"}}',),
        ((b'{"type":"', b'"}'), (b'{"id":', b"}")),
        words=(b"{", b"[", b"]", b"}", b'"', b"\\u0000", b"1e999", b"NaN", b"null"),
    ),
    "events": Parser(
        decode_event,
        (b'{"type":"LogLine","id":0,"body":{"level":1,"logger":"x","text":"a"}}',),
        ((b'{"type":"', b'"}'), (b'{"id":', b"}")),
        words=(b"{", b"[", b"]", b"}", b'"', b"\\u0000", b"1e999", b"NaN", b"null"),
    ),
    # Of Home Assistant's side.
    "playlist": Parser(
        _playlist,
        (
            b'#EXTM3U\n#EXTINF:12 a="b,c",Artist - Title\nhttp://a.example/b\n',
            b"[playlist]\nFile1=http://a.example/b\nTitle1=x\nLength1=-1\n",
        ),
        (
            (b"#EXTM3U\n#EXTINF:", b"\n"),
            (b"#EXTM3U\n", b"\n"),
            (b"[playlist]\nfile1=", b"b\n"),
            (b"[playlist]\n", b"\n"),
            (b"http://a.example/", b"\n"),
        ),
        (PlaylistError,),
        (
            b"#EXTINF:",
            b"#EXT-X-",
            b"[playlist]",
            b"File1=",
            b"http://",
            b"file:///",
            b"../",
        ),
    ),
    "announced record": Parser(
        _announced,
        (
            b"Den\n10.0.0.7,fe80::1%1\nfeatures=0x1,0x2\nflags=0x4\ndeviceid=0A:0B:0C:0D:0E:01",
        ),
        ((b"Den\n10.0.0.7\nfeatures=", b""), (b"Den\n10.0.0.7\n", b"")),
        (),
        _TXT_WORDS,
    ),
    "stored queue": Parser(
        _stored_queue,
        (_QUEUE,),
        ((b'{"version":1,"items":[', b"]}"),),
        words=(
            b"{",
            b"[",
            b"]",
            b"}",
            b'"',
            b"1e999",
            b"NaN",
            b"null",
            b"-1",
            b"9" * 5000,
        ),
    ),
    "address": Parser(
        _address,
        (b"http://a:b@example/c?token=x", b"http://[::1]/?a=1&b"),
        ((b"http://x/?", b""), (b"http://[", b"]@/?"), (b"http://x/?a=", b"")),
        words=(b"?", b"@", b"&", b"[", b"]", b"%", b"://", b"token="),
    ),
}
