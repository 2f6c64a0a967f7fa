"""HTTP for media: one GET at a time, redirects, bodies in pieces."""

from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPMessage,
    HTTPResponse,
    InvalidURL,
)
import re
from typing import cast, override
from urllib.parse import SplitResult, unquote, urlsplit

from .connection import WebSocket, connect
from .guard.reach import ANYWHERE, PUBLIC, Reach
from .job_scope import JobScope
from .media_errors import DeadlineError, for_network, unreachable
from .transfer.address import as_browsers_read, redirected, request_target

# As browsers do: podcasts pass through a dozen counters.
MAX_REDIRECTS = 20
USER_AGENT = "AirPlay speakers"
_REDIRECTS = {301, 302, 303, 307, 308}
_BUSY = {429, 503}
_MAX_BUSY = 3
_MAX_BUSY_S = 5
_SECONDS = re.compile(r"[0-9]{1,6}")
# A server that sends more than it announced has it at hand.
_MORE_S = 0.2


class ShortError(ConnectionResetError):
    """A server ended the connection properly, before the length that it announced."""


class WebResponse:
    """An answer with an unread body."""

    def __init__(self, url: str, answer: HTTPResponse, connection: _Connection) -> None:
        """Wrap the answer to a request.

        `beyond` is what its content may lead to, and `length` what is announced of it,
        which may be too short where `may_exceed` is set.
        """
        self.url = url
        self.beyond = connection.beyond
        self.status = answer.status
        self.headers: HTTPMessage = answer.headers
        self.length: int | None = answer.length
        self.may_exceed = False
        self.is_chunked: bool = bool(answer.chunked)
        self._answer = answer
        self._wire = connection.wire
        self._left = answer.length
        self._is_ending = False
        self._is_over = False
        # Some servers guess the length they announce: http.client must not cut there.
        answer.length = None

    def read(self, size: int) -> bytes:
        """Return up to this many bytes, or none at the end.

        Raises ShortError: it ends before its announced length, or where `expect_end`
        says so.
        Raises OSError: the connection broke, or is silent for too long.
        """
        if self._left == 0 and not self._has_more():
            return b""
        try:
            piece = self._answer.read1(size)
        except HTTPException as err:
            raise ConnectionResetError from err
        except TimeoutError as err:
            if not self._is_ending or isinstance(err, DeadlineError):
                raise
            raise ShortError from err
        if self._left:
            if not piece:
                raise ShortError
            self._left = max(0, self._left - len(piece))
        self._wire.began()
        return piece

    def expect_end(self, within_s: float) -> None:
        """Take silence of this length for the end from now on."""
        self._is_ending = True
        self._wire.wait_at_most(within_s)

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()

    def _has_more(self) -> bool:
        """Whether the announced length was too short: there is more behind it."""
        is_possible = self.may_exceed and self.length and self.status == 200
        if is_possible and not self._is_over and self._wire.has_more(_MORE_S):
            self._left = None
            return True
        self._is_over = True
        return False


def get(
    url: str,
    headers: Mapping[str, str],
    scope: JobScope,
    reach: Reach = ANYWHERE,
) -> WebResponse:
    """Request a URL that is within reach, and follow redirects that its servers may make.

    A server that is busy and says for how long is asked again, if it is not for long.

    Raises UnplayableError: there is no HTTP answer, or it is out of reach.
    Raises DeadlineError: see `JobScope.check`.
    """
    seen: set[str] = set()
    left = _MAX_BUSY
    try:
        url = as_browsers_read(url)
        while len(seen) <= MAX_REDIRECTS:
            response = _ask(url, headers, scope, reach)
            location = response.headers.get("Location")
            is_redirect = response.status in _REDIRECTS and location
            busy_s = _busy_s(response) if left else None
            if busy_s is None and not is_redirect:
                return response
            response.close()
            if busy_s is not None:
                left -= 1
                scope.pause(busy_s)
                continue
            seen.add(url)
            reach = response.beyond
            url = redirected(url, location or "")
            if url in seen:
                raise unreachable("its server redirects in a circle")
    except OSError as err:
        scope.check()
        raise for_network(err) from err
    except (ValueError, InvalidURL) as err:
        raise unreachable("its address is not valid") from err
    except HTTPException as err:
        raise unreachable("its server does not speak HTTP as it should") from err
    raise unreachable("its server redirects too often")


def _busy_s(response: WebResponse) -> int | None:
    """Return for how long a server asks to wait, if it is not for long (RFC 9110, 10.2.3)."""
    told = _SECONDS.fullmatch(response.headers.get("Retry-After", "").strip())
    if response.status not in _BUSY or told is None:
        return None
    return int(told[0]) if int(told[0]) <= _MAX_BUSY_S else None


def _ask(
    url: str, headers: Mapping[str, str], scope: JobScope, reach: Reach
) -> WebResponse:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise unreachable("its server redirects to something that is not the web")
    if not parts.hostname:
        raise unreachable("its address is not valid")
    connection = _Connection(parts, scope, reach)
    sent = {"Accept": "*/*", "User-Agent": USER_AGENT, "Connection": "close"}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        sent["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    with ExitStack() as undo:
        undo.callback(connection.close)
        target = request_target(parts.path, parts.query)
        connection.request("GET", target, headers=sent | dict(headers))
        response = WebResponse(url, connection.getresponse(), connection)
        undo.pop_all()
    return response


class _Connection(HTTPConnection):
    """A connection whose socket follows the scope."""

    wire: WebSocket

    def __init__(self, parts: SplitResult, scope: JobScope, reach: Reach) -> None:
        self.beyond = PUBLIC
        self._is_secure = parts.scheme == "https"
        self._scope = scope
        self._reach = reach
        # http.client omits this port in the Host header.
        self.default_port = 443 if self._is_secure else 80
        super().__init__(parts.hostname or "", parts.port or self.default_port)

    @override
    def connect(self) -> None:
        sock, beyond = connect(
            self.host, self.port, self._scope, self._reach, is_secure=self._is_secure
        )
        self.beyond = self._reach.narrowed(beyond)
        self.wire = WebSocket(sock, self._scope)
        # http.client needs only a socket that writes and makes a reader.
        self.sock = cast("None", self.wire)
