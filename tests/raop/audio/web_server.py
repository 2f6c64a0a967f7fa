"""A web server with selectable faults, one behavior for each path."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
import re
import socket
import ssl
import threading

_RANGE = re.compile(r"range: bytes=(\d+)-", re.IGNORECASE)


@dataclass(slots=True)
class Exchange:
    """One request, and the connection to answer it on."""

    path: str
    head: str
    connection: socket.socket = field(repr=False)
    ending: threading.Event = field(repr=False)

    @property
    def range_start(self) -> int | None:
        """The first requested byte, None if all are requested."""
        match = _RANGE.search(self.head)
        return int(match[1]) if match else None

    def answer(self, status: str, *headers: str, body: bytes = b"") -> None:
        """Send a status line, headers and (the beginning of) a body."""
        head = "\r\n".join((f"HTTP/1.1 {status}", *headers, "Connection: close"))
        self.send(head.encode() + b"\r\n\r\n" + body)

    def send(self, octets: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(octets)

    def hold(self, seconds: float | None = None) -> None:
        """Keep the connection open without a word."""
        self.ending.wait(seconds)


type Behaviour = Callable[[Exchange], None]


class WebServer:
    """Serves on 127.0.0.1, or another address of this machine, until it is closed."""

    def __init__(
        self, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1"
    ) -> None:
        """Listen on a free port."""
        self._address = address
        self.requests: list[Exchange] = []
        self._routes: dict[str, Behaviour] = {}
        self._rest = status("404 Not Found")
        self._tls = tls
        self._ending = threading.Event()
        self._changed = threading.Condition()
        self._listener = socket.create_server((address, 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    def serve(self, path: str, behaviour: Behaviour) -> str:
        """Behave so at a path, and return its URL."""
        self._routes[path.partition("?")[0]] = behaviour
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{self._address}:{self.port}{path}"

    def serve_rest(self, behaviour: Behaviour) -> None:
        """Behave so at all other paths."""
        self._rest = behaviour

    def paths(self) -> list[str]:
        """List the requested paths."""
        return [request.path for request in self.requests]

    def wait_for_requests(self, count: int) -> None:
        """Wait until so many requests have come."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, 10)

    def close(self) -> None:
        """End all connections."""
        self._ending.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        try:
            if self._tls:
                connection = self._tls.wrap_socket(plain, server_side=True)
            self._talk(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def _talk(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (piece := connection.recv(65536)):
                return
            head += piece
        text = head.decode("latin-1")
        path = text.split(" ")[1]
        exchange = Exchange(path, text, connection, self._ending)
        with self._changed:
            self.requests.append(exchange)
            self._changed.notify_all()
        self._routes.get(path.partition("?")[0], self._rest)(exchange)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)


def status(line: str, *headers: str) -> Behaviour:
    """Answer with a status and no body."""
    return lambda exchange: exchange.answer(line, "Content-Length: 0", *headers)


def redirect(to: str, line: str = "302 Found") -> Behaviour:
    """Send the client elsewhere."""
    return status(line, f"Location: {to}")


def whole(body: bytes, content_type: str = "audio/mpeg") -> Behaviour:
    """Answer every request with the whole file; ranges are not known here."""
    length = f"Content-Length: {len(body)}"
    kind = f"Content-Type: {content_type}"
    return lambda exchange: exchange.answer("200 OK", kind, length, body=body)


def ranged(
    body: bytes,
    content_type: str = "audio/mpeg",
    *,
    breaks: Iterator[int] | None = None,
) -> Behaviour:
    """Serve ranges; each connection breaks after the next number of bytes in `breaks`."""

    def serve(exchange: Exchange) -> None:
        start = exchange.range_start
        part = body[start or 0 :]
        headers = [
            f"Content-Type: {content_type}",
            f"Content-Length: {len(part)}",
            "Accept-Ranges: bytes",
        ]
        line = "200 OK"
        if start is not None:
            line = "206 Partial Content"
            headers.append(f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}")
        exchange.answer(
            line, *headers, body=part[: next(breaks, None) if breaks else None]
        )

    return serve


def chunked(
    body: bytes, content_type: str = "audio/mpeg", *, ends: bool = True
) -> Behaviour:
    """Serve in chunks, with or without the last one."""

    def serve(exchange: Exchange) -> None:
        exchange.answer(
            "200 OK", f"Content-Type: {content_type}", "Transfer-Encoding: chunked"
        )
        for at in range(0, len(body), 4000):
            piece = body[at : at + 4000]
            exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        if ends:
            exchange.send(b"0\r\n\r\n")

    return serve


def radio(
    *pieces: bytes | float,
    content_type: str = "audio/mpeg",
    name: str = "Radio Test",
    interval: int = 0,
    status_line: str = "HTTP/1.0 200 OK",
) -> Behaviour:
    """Send pieces, pausing for numbers of seconds, then break off (or stay silent)."""

    def serve(exchange: Exchange) -> None:
        headers = [status_line, f"Content-Type: {content_type}", f"icy-name: {name}"]
        if interval:
            headers.append(f"icy-metaint: {interval}")
        exchange.send("\r\n".join(headers).encode() + b"\r\n\r\n")
        for piece in pieces:
            if isinstance(piece, bytes):
                exchange.send(piece)
            else:
                exchange.hold(piece)

    return serve


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Behave differently each time; the last one stays."""
    left = list(behaviours)

    def serve(exchange: Exchange) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(exchange)

    return serve


def endless_headers(exchange: Exchange) -> None:
    """Never come to the body."""
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while not exchange.ending.wait(0.01):
        exchange.send(b"X-More: and more\r\n")


def endless_header_line(exchange: Exchange) -> None:
    """Never come to the end of the first header, a byte at a time."""
    exchange.send(b"HTTP/1.1 200 OK\r\nX-More: ")
    while not exchange.ending.wait(0.01):
        exchange.send(b"x")


def silent(exchange: Exchange) -> None:
    """Accept and never answer."""
    exchange.hold()


def with_titles(sound: bytes, interval: int, titles: dict[int, bytes]) -> bytes:
    """Put ICY blocks into sound; titles by the number of the block."""
    out = bytearray()
    for number, at in enumerate(range(0, len(sound), interval)):
        piece = sound[at : at + interval]
        out += piece
        if len(piece) == interval:
            text = titles.get(number, b"")
            block = b"StreamTitle='%s';StreamUrl='';" % text if text else b""
            units = -(-len(block) // 16)
            out += bytes([units]) + block.ljust(units * 16, b"\0")
    return bytes(out)
