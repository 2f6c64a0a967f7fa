"""One RAOP session, from OPTIONS to TEARDOWN, without IO.

Every step is a handshake: it yields requests, gets their responses, and returns the
result or raises an error for what the receiver requires. Order, headers, and meaning
of status codes: AirTunes 2 as in iTunes, OwnTone, and shairport-sync.
"""

from dataclasses import dataclass, field, replace
from ipaddress import ip_address
import re
from typing import ClassVar, override

from ..auth import rsa
from ..auth.auth_setup import auth_setup_request
from ..errors import PairingRequiredError, ReceiverBusyError, ReceiverProtocolError
from ..receiver import Receiver
from ..receiver_identity import check_id, split_instance
from ..wire import sdp
from ..wire.handshake import Handshake
from ..wire.rtsp import Request, parse_transport, transport_port, transport_ports
from .backlog import AudioKey, Format
from .control import Caller, ControlSession, expect, refuse, rtp_info

USER_AGENT = "iTunes/11.0.4 (Windows; N)"
# Control characters, and surrogates, which no encoding represents.
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RaopTerms:
    """The parameters of a session; addresses are those of its TCP connection."""

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
    digest: int = 0


@dataclass(frozen=True, slots=True)
class RaopPorts:
    """The receiver's ports for audio and control packets."""

    audio: int
    control: int


class RaopSession(ControlSession):
    """The requests of one session and the meaning of their answers."""

    USER_AGENT: ClassVar[str] = USER_AGENT

    def __init__(self, terms: RaopTerms) -> None:
        caller = Caller(
            local=terms.local,
            session_id=terms.session_id,
            dacp_id=terms.dacp_id,
            active_remote=terms.active_remote,
            password=terms.password,
            digest=terms.digest,
        )
        super().__init__(caller, terms.challenge.hex())
        self._terms = terms
        self.is_genuine: bool | None = None
        # Whether it decrypts RSA, as its answer to the challenge shows.
        self.has_key = False

    def greet(self) -> Handshake[None]:
        """Ask the receiver for its methods; prove the password if it requires one.

        A receiver that answers the challenge has the key of the AirPort Express, and
        so decrypts RSA.

        Raises WrongReceiverError: another receiver answers.
        Raises PairingRequiredError: the receiver requires pairing.
        Raises AuthenticationError: it requires a password, or another one.
        """
        headers: tuple[tuple[str, str], ...] = ()
        if self._terms.shape.key or self._terms.receiver.is_unknown:
            nonce = rsa.encode_unpadded(self._terms.challenge)
            headers = (("Apple-Challenge", nonce),)
        response = yield from self._ask(Request("OPTIONS", "*", headers))
        if response.status == 403:
            raise PairingRequiredError("the receiver requires pairing by PIN")
        if response.status in (401, 470):
            refuse("OPTIONS", response)
        if answer := response.header("apple-response"):
            self.has_key = True
            self.is_genuine = self._check(answer)
            if found := rsa.signed_id(answer, self._terms.challenge):
                check_id(self._terms.receiver, found.hex())

    def encrypt(self, shape: Format) -> None:
        """Announce an encrypted stream, before `announce`."""
        self._terms = replace(self._terms, shape=shape)

    def announce(self) -> Handshake[RaopPorts]:
        """Do the steps after `greet` up to SETUP; nothing plays yet.

        Raises ReceiverBusyError: another sender plays.
        Raises RaopError: see `refuse`.
        """
        if self._terms.uses_auth_setup:
            # It unlocks ANNOUNCE on MFi receivers and has no other use; others
            # answer 404 or 500 and still play.
            yield from self._ask(auth_setup_request())
        expect("ANNOUNCE", (yield from self._ask(self._announce())))
        return (yield from self._setup())

    def record(self, sequence: int, rtptime: int) -> Handshake[int]:
        """Start the session at its first packet; return the receiver's own latency."""
        where = rtp_info(sequence, rtptime)
        request = Request("RECORD", self._url, (("Range", "npt=0-"), where))
        response = yield from self._ask(request)
        expect("RECORD", response)
        latency = response.header("audio-latency") or ""
        return int(latency) if latency.isdecimal() and len(latency) < 9 else 0

    @override
    def keep_alive(self) -> Handshake[None]:
        """Keep the session alive; HomePods and Apple TVs need this every 25 s."""
        yield from self._ask(Request("OPTIONS", "*"))

    @override
    def teardown(self) -> Handshake[None]:
        """End the session."""
        yield from self._ask(Request("TEARDOWN", self._url))

    def _announce(self) -> Request:
        terms = self._terms
        key = terms.shape.key if isinstance(terms.shape.key, AudioKey) else None
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

    def _setup(self) -> Handshake[RaopPorts]:
        transport = (
            "RTP/AVP/UDP;unicast;interleaved=0-1;mode=record;"
            f"control_port={self._terms.control_port};"
            f"timing_port={self._terms.timing_port}"
        )
        request = Request("SETUP", self._url, (("Transport", transport),))
        response = yield from self._ask(request)
        expect("SETUP", response)
        offered = response.header("transport")
        if offered is None:
            # shairport-sync turns every refusal of a second sender into a 200.
            raise ReceiverBusyError("the receiver plays for another sender")
        self._session = response.header("session")
        fields = parse_transport(offered)
        # The second port of a range is the one for control packets (RFC 2326 §12.39).
        audio, *others = transport_ports(fields, "server_port") or (0,)
        others.insert(0, transport_port(fields, "control_port") or 0)
        control = next(filter(None, others), 0)
        for name, port in (("server_port", audio), ("control_port", control)):
            if not port:
                text = f"SETUP: the receiver names no {name}: {offered[:200]!r}"
                raise ReceiverProtocolError(text)
        return RaopPorts(audio, control)

    def _check(self, answer: str) -> bool:
        terms = self._terms
        address = ip_address(terms.remote.partition("%")[0]).packed
        try:
            own = split_instance(terms.receiver.id)[0] or terms.receiver.id
            identity = bytes.fromhex(own)
        except ValueError:
            return False
        return rsa.is_answer_to(answer, terms.challenge, address, identity)
