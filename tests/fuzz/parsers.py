"""Every parser of foreign bytes, with examples of its input and what surrounds it.

`test_linear.py` measures each of them, `test_parsers.py` and `python -m tests.fuzz` feed
them mutated examples. A new parser is one more row in `PARSERS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
import gzip
import json
import plistlib

from custom_components.airplay.media.playlist import PlaylistError
from custom_components.airplay.raop.auth.channel import ChannelKeys, EncryptedChannel
from custom_components.airplay.raop.errors import RaopError
from custom_components.airplay.raop.messages import decode_command, decode_event
from custom_components.airplay.raop.wire import (
    dmap,
    plist,
    ptp,
    ptp_requests,
    rtp,
    tlv8,
)
from custom_components.airplay.raop.wire.parameters import parse_volume_db
from custom_components.airplay.raop.wire.rtsp import CallParser, ResponseParser
from tests.raop.vectors import octets, word

from .calls import (
    KEYS,
    fed,
    read_address,
    read_addresses,
    read_airplay2,
    read_announced,
    read_apple_response,
    read_channel,
    read_credentials,
    read_dacp,
    read_digest,
    read_event,
    read_info,
    read_instance,
    read_legacy_setup,
    read_pair_setup,
    read_pair_verify,
    read_pairing,
    read_playlist,
    read_ports,
    read_ptp,
    read_raop,
    read_record,
    read_remote,
    read_rtp,
    read_stored_queue,
    read_transport,
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
    "rtsp": Parser(fed(ResponseParser), _RTSP_SEEDS, _RTSP_FRAMES, words=_RTSP_WORDS),
    "rtsp calls": Parser(
        fed(CallParser),
        (b"POST /command RTSP/1.0\r\nContent-Length: 1\r\n\r\nx",),
        ((b"POST /command RTSP/1.0\r\nX: ", b"\r\n\r\n"), (b"", b"\r\n\r\n")),
        words=_RTSP_WORDS,
    ),
    "rtsp session": Parser(read_raop, _RTSP_SEEDS, _RTSP_FRAMES, words=_RTSP_WORDS),
    "transport": Parser(read_transport, (_TRANSPORT, b'a;"b,c";server_port=1-2')),
    "digest": Parser(
        read_digest,
        (_DIGEST, b'Basic realm="x", Digest realm=a,nonce=b, algorithm=SHA-256'),
        ((b'Digest realm="', b'"'), (b'Digest realm="a", nonce="b", x', b"")),
        words=(b"Digest ", b"realm=", b"nonce=", b"algorithm=MD5-sess", b'"', b"\\"),
    ),
    "apple response": Parser(read_apple_response, (b"QUJD" * 86,), ((b"", b"=="),)),
    "http": Parser(read_remote, _HTTP_SEEDS, _HTTP_FRAMES, words=_HTTP_WORDS),
    "dacp": Parser(
        read_dacp,
        (b"dmcp.device-volume=-12.5", b"dmcp.volume=4&include-speaker-id=0xa"),
        ((b"dmcp.volume=", b""), (b"dmcp.volume=1&speaker-id=", b"")),
        words=_HTTP_WORDS,
    ),
    "plist": Parser(
        plist.parse_plist, _PLISTS, _XML_FRAMES, words=_XML_WORDS, is_plist=True
    ),
    "info": Parser(
        read_info, _PLISTS, _XML_FRAMES[-2:], words=_XML_WORDS, is_plist=True
    ),
    "airplay 2 session": Parser(
        read_airplay2, _PLISTS, _XML_FRAMES[-2:], words=_XML_WORDS, is_plist=True
    ),
    "event": Parser(
        read_event, _PLISTS, _XML_FRAMES[-2:], words=_XML_WORDS, is_plist=True
    ),
    "tlv8": Parser(
        tlv8.decode, (octets("tlv_m1_normal"), octets("tlv_fragment_384", "first"))
    ),
    "pairing": Parser(
        read_pairing,
        (b"\6\1\2", b"\6\1\2\7\1\3\x08\2\x3c\0", b"\6\1\2\7\1\x09"),
        ((b"\6\1\2\7\1\3", b""), (b"\6\1\2\7", b"")),
    ),
    "pair-setup": Parser(
        read_pair_setup,
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
        read_pair_verify,
        (octets("hap_pair_verify", "m2"), octets("legacy_pair_verify", "atv_reply")),
        is_whole=False,
    ),
    "legacy pair-setup": Parser(
        read_legacy_setup,
        (_binary({"pk": b"x" * 256, "salt": b"y" * 16, "proof": b"z"}),),
        is_whole=False,
    ),
    "encrypted channel": Parser(
        read_channel,
        (EncryptedChannel(ChannelKeys(KEYS.read, KEYS.write)).encrypt(b"abc"),),
    ),
    "dmap": Parser(dmap.parse, (dmap.now_playing("a", "b", "c", track=1),)),
    "volume": Parser(
        parse_volume_db,
        (b"volume: -12.5\r\n", b"\r\nvolume: -144.000000"),
        ((b"volume:", b"\r\n"), (b"", b"volume: 1"), (b"volume: 1", b"x")),
        words=(b"volume:", b"-", b".", b"\n"),
    ),
    "txt": Parser(
        read_record,
        (
            b"\x0bft=0x1,0x2\x09am=Foo1,1\x06et=0,1\x04pw=0",
            b"\x0afeatures=1\x07flags=2",
        ),
        words=_TXT_WORDS,
    ),
    "instance": Parser(
        read_instance, (b"0A0B0C0D0E01@Den", b"Den (2)", b"0a-0b-0c-0d-0e-01")
    ),
    "addresses": Parser(
        read_addresses, (b"10.0.0.1\nfe80::1%eth0\n::1", b"169.254.1.1\nhost")
    ),
    "ptp": Parser(
        read_ptp,
        (
            ptp.PtpAnnounce(ptp.PortIdentity(1), 1, 1).build(),
            ptp.PtpSync(ptp.PortIdentity(1), 1, 5).build(),
            ptp.PtpFollowUp(ptp.PortIdentity(1), 1, 5).build(),
            ptp_requests.delay_request(ptp.PortIdentity(1), 1),
            ptp_requests.signaling(ptp.PortIdentity(1), 1),
        ),
    ),
    "rtp": Parser(
        read_rtp,
        (
            octets("timing_request"),
            octets("retransmit_request"),
            rtp.SyncPacket(1, 2, 3).build(),
            rtp.TimeAnnounce(1, 2, 3, 4).build(),
        ),
    ),
    "credentials": Parser(
        read_credentials, (word("credentials", "pyatv_hap").encode(),)
    ),
    "udp ports": Parser(
        read_ports, (b"6001-6100", b" 6001 - 6100 "), refusals=(ValueError,)
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
        read_playlist,
        (
            b'#EXTM3U\n#EXTINF:12 a="b,c",Artist - Title\nhttp://a.example/b\n',
            b"[playlist]\nFile1=http://a.example/b\nTitle1=x\nLength1=-1\n",
            b"[Reference]\nRef1=http://a.example/b\nRef2=http://b.example/c\n",
            b"# Mine\nhttp://a.example/b\n",
            (
                b'<?xml version="1.0"?><asx><base href="http://a.example/"><entry><title>A'
                b'&amp;B</title><author>C</author><ref href="d"/></entry></asx>'
            ),
            (
                b"<playlist><trackList><track><location>http://a.example/b</location>"
                b"<title><![CDATA[c]]></title><duration>1</duration></track></trackList>"
            ),
            gzip.compress(b"#EXTM3U\nhttp://a.example/b\n"),
            "#EXTM3U\nhttp://a.example/b\n".encode("utf-16"),
        ),
        (
            (b"#EXTM3U\n#EXTINF:", b"\n"),
            (b"#EXTM3U\n", b"\n"),
            (b"[playlist]\nfile1=", b"b\n"),
            (b"[playlist]\n", b"\n"),
            (b"http://a.example/", b"\n"),
            (b"#", b"\nhttp://a.example/\n"),
            (b"[Reference]\nRef1=", b"\n"),
            (b"<asx><entry>", b"</entry></asx>"),
            (b"<asx><entry><ref ", b"/></entry></asx>"),
            (b'<asx><entry><ref href="', b'"/></entry></asx>'),
            (b"<asx><entry><title>", b"</title><ref href='a'/></entry></asx>"),
            (b"<asx><!--", b"--></asx>"),
            (b"<playlist><trackList><track><location>", b"</location></track>"),
            (b"<?xml ", b"?><playlist><trackList/></playlist>"),
            (b"<!DOCTYPE x [", b"]><playlist><trackList/></playlist>"),
            (b"\xff\xfe", b"\n\0"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\3", b""),
        ),
        (PlaylistError,),
        (
            b"#EXTINF:",
            b"<!--",
            b"-->",
            b"<![CDATA[",
            b"]]>",
            b"<entry>",
            b"<track>",
            b"href=",
            b"&#",
            b"#EXT-X-",
            b"[playlist]",
            b"File1=",
            b"http://",
            b"file:///",
            b"../",
        ),
    ),
    "announced record": Parser(
        read_announced,
        (
            b"Den\n10.0.0.7,fe80::1%1\nfeatures=0x1,0x2\nflags=0x4\ndeviceid=0A:0B:0C:0D:0E:01",
        ),
        ((b"Den\n10.0.0.7\nfeatures=", b""), (b"Den\n10.0.0.7\n", b"")),
        (),
        _TXT_WORDS,
    ),
    "stored queue": Parser(
        read_stored_queue,
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
        read_address,
        (b"http://a:b@example/c?token=x", b"http://[::1]/?a=1&b"),
        ((b"http://x/?", b""), (b"http://[", b"]@/?"), (b"http://x/?a=", b"")),
        words=(b"?", b"@", b"&", b"[", b"]", b"%", b"://", b"token="),
    ),
}
