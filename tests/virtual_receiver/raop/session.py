"""The RTSP side of one sender's session, without any socket."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
import re
from typing import Protocol

from tests.virtual_receiver.network.rtsp import Request, Response, parse_parameters
from tests.virtual_receiver.pairing import Visitor
from tests.virtual_receiver.quirks import Quirks

from .digest import challenge, is_authorized
from .metadata import Song
from .parameters import ParameterHost, Parameters, is_volume, rtptime_of
from .sdp import Announcement, SdpError, parse_sdp

PUBLIC = (
    "ANNOUNCE, SETUP, RECORD, PAUSE, FLUSH, TEARDOWN, OPTIONS, "
    "GET_PARAMETER, SET_PARAMETER"
)
DEFAULT_VOLUME_DB = -24.0
RATE = 44100
HANG_UP = Response(0, close=True)
"""Stands for the end of the connection without any answer."""

_AIRPLAY = re.compile(r"AirPlay/(\d+)")


class SessionState(Enum):
    """How far a sender has come."""

    CONNECTED = auto()
    ANNOUNCED = auto()
    READY = auto()
    RECORDING = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Ports:
    """UDP ports of one side; the sender has no audio port."""

    control: int
    timing: int
    audio: int = 0


class Host(ParameterHost, Protocol):
    """The receiver around a session: sockets, player, and permission to play."""

    def claim(self, session: Session) -> bool:
        """Make this session the one that plays; False when another one does."""

    def open_stream(self, session: Session, ports: Ports) -> Ports:
        """Open the UDP ports for the announced stream and return them."""

    def record(self, session: Session, rtptime: int | None) -> None:
        """Begin to play."""

    def flush(self, session: Session, rtptime: int | None) -> None:
        """Drop all queued audio."""

    def teardown(self, session: Session) -> None:
        """End the stream and close its ports."""


class Session:
    """One connection's state machine: requests in, responses out."""

    def __init__(
        self,
        host: Host,
        quirks: Quirks,
        *,
        password: str | None = None,
        nonce: str = "dGVzdG5vbmNl",
        audio_latency_frames: int = 11025,
        volume_db: float = DEFAULT_VOLUME_DB,
        song: Song | None = None,
        visitor: Visitor | None = None,
        info: bytes | None = None,
    ) -> None:
        """Accept a new connection; `info` is the answer to GET /info."""
        self._visitor = visitor
        self._info = info
        self._host = host
        self._quirks = quirks
        self._password = password
        self._nonce = nonce
        self._audio_latency_frames = audio_latency_frames
        self._is_auth_set_up = False
        self._last_cseq = 0
        self._parameters = Parameters(host, quirks, volume_db, song or Song())
        self.state = SessionState.CONNECTED
        self.announcement: Announcement | None = None
        self.airplay_version = 0
        self.dacp_id: str | None = None
        self.active_remote: str | None = None
        self.client_name: str | None = None
        self._methods: dict[str, Callable[[Request], Response]] = {
            "OPTIONS": self._options,
            "ANNOUNCE": self._announce,
            "SETUP": self._setup,
            "RECORD": self._record,
            "SET_PARAMETER": self._set_parameter,
            "GET_PARAMETER": self._get_parameter,
            "FLUSH": self._flush,
            "TEARDOWN": self._teardown,
            "POST": self._post,
            "GET": self._get,
        }

    @property
    def volume_db(self) -> float:
        """Return the volume in force."""
        return self._parameters.volume_db

    @property
    def secret(self) -> bytes | None:
        """The encryption of the connection, after a pairing that requires it."""
        return self._visitor.secret if self._visitor else None

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        self._check(request)
        if self._visitor and (response := self._visitor.stop(request)):
            return response
        if not self._is_allowed(request):
            wanted = challenge(self._nonce, self._quirks.digest_extra)
            return Response(401, {"WWW-Authenticate": wanted})
        if self._quirks.applies(self._quirks.refuse_as_200, request.method):
            return Response()
        if status := self._refusal(request):
            return Response(status)
        method = self._methods.get(request.method)
        return method(request) if method is not None else Response(501)

    def answers(self, request: Request) -> bool:
        """Return whether a request gets an answer at all."""
        quirks = self._quirks
        if quirks.volume_unanswered and is_volume(request):
            return False
        is_left = quirks.applies(quirks.raop_unanswered, request.method)
        if is_left and self._is_classic(request):
            return False
        is_left = quirks.applies(quirks.unanswered, request.method)
        return not is_left and request.uri not in quirks.unanswered

    @property
    def is_silenced(self) -> bool:
        """Return whether the sender has silenced this receiver by /auth-setup."""
        return self._quirks.auth_setup_silences and self._is_auth_set_up

    @property
    def is_deaf(self) -> bool:
        """Return whether audio is thrown away."""
        return self._quirks.raop_accepted_and_silent or self.is_silenced

    def sound(self) -> None:
        """Note that the first frame is played."""
        self._parameters.sound()

    def close(self) -> None:
        """Handle the end of the connection."""
        if self.state is not SessionState.CLOSED:
            self.state = SessionState.CLOSED
            self._host.teardown(self)

    def _check(self, request: Request) -> None:
        cseq = request.headers.get("cseq", "")
        if not cseq and request.protocol.startswith("HTTP"):
            pass
        elif not cseq.isdigit():
            self._host.violation(f"{request.method} without CSeq")
        elif int(cseq) <= self._last_cseq:
            self._host.violation(f"{request.method} with CSeq {cseq} again")
        else:
            self._last_cseq = int(cseq)
        active_remote = request.headers.get("active-remote")
        if active_remote is not None and not (
            active_remote.isdigit() and int(active_remote) <= 0xFFFFFFFF
        ):
            self._host.violation(f"Active-Remote is {active_remote!r}")

    def _refusal(self, request: Request) -> int | None:
        """Return the status with which a request is refused, if it is."""
        status = self._quirks.refuse.get(request.method)
        if status is None and self._is_classic(request):
            status = self._quirks.raop_refuse.get(request.method)
        return status

    def _is_classic(self, _: Request) -> bool:
        """Return whether a request belongs to AirPlay 1."""
        return True

    def _is_allowed(self, request: Request) -> bool:
        return self._password is None or is_authorized(
            request.headers.get("authorization"),
            request.method,
            request.uri,
            password=self._password,
            nonce=self._nonce,
            upper=self._quirks.uppercase_digest,
            user=self._quirks.digest_user,
            extra=self._quirks.digest_extra,
        )

    def _options(self, _: Request) -> Response:
        return Response(headers={"Public": PUBLIC})

    def _announce(self, request: Request) -> Response:
        if self._quirks.requires_auth_setup and not self._is_auth_set_up:
            return Response(403)
        if request.content_type != "application/sdp":
            self._host.violation(f"ANNOUNCE with {request.content_type!r}")
        try:
            announcement = parse_sdp(request.body)
        except SdpError as err:
            self._host.violation(f"ANNOUNCE: {err}")
            return Response(406)
        if self._quirks.needs_rsa and announcement.encrypted_key is None:
            status = self._quirks.needs_rsa_status
            return Response(status) if status else HANG_UP
        if not self._host.claim(self):
            return Response(453)
        self.announcement = announcement
        version = _AIRPLAY.search(request.headers.get("user-agent", ""))
        self.airplay_version = int(version[1]) if version else 0
        self.client_name = request.headers.get("x-apple-client-name")
        self.state = SessionState.ANNOUNCED
        return Response()

    def _setup(self, request: Request) -> Response:
        if self.state is not SessionState.ANNOUNCED:
            self._host.violation(f"SETUP while {self.state.name}")
            return Response(455)
        transport = parse_parameters(request.headers.get("transport", ""), ";")
        ports = _ports(transport)
        if ports is None:
            self._host.violation(f"SETUP with Transport {transport}")
            return Response(461)
        self.dacp_id = request.headers.get("dacp-id")
        self.active_remote = request.headers.get("active-remote")
        own = self._host.open_stream(self, ports)
        self.state = SessionState.READY
        timing = 0 if self._quirks.zero_timing_port else own.timing
        return Response(
            headers={
                "Session": "1",
                "Transport": "RTP/AVP/UDP;unicast;mode=record;"
                f"control_port={own.control};timing_port={timing};"
                f"server_port={own.audio}",
            }
        )

    def _record(self, request: Request) -> Response:
        if self.state is not SessionState.READY:
            self._host.violation(f"RECORD while {self.state.name}")
            return Response(455)
        self._check_session(request)
        self.state = SessionState.RECORDING
        self._parameters.start()
        self._host.record(self, rtptime_of(request))
        latency_ms = self._quirks.raop_audio_latency_ms
        frames = latency_ms * RATE // 1000 or self._audio_latency_frames
        return Response(headers={"Audio-Latency": str(frames)})

    def _flush(self, request: Request) -> Response:
        if self.state is not SessionState.RECORDING:
            self._host.violation(f"FLUSH while {self.state.name}")
            return Response(455)
        self._check_session(request)
        self._host.flush(self, rtptime_of(request))
        return Response()

    def _teardown(self, request: Request) -> Response:
        if self.state in (SessionState.READY, SessionState.RECORDING):
            self._check_session(request)
        self.state = SessionState.CONNECTED
        self._parameters.is_recording = False
        self._host.teardown(self)
        return Response(headers={"Connection": "close"}, close=True)

    def _post(self, request: Request) -> Response:
        if request.uri != "/auth-setup":
            return Response(404)
        if self._quirks.auth_setup_status != 200:
            return Response(self._quirks.auth_setup_status)
        if len(request.body) != 33 or request.body[0] != 1:
            self._host.violation(f"auth-setup of {len(request.body)} bytes")
            return Response(400)
        self._is_auth_set_up = True
        # our Curve25519 key, then certificate and signature with their lengths;
        # no sender checks any of it (pair_ap, pyatv)
        body = bytes(range(32)) + (4).to_bytes(4) + b"cert" + (4).to_bytes(4) + b"sign"
        return Response(headers={"Content-Type": "application/octet-stream"}, body=body)

    def _get(self, request: Request) -> Response:
        if request.uri.partition("?")[0] != "/info":
            return Response(404)
        agent = request.headers.get("user-agent", "")
        if self._quirks.info_needs_airplay_user_agent and not _AIRPLAY.match(agent):
            return Response(403)
        return self._tell_info(request)

    def _tell_info(self, request: Request) -> Response:
        if request.uri != "/info" or self._info is None:
            return Response(404)
        kind = "application/x-apple-binary-plist"
        return Response(headers={"Content-Type": kind}, body=self._info)

    def _get_parameter(self, request: Request) -> Response:
        return self._parameters.get(request)

    def _set_parameter(self, request: Request) -> Response:
        self._check_session(request)
        return self._parameters.set(request)

    def _check_session(self, request: Request) -> None:
        if request.headers.get("session") != "1":
            self._host.violation(f"{request.method} without our Session")


def _ports(transport: dict[str, str]) -> Ports | None:
    """Read the sender's ports, or None when the transport is not RAOP's."""
    control = transport.get("control_port", "")
    timing = transport.get("timing_port", "")
    if "RTP/AVP/UDP" not in transport or transport.get("mode") != "record":
        return None
    if not (control.isdigit() and timing.isdigit()):
        return None
    return Ports(int(control), int(timing))
