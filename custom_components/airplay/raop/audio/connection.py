"""Sockets and HTTP responses that end in time, and at once when they are abandoned."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
import http.client
import io
import socket
import ssl
import threading
import time
from typing import Any, override
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from .link import Link
from .problems import MediaProblem, for_network, for_status, unreachable

MAX_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_BUFFER_BYTES = 1 << 15
_CONNECT_S = 4.0


def get(url: str, headers: Mapping[str, str], link: Link) -> "Response":
    """Ask for a URL and follow redirects; raise MediaProblem unless it succeeds."""
    for _ in range(MAX_REDIRECTS + 1):
        try:
            response = _request(url, headers, link)
        except http.client.HTTPException as err:
            raise unreachable("its server does not speak HTTP as it should") from err
        except OSError as err:
            raise for_network(err) from err
        if response.status not in _REDIRECTS:
            return response
        response.close()
        url = urljoin(url, response.headers.get("Location", ""))
        if urlsplit(url).scheme not in ("http", "https"):
            raise unreachable("its server redirects to something that is not the web")
    raise unreachable("its server redirects in circles")


class Response:
    """An answer whose body is still to be read."""

    def __init__(self, url: str, answer: http.client.HTTPResponse) -> None:
        """Wrap the answer to a request for this URL."""
        self.url = url
        self.status = answer.status
        self.headers = answer.headers
        self.is_chunked = bool(answer.chunked)
        self._answer = answer
        self.length: int | None = answer.length

    def read(self, size: int) -> bytes:
        """Return what is there, at most this much; b"" at a proper end."""
        try:
            piece = self._answer.read1(size)
        except http.client.HTTPException as err:
            raise ConnectionResetError from err
        if not piece and self._answer.length:
            raise ConnectionResetError
        return piece

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()


def _request(url: str, headers: Mapping[str, str], link: Link) -> Response:
    parts = urlsplit(url)
    if not parts.hostname:
        raise unreachable("its address is not complete")
    connection = _Connection(parts, link)
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    sent = {"Accept": "*/*", "User-Agent": "AirPlay speakers", "Connection": "close"}
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        sent["Authorization"] = f"Basic {b64encode(login.encode()).decode()}"
    connection.request("GET", _quoted(target), headers=sent | dict(headers))
    return Response(url, connection.getresponse())


def _quoted(target: str) -> str:
    """Escape what may not stand in a request line, and nothing else."""
    return "".join(
        each
        if "!" <= each <= "~"
        else "".join(f"%{byte:02X}" for byte in each.encode())
        for each in target
    )


class _Connection(http.client.HTTPConnection):
    """A connection whose socket obeys the link."""

    def __init__(self, parts: SplitResult, link: Link) -> None:
        is_secure = parts.scheme == "https"
        try:
            port = parts.port or (443 if is_secure else 80)
        except ValueError as err:
            raise unreachable("its address is not complete") from err
        self.default_port = 443 if is_secure else 80
        super().__init__(parts.hostname or "", port)
        self._is_secure = is_secure
        self._link = link

    @override
    def connect(self) -> None:
        self.sock: Any = _Socket(
            connect(self.host, self.port, self._link, is_secure=self._is_secure),
            self._link,
        )


class _Socket:
    """What http.client asks of a socket."""

    def __init__(self, sock: socket.socket, link: Link) -> None:
        self._sock = sock
        self._link = link

    def sendall(self, octets: bytes) -> None:
        self._sock.settimeout(self._link.patience())
        self._sock.sendall(octets)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Wire(self._sock, self._link), _BUFFER_BYTES)

    def close(self) -> None:
        """Leave closing to the reader, which outlives the connection object."""


class _Wire(io.RawIOBase):
    """Bytes from a socket: reports a stall, gives up in time, can be abandoned."""

    def __init__(self, sock: socket.socket, link: Link) -> None:
        self._sock = sock
        self._link = link
        self._is_first = True
        self._shutdown = lambda: _shutdown(sock)
        link.attach(self._shutdown)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        limits = self._link.limits
        give_up = time.monotonic() + self._link.patience()
        wait = limits.stall_s
        while True:
            left = give_up - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(min(wait, left))
            try:
                count = self._sock.recv_into(buffer)
            except TimeoutError:
                self._link.check()
                self._link.stalled()
                wait = left
                continue
            except OSError:
                self._link.check()
                raise
            self._link.check()
            return self._as_http(buffer, count)

    def _as_http(self, buffer: Any, count: int) -> int:
        """Turn the status line of old radio servers, "ICY 200 OK", into HTTP's."""
        if self._is_first:
            self._is_first = False
            if bytes(buffer[: min(count, 4)]) == b"ICY " and count + 5 <= len(buffer):
                buffer[: count + 5] = b"HTTP/1.0 " + bytes(buffer[4:count])
                return count + 5
        return count

    @override
    def close(self) -> None:
        if not self.closed:
            self._link.detach(self._shutdown)
            self._sock.close()
        super().close()


def connect(host: str, port: int, link: Link, *, is_secure: bool) -> socket.socket:
    """Connect to the first address of a host that answers."""
    addresses = _resolve(host, port, link)
    for index, (family, address) in enumerate(addresses):
        is_last = index == len(addresses) - 1
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            with link.released_by(lambda sock=sock: _shutdown(sock)):
                patience = link.patience(None if is_last else _CONNECT_S)
                sock.settimeout(patience)
                sock.connect(address)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                return _secured(sock, host, link) if is_secure else sock
        except OSError as err:
            sock.close()
            link.check()
            if is_last:
                raise
            failure = err
    raise failure


def _secured(sock: socket.socket, host: str, link: Link) -> ssl.SSLSocket:
    secure = _tls().wrap_socket(
        sock, server_hostname=host, do_handshake_on_connect=False
    )
    try:
        secure.settimeout(link.patience())
        secure.do_handshake()
    except BaseException:
        secure.close()
        raise
    return secure


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _shutdown(sock: socket.socket) -> None:
    # SSLSocket's own shutdown would take the TLS state from under a read.
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass


type _Address = tuple[Any, ...]


def _resolve(host: str, port: int, link: Link) -> list[tuple[int, _Address]]:
    """Look a name up in a thread that can be left behind: it has no time-out."""
    found: list[tuple[int, _Address]] = []
    failures: list[OSError] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            for family, _, _, _, address in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            ):
                found.append((family, address))
        except (OSError, UnicodeError) as err:
            failures.append(socket.gaierror(str(err)))
        done.set()

    threading.Thread(target=look_up, name="airplay-dns", daemon=True).start()
    with link.released_by(done.set):
        done.wait(link.patience(link.limits.open_s))
        link.check()
    if failures:
        raise failures[0]
    if not found:
        raise TimeoutError
    return found


__all__ = ["MAX_REDIRECTS", "MediaProblem", "Response", "connect", "for_status", "get"]
