"""Requests of both kinds of AirPlay session: password, volume, tags."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn

from ..auth import digest
from ..errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    ReceiverBusyError,
    ReceiverRefusedError,
    UnsupportedReceiverError,
)
from ..messages import Tags
from ..wire import dmap, parameters
from ..wire.handshake import Handshake
from ..wire.rtsp import Request, Response

_BUSY = (453, 503)
_UNSUPPORTED = (406, 415)
_WITHOUT_SESSION = ("OPTIONS", "ANNOUNCE", "SETUP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Our identity in requests; `local` is our address of the TCP connection.

    `digest` is the form of the password's proof that is tried first.
    """

    local: str
    session_id: int
    dacp_id: str
    active_remote: int
    password: str | None = field(default=None, repr=False)
    digest: int = 0


class ControlSession(ABC):
    """The requests of one session, as handshakes: each returns its result.

    Every handshake raises AuthenticationError, or a subclass, if the receiver requires
    a proof that we do not have, the errors of `refuse` for a step that must succeed,
    and ReceiverProtocolError for a malformed answer.
    """

    USER_AGENT: ClassVar[str]

    def __init__(self, caller: Caller, cnonce: str) -> None:
        """`cnonce` is a random word, for receivers whose digest needs one."""
        self._caller = caller
        self._cnonce = cnonce
        self._url = f"rtsp://{_url_host(caller.local)}/{caller.session_id}"
        self._session: str | None = None
        self._challenge: digest.Challenge | None = None
        # The form of the digest that is used, see `digest.attempts`.
        self.digest = caller.digest
        self._signed_requests = 0

    @property
    def is_password_asked(self) -> bool:
        """Whether the receiver has asked for the password."""
        return self._challenge is not None

    @abstractmethod
    def keep_alive(self) -> Handshake[None]:
        """Keep the session alive."""

    @abstractmethod
    def teardown(self) -> Handshake[None]:
        """End the session."""

    def flush(self, sequence: int, rtptime: int) -> Handshake[None]:
        """Drop the packets that the receiver holds; the given packet is the next."""
        where = rtp_info(sequence, rtptime)
        response = yield from self._ask(Request("FLUSH", self._url, (where,)))
        expect("FLUSH", response)

    def volume(self, percent: float, *, is_muted: bool) -> Handshake[None]:
        """Set the volume, in percent (0 to 100) of the receiver's scale."""
        level_db = parameters.volume_db(percent, is_muted=is_muted)
        body = parameters.volume_body(level_db)
        yield from self._set("text/parameters", body)

    def read_volume(self) -> Handshake[float | None]:
        """Return the volume in percent; None if the receiver does not report it."""
        request = Request(
            "GET_PARAMETER", self._url, (), b"volume\r\n", "text/parameters"
        )
        response = yield from self._ask(request)
        level_db = parameters.parse_volume_db(response.body)
        return None if level_db is None else parameters.percent_of_db(level_db)

    def text(
        self, tags: Tags, duration_ms: int | None, rtptime: int
    ) -> Handshake[None]:
        """Show title, artist, and album; some receivers play nothing before this."""
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
        """Show a picture, or remove it with the type image/none."""
        headers = [_rtptime(rtptime)]
        if not data:
            # Without a body the request would not carry the type, its only content.
            headers += [("Content-Type", content_type), ("Content-Length", "0")]
        yield from self._set(content_type, data, *headers)

    def progress(self, start: int, now: int, end: int) -> Handshake[None]:
        """Show the position: frames of the media's start, position, and end."""
        body = parameters.progress_body(start, now, end)
        yield from self._set("text/parameters", body, *self._place(now))

    def _place(self, _rtptime: int) -> tuple[tuple[str, str], ...]:
        """Return the headers for a position on the timeline."""
        return ()

    def _set(
        self, content_type: str, body: bytes, *headers: tuple[str, str]
    ) -> Handshake[None]:
        request = Request("SET_PARAMETER", self._url, headers, body, content_type)
        response = yield from self._ask(request)
        expect(f"SET_PARAMETER {content_type}", response)

    def _ask(self, request: Request) -> Handshake[Response]:
        """Send one request; answer a 401 with every known form of digest.

        The form that worked before is tried first, with the new nonce.
        """
        response = yield self._signed(request)
        tried: list[int] = []
        while response.status == 401:
            if not self._caller.password:
                raise PasswordRequiredError("the receiver requires a password")
            wanted = response.header("www-authenticate")
            if wanted or self._challenge is None:
                self._challenge = digest.Challenge.parse(wanted or "")
            self._signed_requests = 0
            forms = digest.attempts(self._challenge.realm)
            known = [self.digest] if self.digest < len(forms) else []
            untried = [
                each for each in (*known, *range(len(forms))) if each not in tried
            ]
            if not untried:
                raise AuthenticationError("the receiver refused the password")
            self.digest = untried[0]
            tried.append(self.digest)
            response = yield self._signed(request)
        return response

    def _signed(self, request: Request) -> Request:
        """Add the headers of every request of this sender."""
        caller = self._caller
        headers = [
            ("User-Agent", self.USER_AGENT),
            ("Client-Instance", caller.dacp_id),
            ("DACP-ID", caller.dacp_id),
            ("Active-Remote", str(caller.active_remote)),
        ]
        if self._session and request.method not in _WITHOUT_SESSION:
            headers.append(("Session", self._session))
        if self._challenge and caller.password:
            user, is_upper = digest.attempts(self._challenge.realm)[self.digest]
            self._signed_requests += 1
            proof = digest.authorization(
                self._challenge,
                user=user,
                password=caller.password,
                method=request.method,
                uri=request.uri,
                is_upper=is_upper,
                body=request.body,
                use=digest.NonceUse(self._cnonce, self._signed_requests),
            )
            headers.append(("Authorization", proof))
        return request.with_headers(*headers)


def expect(step: str, response: Response) -> None:
    """Check that a step succeeded.

    Raises RaopError: it failed, see `refuse`.
    """
    if not 200 <= response.status < 300:
        refuse(step, response)


def refuse(step: str, response: Response) -> NoReturn:
    """Raise the error for a status.

    Raises ReceiverBusyError: another sender plays (453, 503).
    Raises PairingRequiredError: it requires pairing by PIN (403, 470).
    Raises UnsupportedReceiverError: it does not support the format (406, 415).
    Raises ReceiverRefusedError: any other status.
    """
    status = response.status
    if status in _BUSY:
        raise ReceiverBusyError("the receiver plays for another sender")
    if status in (403, 470):
        raise PairingRequiredError("the receiver requires pairing by PIN")
    if status in _UNSUPPORTED:
        raise UnsupportedReceiverError(f"{step}: the receiver refuses the format")
    text = f"{step}: the receiver answered {status}"
    raise ReceiverRefusedError(text, status=status)


def rtp_info(sequence: int, rtptime: int) -> tuple[str, str]:
    """Return the header that names a packet."""
    return (
        "RTP-Info",
        f"seq={sequence & 0xFFFF};rtptime={rtptime & 0xFFFFFFFF}",
    )


def _rtptime(rtptime: int) -> tuple[str, str]:
    return ("RTP-Info", f"rtptime={rtptime & 0xFFFFFFFF}")


def _url_host(address: str) -> str:
    plain = address.partition("%")[0]
    return f"[{plain}]" if ":" in plain else plain
