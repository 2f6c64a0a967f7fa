"""Connections with a deadline."""

from collections.abc import Buffer
from contextlib import ExitStack
from functools import cache
import io
import socket
import ssl
import threading
from typing import override

from .guard.reach import Reach, reach_from
from .job_scope import JobScope
from .media_errors import leads_inside

_ICY = b"ICY "
_HTTP = b"HTTP/1.0 "
_GROWTH = len(_HTTP) - len(_ICY)
# Where nobody answers by then, there is nobody, whatever the media is.
_CONNECT_S = 10.0

type _Address = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]


def connect(
    host: str, port: int, scope: JobScope, reach: Reach, *, is_secure: bool
) -> tuple[socket.socket, Reach]:
    """Connect to the first address of a host that answers, of those within reach.

    Return the connection, and what may be reached from what its server delivers.

    Raises UnplayableError: all addresses are out of reach.
    Raises OSError: the name is unknown, or no address answers in time.
    Raises DeadlineError: see `JobScope.check`.
    """
    found = _resolve(host, port, scope)
    # The address counts and not the name, which may lead elsewhere at the next look-up.
    within = [each for each in found if reach.allows(str(each[1][0]))]
    if found and not within:
        raise leads_inside()
    sock, server = _connect_first(within, scope)
    beyond = reach_from(server, *(str(address[0]) for _, address in within))
    if not is_secure:
        return sock, beyond
    own = _is_own_server(scope.bounds.own_server, host, port)
    return _secured(sock, host, scope, is_own=own), beyond


def _is_own_server(own: str | None, host: str, port: int) -> bool:
    """Whether this is the server, "host:port", whose certificate is not checked."""
    return own is not None and own.lower() == f"{host}:{port}".lower()


def _connect_first(
    found: list[tuple[int, _Address]], scope: JobScope
) -> tuple[socket.socket, str]:
    *others, last = found
    for family, address in others:
        try:
            sock = _connect(family, address, scope, scope.limits.connect_s)
        except OSError:
            scope.check()
        else:
            return sock, str(address[0])
    return _connect(*last, scope, _CONNECT_S), str(last[1][0])


def _connect(
    family: int, address: _Address, scope: JobScope, longest_s: float
) -> socket.socket:
    with ExitStack() as undo:
        sock = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        sock.settimeout(scope.timeout_s(longest_s))
        sock.connect(address)
        undo.pop_all()
    return sock


def _secured(
    sock: socket.socket, host: str, scope: JobScope, *, is_own: bool
) -> ssl.SSLSocket:
    context = _unchecked_tls() if is_own else _tls()
    secure = context.wrap_socket(
        sock, server_hostname=host, do_handshake_on_connect=False
    )
    with ExitStack() as undo:
        undo.enter_context(secure)
        secure.settimeout(scope.timeout_s(scope.limits.read_s))
        secure.do_handshake()
        undo.pop_all()
    return secure


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@cache
def _unchecked_tls() -> ssl.SSLContext:
    """Return a context for Home Assistant itself, which has its own certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _resolve(host: str, port: int, scope: JobScope) -> list[tuple[int, _Address]]:
    """Look up a name in a thread that may outlive the call: it has no time-out."""
    found: list[tuple[int, _Address]] = []
    failures: list[OSError] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            for family, *_, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            ):
                found.append((family, address))
        except OSError as err:
            failures.append(err)
        except UnicodeError:
            failures.append(socket.gaierror(socket.EAI_NONAME, "not a name"))
        done.set()

    threading.Thread(target=look_up, name="airplay-dns", daemon=True).start()
    is_done = done.wait(scope.timeout_s(_CONNECT_S))
    scope.check()
    if not is_done:
        raise TimeoutError
    if failures:
        raise failures[0]
    return found


class WebSocket:
    """The socket interface of http.client, bound to a scope."""

    def __init__(self, sock: socket.socket, scope: JobScope) -> None:
        """Wrap a connected socket."""
        self._sock = sock
        self._scope = scope
        self._wire = _Wire(sock, scope)
        self._reader: io.BufferedReader | None = None

    def sendall(self, octets: bytes) -> None:
        """Send a request."""
        self._sock.settimeout(self._scope.timeout_s(self._scope.limits.read_s))
        self._sock.sendall(octets)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the reader of the answer; closing it closes the socket."""
        assert mode == "rb"
        self._reader = io.BufferedReader(self._wire, 1 << 15)
        return self._reader

    def began(self) -> None:
        """Wait for all that follows as for later bytes: the body has begun."""
        self._wire.has_begun = True

    def wait_at_most(self, seconds: float) -> None:
        """Wait for nothing any longer than this."""
        self._wire.longest_s = seconds

    def has_more(self, within_s: float) -> bool:
        """Whether more of the answer is there, or comes within this time."""
        usual_s, self._wire.longest_s = self._wire.longest_s, within_s
        try:
            return bool(self._reader and self._reader.peek(1))
        except OSError:
            return False
        finally:
            self._wire.longest_s = usual_s

    def close(self) -> None:
        """Close the socket, unless its reader still needs it."""
        if self._reader is None:
            self._sock.close()


class _Wire(io.RawIOBase):
    """Bytes from a socket, within the limits of the scope."""

    def __init__(self, sock: socket.socket, scope: JobScope) -> None:
        self.has_begun = False
        self.longest_s: float | None = None
        self._sock = sock
        self._scope = scope
        self._is_first = True

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        self._sock.settimeout(self._scope.timeout_s(self._patience_s))
        try:
            if not self._is_first:
                return self._sock.recv_into(view)
            self._is_first = False
            return _as_http(view, self._sock.recv_into(view, len(view) - _GROWTH))
        finally:
            self._scope.check()

    @property
    def _patience_s(self) -> float:
        if self.longest_s is not None:
            return self.longest_s
        limits = self._scope.limits
        return limits.read_s if self.has_begun else limits.first_s

    @override
    def close(self) -> None:
        if not self.closed:
            self._sock.close()
        super().close()


def _as_http(buffer: memoryview, count: int) -> int:
    """Replace the status line of old radio servers, "ICY 200 OK", with HTTP's."""
    if bytes(buffer[: len(_ICY)]) != _ICY or count < len(_ICY):
        return count
    buffer[: count + _GROWTH] = _HTTP + bytes(buffer[len(_ICY) : count])
    return count + _GROWTH
