"""One RAOP session, from OPTIONS to TEARDOWN, without doing any IO.

Every step is a handshake: it yields requests, gets their responses, and returns what
came of it or raises an error that says what the receiver wants. Order, headers and
meaning of status codes: AirTunes 2 as spoken by iTunes, OwnTone and shairport-sync.
"""

from dataclasses import dataclass, field
from ipaddress import ip_address
import re
from typing import NoReturn

from ..auth import digest, rsa
from ..auth.auth_setup import auth_setup_request
from ..errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    UnsupportedReceiverError,
)
from ..messages import Tags
from ..receiver import Receiver
from ..wire import dmap, parameters, sdp
from ..wire.rtsp import Request, Response, parse_transport, transport_port
from .backlog import Format
from .handshake import Handshake

USER_AGENT = "iTunes/11.0.4 (Windows; N)"
_BUSY = (453, 503)
_UNSUPPORTED = (406, 415)
# Control characters, and halves of characters that no encoding has.
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a session is opened with; addresses are those of its TCP connection."""

    receiver: Receiver
    local: str
    remote: str
    session_id: int
    dacp_id: str
    active_remote: int
    client_name: str
    shape: Format
    control_port: int
    timing_port: int
    challenge: bytes
    password: str | None = field(default=None, repr=False)
    uses_auth_setup: bool = False


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the receiver takes audio and control packets."""

    audio: int
    control: int


class RaopSession:
    """The requests of one session and what their answers mean."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._url = f"rtsp://{_url_host(terms.local)}/{terms.session_id}"
        self._session: str | None = None
        self._challenge: digest.Challenge | None = None
        self._attempt = 0
        self.is_genuine: bool | None = None
        self.server: str | None = None

    def greet(self) -> Handshake[tuple[str, ...]]:
        """Ask what the receiver can do; proves the password where one is wanted."""
        headers: tuple[tuple[str, str], ...] = ()
        if self._terms.shape.key:
            nonce = rsa.encode_unpadded(self._terms.challenge)
            headers = (("Apple-Challenge", nonce),)
        response = yield from self._ask(Request("OPTIONS", "*", headers))
        if response.status == 403:
            raise PairingRequiredError("the receiver wants to be paired with its PIN")
        if response.status in (401, 470):
            _refuse("OPTIONS", response)
        self.server = response.header("server")
        if answer := response.header("apple-response"):
            self.is_genuine = self._check(answer)
        public = response.header("public") or ""
        return tuple(method.strip() for method in public.split(",") if method.strip())

    def open(self) -> Handshake[Ports]:
        """Go through everything up to SETUP; nothing sounds yet."""
        yield from self.greet()
        if self._terms.uses_auth_setup:
            # Its answer unlocks ANNOUNCE on MFi receivers and is of no other use;
            # others answer 404 or 500 and play all the same.
            yield from self._ask(auth_setup_request())
        response = yield from self._ask(self._announce())
        if response.status == 403 and not self._terms.uses_auth_setup:
            yield from self._ask(auth_setup_request())
            response = yield from self._ask(self._announce())
        _expect("ANNOUNCE", response)
        return (yield from self._setup())

    def record(self, sequence: int, rtptime: int) -> Handshake[int]:
        """Start the session at its first packet; return the receiver's own latency."""
        where = _rtp_info(sequence, rtptime)
        request = Request("RECORD", self._url, (("Range", "npt=0-"), where))
        response = yield from self._ask(request)
        _expect("RECORD", response)
        latency = response.header("audio-latency") or ""
        return int(latency) if latency.isdecimal() and len(latency) < 9 else 0

    def flush(self, sequence: int, rtptime: int) -> Handshake[None]:
        """Drop what the receiver holds; the given packet is the next one to come."""
        where = _rtp_info(sequence, rtptime)
        response = yield from self._ask(Request("FLUSH", self._url, (where,)))
        _expect("FLUSH", response)

    def volume(self, percent: float, *, is_muted: bool) -> Handshake[None]:
        """Set the level, in percent of the receiver's scale."""
        level = parameters.volume_db(percent, is_muted=is_muted)
        body = parameters.volume_body(level)
        yield from self._set("text/parameters", body)

    def read_volume(self) -> Handshake[float | None]:
        """Ask for the level, in percent; None where it is not told."""
        request = Request(
            "GET_PARAMETER", self._url, (), b"volume\r\n", "text/parameters"
        )
        response = yield from self._ask(request)
        level = parameters.parse_volume(response.body)
        return None if level is None else parameters.volume_percent(level)

    def text(
        self, tags: Tags, duration_ms: int | None, rtptime: int
    ) -> Handshake[None]:
        """Show title, artist and album; some receivers play nothing before this."""
        body = dmap.now_playing(
            tags.title,
            tags.artist,
            tags.album,
            album_artist=tags.album_artist,
            track=tags.track,
            duration_ms=duration_ms,
        )
        yield from self._set("application/x-dmap-tagged", body, _rtptime(rtptime))

    def artwork(self, content_type: str, data: bytes, rtptime: int) -> Handshake[None]:
        """Show a picture, or with type image/none take it away."""
        headers = [_rtptime(rtptime)]
        if not data:
            # A request without a body would not say its type, which is all there is.
            headers += [("Content-Type", content_type), ("Content-Length", "0")]
        yield from self._set(content_type, data, *headers)

    def progress(self, start: int, now: int, end: int) -> Handshake[None]:
        """Show the position: frames at which the media starts, is now, and ends."""
        body = parameters.progress_body(start, now, end)
        yield from self._set("text/parameters", body)

    def keep_alive(self) -> Handshake[None]:
        """Show that we are there; every 25 s is what HomePods and Apple TVs need."""
        yield from self._ask(Request("OPTIONS", "*"))

    def teardown(self) -> Handshake[None]:
        """End the session."""
        yield from self._ask(Request("TEARDOWN", self._url))

    def _announce(self) -> Request:
        terms = self._terms
        key = terms.shape.key
        body = sdp.announce_body(
            terms.session_id,
            terms.local,
            terms.remote,
            terms.shape.codec,
            key=rsa.encrypt_key(key.key) if key else None,
            iv=rsa.encode_unpadded(key.iv) if key else None,
        )
        name = _UNSPEAKABLE.sub(" ", terms.client_name)
        headers = (("X-Apple-Client-Name", name),)
        return Request("ANNOUNCE", self._url, headers, body, "application/sdp")

    def _setup(self) -> Handshake[Ports]:
        transport = (
            "RTP/AVP/UDP;unicast;interleaved=0-1;mode=record;"
            f"control_port={self._terms.control_port};"
            f"timing_port={self._terms.timing_port}"
        )
        request = Request("SETUP", self._url, (("Transport", transport),))
        response = yield from self._ask(request)
        _expect("SETUP", response)
        offered = response.header("transport")
        if offered is None:
            # shairport-sync turns every refusal of a second sender into a 200.
            raise ReceiverBusyError("the receiver plays for another sender")
        self._session = response.header("session")
        fields = parse_transport(offered)
        audio = transport_port(fields, "server_port")
        control = transport_port(fields, "control_port")
        if not audio or not control:
            raise ReceiverProtocolError("SETUP: the receiver names no ports")
        return Ports(audio, control)

    def _set(
        self, content_type: str, body: bytes, *headers: tuple[str, str]
    ) -> Handshake[None]:
        request = Request("SET_PARAMETER", self._url, headers, body, content_type)
        response = yield from self._ask(request)
        _expect(f"SET_PARAMETER {content_type}", response)

    def _ask(self, request: Request) -> Handshake[Response]:
        """Send one request; answer a 401 with every form of digest in the field.

        The form that worked before has the first turn, with the new nonce.
        """
        response = yield self._signed(request)
        for attempt in (self._attempt, *range(len(digest.ATTEMPTS))):
            if response.status != 401:
                return response
            if not self._terms.password:
                raise PasswordRequiredError("the receiver wants a password")
            wanted = response.header("www-authenticate") or ""
            self._challenge = digest.Challenge.parse(wanted)
            self._attempt = attempt
            response = yield self._signed(request)
        if response.status == 401:
            raise AuthenticationError("the receiver refused the password")
        return response

    def _signed(self, request: Request) -> Request:
        """Add what every request of this sender carries."""
        terms = self._terms
        headers = [
            ("User-Agent", USER_AGENT),
            ("Client-Instance", terms.dacp_id),
            ("DACP-ID", terms.dacp_id),
            ("Active-Remote", str(terms.active_remote)),
        ]
        if self._session and request.method not in ("OPTIONS", "ANNOUNCE", "SETUP"):
            headers.append(("Session", self._session))
        if self._challenge and terms.password:
            user, is_upper = digest.ATTEMPTS[self._attempt]
            proof = digest.authorization(
                self._challenge,
                user=user,
                password=terms.password,
                method=request.method,
                uri=request.uri,
                is_upper=is_upper,
            )
            headers.append(("Authorization", proof))
        return request.with_headers(*headers)

    def _check(self, answer: str) -> bool:
        terms = self._terms
        address = ip_address(terms.remote.partition("%")[0]).packed
        try:
            identity = bytes.fromhex(terms.receiver.id)
        except ValueError:
            return False
        return rsa.is_answer_to(answer, terms.challenge, address, identity)


def _expect(step: str, response: Response) -> None:
    if not 200 <= response.status < 300:
        _refuse(step, response)


def _refuse(step: str, response: Response) -> NoReturn:
    status = response.status
    if status in _BUSY:
        raise ReceiverBusyError("the receiver plays for another sender")
    if status in (403, 470):
        raise PairingRequiredError("the receiver wants to be paired with its PIN")
    if status in _UNSUPPORTED:
        raise UnsupportedReceiverError(f"{step}: the receiver refuses the format")
    raise ReceiverRefusedError(f"{step}: the receiver answered {status}")


def _rtp_info(sequence: int, rtptime: int) -> tuple[str, str]:
    return (
        "RTP-Info",
        f"seq={sequence & 0xFFFF};rtptime={rtptime & 0xFFFFFFFF}",
    )


def _rtptime(rtptime: int) -> tuple[str, str]:
    return ("RTP-Info", f"rtptime={rtptime & 0xFFFFFFFF}")


def _url_host(address: str) -> str:
    plain = address.partition("%")[0]
    return f"[{plain}]" if ":" in plain else plain
