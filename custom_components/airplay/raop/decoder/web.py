"""HTTP for media: one GET at a time, redirects, bodies in pieces."""

from base64 import b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse
from typing import cast, override
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from .connection import WebSocket, connect
from .guard.reach import ANYWHERE, PUBLIC, Reach
from .job_scope import JobScope
from .media_errors import for_network, unreachable

MAX_REDIRECTS = 5
USER_AGENT = "AirPlay speakers"
_REDIRECTS = {301, 302, 303, 307, 308}


class WebResponse:
    """An answer with an unread body."""

    def __init__(self, url: str, answer: HTTPResponse, beyond: Reach) -> None:
        """Wrap the answer to a request; `beyond` is what its content may lead to."""
        self.url = url
        self.beyond = beyond
        self.status = answer.status
        self.headers: HTTPMessage = answer.headers
        self.length: int | None = answer.length
        self._answer = answer

    def read(self, size: int) -> bytes:
        """Return up to this many bytes, or none at the end.

        Raises OSError: the connection broke, or is silent for too long.
        """
        try:
            piece = self._answer.read1(size)
        except HTTPException as err:
            raise ConnectionResetError from err
        # http.client treats a body that is too short as complete.
        if not piece and self._answer.length:
            raise ConnectionResetError
        return piece

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()


def get(
    url: str,
    headers: Mapping[str, str],
    scope: JobScope,
    reach: Reach = ANYWHERE,
) -> WebResponse:
    """Request a URL that is within reach, and follow redirects that its servers may make.

    Raises UnplayableError: there is no HTTP answer, or it is out of reach.
    Raises DeadlineError: see `JobScope.check`.
    """
    try:
        for _ in range(MAX_REDIRECTS + 1):
            response = _ask(url, headers, scope, reach)
            if response.status not in _REDIRECTS:
                return response
            response.close()
            reach = response.beyond
            url = urljoin(url, response.headers.get("Location", ""))
    except OSError as err:
        scope.check()
        raise for_network(err) from err
    except HTTPException as err:
        raise unreachable("its server does not speak HTTP as it should") from err
    except ValueError as err:
        raise unreachable("its address is not valid") from err
    raise unreachable("its server redirects too often")


def _ask(
    url: str, headers: Mapping[str, str], scope: JobScope, reach: Reach
) -> WebResponse:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise unreachable("its server redirects to something that is not the web")
    if not parts.hostname:
        raise unreachable("its address is not valid")
    connection = _Connection(parts, scope, reach)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    sent = {"Accept": "*/*", "User-Agent": USER_AGENT, "Connection": "close"}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        sent["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    with ExitStack() as undo:
        undo.callback(connection.close)
        # Escape characters that a request line must not contain, and none twice.
        escaped = quote(target, safe="!#$%&'()*+,/:;=?@[]~")
        connection.request("GET", escaped, headers=sent | dict(headers))
        response = WebResponse(url, connection.getresponse(), connection.beyond)
        undo.pop_all()
    return response


class _Connection(HTTPConnection):
    """A connection whose socket follows the scope."""

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
        # http.client needs only a socket that writes and makes a reader.
        self.sock = cast("None", WebSocket(sock, self._scope))
