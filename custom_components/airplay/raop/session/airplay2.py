"""One AirPlay 2 session, from SETUP to TEARDOWN, without IO.

Every step is a handshake on an encrypted connection. The steps are, in order,
`set_up`, the event channel, `record`, `set_peers`, `set_up_stream`: no other order
works with all receivers (Samsung, Sonos, Apple TV; owntone, cliairplay).
Keys of the property lists: as iOS sends them and shairport-sync reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import ClassVar, override

from ..errors import ReceiverProtocolError, ReceiverRefusedError
from ..wire.addresses import plain_address
from ..wire.handshake import Handshake
from ..wire.plist import build_plist, number_of, parse_plist, port_of, signed
from ..wire.rtp import FRAMES_PER_PACKET, SAMPLE_RATE, buffered_sequence
from ..wire.rtsp import Request, Response
from .control import Caller, ControlSession, expect

_BPLIST = "application/x-apple-binary-plist"
_SOURCE_VERSION = "690.7.1"
# The format of our packets in the tables of SETUP: ALAC, 44100 Hz, 16 bit, stereo.
_ALAC = 2
_ALAC_44100_16 = 1 << 18
REALTIME = 96
BUFFERED = 103
_LEAST_LATENCY_FRAMES = 11_025
_MOST_LATENCY_FRAMES = 88_200
# Enough for both receivers of a stereo pair, with IPv4 and IPv6.
_MOST_ADDRESSES = 8
# How much of an answer is quoted.
_MOST_NAMES = 8
_MOST_CHARACTERS = 100
_FRACTION_BITS = 64
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClock:
    """How the receiver gets our time: it follows a PTP clock, or sends requests."""

    id: int | None = None
    timing_port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirPlay2Terms:
    """The parameters of a session; the three ids are random UUIDs in upper case."""

    caller: Caller
    client_name: str
    clock: SessionClock
    session_uuid: str
    group_uuid: str
    peer_uuid: str


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A receiver's answer for a session: its event port and its own addresses."""

    event_port: int | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSetup:
    """The stream to set up; `kind` is REALTIME or BUFFERED."""

    kind: int
    key: bytes = field(repr=False)
    control_port: int | None
    connection_id: int


@dataclass(frozen=True, slots=True)
class StreamPorts:
    """The receiver's ports for audio and control packets."""

    audio: int
    control: int | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A frame and the time of the receiver's clock at which it plays."""

    frame: int
    time_ns: int
    clock_id: int


class AirPlay2Session(ControlSession):
    """The requests of one session and the meaning of their answers."""

    USER_AGENT: ClassVar[str] = "AirPlay/670.6.2"

    def __init__(self, terms: AirPlay2Terms) -> None:
        super().__init__(terms.caller, terms.session_uuid.replace("-", ""))
        self._terms = terms

    def set_up(self) -> Handshake[OpenedSession]:
        """Open the session and set its clock."""
        answer = yield from self._ask_plist("SETUP", self._session_body())
        try:
            port = port_of(answer, "eventPort")
        except ReceiverProtocolError:
            # It is not needed for sound.
            port = None
        info = answer.get("timingPeerInfo")
        found = info.get("Addresses") if isinstance(info, dict) else None
        return OpenedSession(port, _addresses(found if isinstance(found, list) else []))

    def record(self) -> Handshake[None]:
        """Send RECORD; before the stream's SETUP, or some receivers never play."""
        expect("RECORD", (yield from self._ask(Request("RECORD", self._url))))

    def set_peers(self, addresses: Sequence[str]) -> Handshake[None]:
        """Send the addresses of all possible clocks, the receiver's own one first."""
        yield from self._send_plist("SETPEERS", list(addresses))

    def set_up_stream(self, stream: StreamSetup) -> Handshake[StreamPorts]:
        """Open a stream and return the ports for its packets.

        Raises ReceiverRefusedError: the receiver opens no stream.
        Raises ReceiverProtocolError: it names no ports.
        """
        body: dict[str, object] = {"streams": [_stream_body(stream)]}
        answer = yield from self._ask_plist("SETUP", body)
        named = _stream(answer.get("streams"), stream.kind)
        audio, control = port_of(named, "dataPort"), port_of(named, "controlPort")
        if audio is None or (control is None and stream.kind == REALTIME):
            missing = "dataPort" if audio is None else "controlPort"
            names = ", ".join(sorted(named)[:_MOST_NAMES])[:_MOST_CHARACTERS]
            text = f"SETUP: no {missing}, only {names or 'nothing'}"
            raise ReceiverProtocolError(text)
        return StreamPorts(audio, control)

    @override
    def keep_alive(self) -> Handshake[None]:
        """Keep the session alive."""
        yield from self.feedback()

    def feedback(self) -> Handshake[float | None]:
        """Keep the session alive; return the sample rate that the receiver reports.

        For a buffered stream 0 means that clock or codec are not understood; None means
        that nothing is reported.
        """
        response = yield from self._ask(Request("POST", "/feedback"))
        expect("/feedback", response)
        if not response.body:
            return None
        streams = _answer(response).get("streams")
        for each in streams if isinstance(streams, list) else []:
            rate = each.get("sr") if isinstance(each, dict) else None
            if isinstance(rate, int | float):
                return float(rate)
        return None

    def run(self) -> Handshake[None]:
        """Start a buffered stream before its anchor is set.

        shairport-sync crashes on an anchor before its first packet (measured), but not
        after this request.
        """
        yield from self._send_plist("SETRATEANCHORTIME", {"rate": 1})

    def anchor(self, anchor: Anchor) -> Handshake[None]:
        """Set the time at which a frame of a buffered stream plays."""
        seconds, rest_ns = divmod(anchor.time_ns, _SECOND_NS)
        body = {
            "rate": 1,
            "rtpTime": anchor.frame & 0xFFFFFFFF,
            "networkTimeSecs": seconds,
            "networkTimeFrac": signed((rest_ns << _FRACTION_BITS) // _SECOND_NS),
            "networkTimeTimelineID": signed(anchor.clock_id),
            "networkTimeFlags": 0,
        }
        yield from self._send_plist("SETRATEANCHORTIME", body)

    def halt(self) -> Handshake[None]:
        """Stop a buffered stream at its position."""
        yield from self._send_plist("SETRATEANCHORTIME", {"rate": 0})

    def flush_buffered(self, sequence: int, rtptime: int) -> Handshake[None]:
        """Drop the packets of a buffered stream; the given packet is the next."""
        body = {
            "flushUntilSeq": buffered_sequence(sequence),
            "flushUntilTS": rtptime & 0xFFFFFFFF,
        }
        yield from self._send_plist("FLUSHBUFFERED", body)

    @override
    def teardown(self) -> Handshake[None]:
        """End the session."""
        yield from self._ask(self._plist("TEARDOWN", {}))

    @override
    def _place(self, rtptime: int) -> tuple[tuple[str, str], ...]:
        # Sonos plays nothing without this header.
        return (("RTP-Info", f"rtptime={rtptime & 0xFFFFFFFF}"),)

    def _session_body(self) -> dict[str, object]:
        terms = self._terms
        octets = [f"{byte:02X}" for byte in bytes.fromhex(terms.caller.dacp_id)]
        body: dict[str, object] = {
            "deviceID": ":".join(octets),
            "macAddress": ":".join(octets[:6]),
            "sessionUUID": terms.session_uuid,
            "groupUUID": terms.group_uuid,
            "groupContainsGroupLeader": False,
            "isMultiSelectAirPlay": True,
            "senderSupportsRelay": False,
            "name": terms.client_name,
            "model": "iPhone14,3",
            "osName": "iPhone OS",
            "osVersion": "16.0",
            "sourceVersion": _SOURCE_VERSION,
        }
        if terms.clock.id is None:
            return body | {
                "timingProtocol": "NTP",
                "timingPort": terms.clock.timing_port or 0,
            }
        peer = {
            "ID": terms.peer_uuid,
            "DeviceType": 0,
            "ClockID": signed(terms.clock.id),
            "SupportsClockPortMatchingOverride": False,
            "Addresses": [terms.caller.local.partition("%")[0]],
        }
        return body | {
            "timingProtocol": "PTP",
            "timingPeerInfo": peer,
            "timingPeerList": [peer],
        }

    def _plist(
        self, method: str, body: Mapping[str, object] | Sequence[str]
    ) -> Request:
        return Request(method, self._url, (), build_plist(body), _BPLIST)

    def _ask_plist(
        self, method: str, body: dict[str, object]
    ) -> Handshake[dict[str, object]]:
        response = yield from self._ask(self._plist(method, body))
        expect(method, response)
        return _answer(response)

    def _send_plist(
        self, method: str, body: Mapping[str, object] | Sequence[str]
    ) -> Handshake[None]:
        expect(method, (yield from self._ask(self._plist(method, body))))


def _stream_body(stream: StreamSetup) -> dict[str, object]:
    body: dict[str, object] = {
        "type": stream.kind,
        "ct": _ALAC,
        "audioFormat": _ALAC_44100_16,
        "spf": FRAMES_PER_PACKET,
        "sr": SAMPLE_RATE,
        "shk": stream.key,
        "audioMode": "default",
        "isMedia": True,
        "supportsDynamicStreamID": False,
        "streamConnectionID": stream.connection_id,
    }
    if stream.control_port is not None:
        body["controlPort"] = stream.control_port
    if stream.kind == REALTIME:
        # A buffered Sonos would add this latency.
        body["latencyMin"] = _LEAST_LATENCY_FRAMES
        body["latencyMax"] = _MOST_LATENCY_FRAMES
    return body


def _answer(response: Response) -> dict[str, object]:
    return parse_plist(response.body) if response.body else {}


def _stream(streams: object, kind: int) -> Mapping[str, object]:
    """Return the answer for our stream; others may be listed before it.

    Raises ReceiverRefusedError: it is not there. That is shairport-sync's answer if it
    requires another kind of clock.
    """
    listed = streams if isinstance(streams, list) else []
    known = [each for each in listed if isinstance(each, dict)]
    for each in known:
        if number_of(each.get("type")) == kind:
            return each
    for each in known:
        if "type" not in each:
            return each
    raise ReceiverRefusedError("SETUP: the receiver opens no stream")


def _addresses(found: Sequence[object]) -> tuple[str, ...]:
    """Return the addresses that a receiver of this network may name."""
    addresses = []
    for each in found[:_MOST_ADDRESSES]:
        try:
            address = ip_address(each) if isinstance(each, str) else None
        except ValueError:
            continue
        if address is None or address.is_multicast or address.is_unspecified:
            continue
        if (address.is_private or address.is_link_local) and not address.is_loopback:
            # A zone is that of the receiver, and may be of any length.
            addresses.append(plain_address(str(address)))
    return tuple(addresses)
