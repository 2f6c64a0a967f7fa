"""The calls of parsers with foreign bytes, as the code around them makes them."""

from collections.abc import Callable
import inspect
import json
from random import Random
from urllib.parse import parse_qsl

from custom_components.airplay.discovery.entry_data import (
    receiver_data,
    receiver_from,
    unique_id,
)
from custom_components.airplay.discovery.records import service_of
from custom_components.airplay.media.play_queue import PlayQueue
from custom_components.airplay.media.playlist import (
    LocalPlace,
    PlaylistError,
    parse_playlist,
)
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
from custom_components.airplay.raop.wire import ptp, ptp_requests, rtp
from custom_components.airplay.raop.wire.addresses import rank_addresses
from custom_components.airplay.raop.wire.dacp import parse_request
from custom_components.airplay.raop.wire.handshake import Handshake
from custom_components.airplay.raop.wire.http import RequestParser
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
KEYS = ChannelKeys.events(_SECRET)
_CALLER = Caller(
    local="192.168.1.10",
    session_id=1,
    dacp_id="A1B2C3D4E5F60718",
    active_remote=42,
    password="secret",
)


def fed(
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


def read_remote(data: bytes) -> object:
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


def read_record(data: bytes) -> object:
    txt = parse_record(data)
    raop = Service("0A0B0C0D0E01@Den", "10.0.0.7", 5000, txt)
    airplay = Service("Den", "10.0.0.7", 7000, txt)
    found = merge(raop, airplay)
    facts = [_facts(each) for each in (found, merge(raop, None), merge(None, airplay))]
    return facts, found.title


def read_instance(data: bytes) -> object:
    name = data.decode(errors="replace")
    service = Service(name, "10.0.0.7", 7000, {"deviceid": name, "pk": name})
    known = merge(Service("0A0B0C0D0E01@Den", "10.0.0.7", 5000), None)
    check_id(known, name)
    key = key_of(service, {known.id: known}, is_raop=True)
    return completed(key, known, service, is_raop=True), merge(None, service)


def read_announced(data: bytes) -> object:
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


def read_addresses(data: bytes) -> object:
    return rank_addresses(data.decode(errors="replace").split("\n"))


_DEN = merge(Service("Den", "10.0.0.7", 7000), None)


def read_info(body: bytes) -> object:
    receiver = _answered(ask_info(_DEN), _respond(body))
    return receiver and _facts(receiver)


def read_airplay2(body: bytes) -> object:
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


def read_raop(head: bytes) -> object:
    """Open a session of AirPlay 1 with a receiver that gives the same answer always."""
    [*responses] = ResponseParser().feed(head[:_READ_BYTES])
    session = make_session(password="secret")
    for each in responses:
        if isinstance(each, Response):
            _answered(prepare(session), each)
            _answered(session.record(1, 1), each)
    return None


def read_digest(data: bytes) -> object:
    challenge = Challenge.parse(_header(data))
    return attempts(challenge.realm)


def read_apple_response(data: bytes) -> object:
    text = _header(data)
    challenge = octets("apple_challenge_synthetic", "challenge")
    return rsa.signed_id(text, challenge), rsa.is_answer_to(text, challenge, b"", b"")


def read_event(body: bytes) -> object:
    head = b"POST /command RTSP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
    return [button_of(call) for call in CallParser().feed(head + body)]


def read_pairing(body: bytes) -> object:
    return read_answer(_respond(body), 2)


_HOME_KIT = parse_credentials(word("credentials", "pyatv_hap"))
_LEGACY = parse_credentials(word("credentials", "pyatv_legacy"))
_PRIVATE = int.from_bytes(octets("legacy_pair_setup_pin", "a"))
_SETUP = LegacySetup(PairingClient.named("Home", word("legacy_pair_setup_pin", "user")))


def read_pair_setup(body: bytes) -> object:
    return _answered(transient_setup(_PRIVATE), _respond(body))


def read_pair_verify(body: bytes) -> object:
    private = octets("hap_pair_verify", "client_x25519_priv")
    return [
        _answered(verify(each, private), _respond(body))
        for each in (_HOME_KIT, _LEGACY)
    ]


def read_legacy_setup(body: bytes) -> object:
    return _answered(_SETUP.finish("1234", _PRIVATE, bytes(32)), _respond(body))


def read_ptp(datagram: bytes) -> object:
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


def read_rtp(packet: bytes) -> object:
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


def read_channel(received: bytes) -> object:
    return EncryptedChannel(KEYS).feed(received)


def read_credentials(data: bytes) -> object:
    return parse_credentials(data.decode(errors="replace"))


def read_ports(data: bytes) -> object:
    return PortRange.parse(data.decode(errors="replace"))


def read_transport(data: bytes) -> object:
    fields = parse_transport(_header(data))
    return transport_ports(fields, "server_port"), transport_ports(
        fields, "control_port"
    )


def read_dacp(data: bytes) -> object:
    query = parse_qsl(data.decode(errors="replace"), keep_blank_values=True)
    return parse_request("setproperty", query)


def read_stored_queue(data: bytes) -> object:
    try:
        stored = json.loads(data)
    except ValueError, RecursionError:
        return None
    queue = PlayQueue.from_dict(stored, Random(1))
    assert PlayQueue.from_dict(queue.as_dict(), Random(1)).as_dict() == queue.as_dict()
    return queue.snapshot()


def read_address(data: bytes) -> object:
    item = QueueItem(id="1", content_id=data.decode(errors="replace"), content_type="a")
    return is_public(item)


def read_playlist(data: bytes) -> object:
    place = LocalPlace("/media/music/list.pls", "/media", "media-source://x/local/")
    entries, error = [], None
    # What one of them refuses is work for the other: else a byte more might double it.
    for origin in ("http://radio.example/list.m3u", place):
        try:
            entries.append(parse_playlist(data, origin))
        except PlaylistError as err:
            error = err
    if error:
        raise error
    return entries
