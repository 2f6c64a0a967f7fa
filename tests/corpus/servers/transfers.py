"""Ways to send a file: with its length or without, in chunks, slowly, or in pieces."""

from collections.abc import Iterator
from dataclasses import replace
import gzip
import re
import zlib

from tests.raop.audio.web_server import (
    Behaviour,
    Exchange,
    chunked,
    in_turn,
    ranged,
    whole,
)

from ..judge import Loose
from ..row import Row, right_of
from .songs import SONGS, Behave, offered

_RANGE = re.compile(r"range: bytes=(\d+)-(\d*)", re.IGNORECASE)
_PIECE_BYTES = 20000


def _head(exchange: Exchange, line: str, *headers: str) -> None:
    exchange.send("\r\n".join((line, *headers, "", "")).encode())


def closed(line: str = "HTTP/1.1 200 OK", *more: str) -> Behave:
    """Send no length; the end of the connection is the end."""

    def behave(body: bytes, kind: str) -> Behaviour:
        def serve(exchange: Exchange) -> None:
            _head(exchange, line, f"Content-Type: {kind}", *more)
            exchange.send(body)

        return serve

    return behave


def declared(surplus: int, *more: str, factor: float = 1.0) -> Behave:
    """Send a length that is wrong by so many bytes, and close cleanly."""

    def behave(body: bytes, kind: str) -> Behaviour:
        size = int(len(body) * factor) + surplus

        def serve(exchange: Exchange) -> None:
            headers = (f"Content-Type: {kind}", f"Content-Length: {size}", *more)
            _head(exchange, "HTTP/1.1 200 OK", *headers)
            exchange.send(body)

        return serve

    return behave


def in_chunks(size: int, *, extension: bytes = b"", trailer: bytes = b"") -> Behave:
    """Send chunks of one size."""

    def behave(body: bytes, kind: str) -> Behaviour:
        def serve(exchange: Exchange) -> None:
            headers = (f"Content-Type: {kind}", "Transfer-Encoding: chunked")
            _head(exchange, "HTTP/1.1 200 OK", *headers)
            out = bytearray()
            for start in range(0, len(body), size):
                piece = body[start : start + size]
                out += b"%x%s\r\n%s\r\n" % (len(piece), extension, piece)
            exchange.send(bytes(out) + b"0\r\n" + trailer + b"\r\n")

        return serve

    return behave


def held(behave: Behave) -> Behave:
    """Keep the connection open after all has been sent."""

    def held_behave(body: bytes, kind: str) -> Behaviour:
        inner = behave(body, kind)

        def serve(exchange: Exchange) -> None:
            inner(exchange)
            exchange.hold(12)

        return serve

    return held_behave


def paused(*seconds: float, length: bool) -> Behave:
    """Wait before the answer, and then between parts of the sound."""

    def behave(body: bytes, kind: str) -> Behaviour:
        def serve(exchange: Exchange) -> None:
            exchange.hold(seconds[0])
            sizes = (f"Content-Length: {len(body)}",) if length else ()
            _head(exchange, "HTTP/1.1 200 OK", f"Content-Type: {kind}", *sizes)
            step = -(-len(body) // len(seconds))
            for number, start in enumerate(range(0, len(body), step)):
                exchange.hold(seconds[number] if number else 0)
                exchange.send(body[start : start + step])

        return serve

    return behave


def packed(coding: str) -> Behave:
    """Send it compressed, although nobody asked for that."""

    def behave(body: bytes, kind: str) -> Behaviour:
        squeezed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)

        def serve(exchange: Exchange) -> None:
            headers = (f"Content-Type: {kind}", f"Content-Encoding: {coding}")
            exchange.answer(
                "200 OK", *headers, f"Content-Length: {len(squeezed)}", body=squeezed
            )

        return serve

    return behave


def broken(*parts: float, behave: Behave) -> Behave:
    """Break the connection off after each part of the file, then send all of it."""

    def broken_behave(body: bytes, kind: str) -> Behaviour:
        turns = [_broken_at(int(len(body) * part), body, kind) for part in parts]
        return in_turn(*turns, behave(body, kind))

    return broken_behave


def _broken_at(size: int, body: bytes, kind: str) -> Behaviour:
    headers = (f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    return lambda exchange: exchange.answer("200 OK", *headers, body=body[:size])


def pieces(*, total: str = "", is_plain: bool = True, keeps: int = 0) -> Behave:
    """Answer with a piece, whatever is asked for; `total` replaces the known length.

    `is_plain`: a request without a range, too. The answer begins `keeps` bytes before
    what is asked for.
    """

    def behave(body: bytes, kind: str) -> Behaviour:
        def serve(exchange: Exchange) -> None:
            asked = _RANGE.search(exchange.head)
            if asked is None and not is_plain:
                exchange.answer(
                    "200 OK",
                    f"Content-Type: {kind}",
                    f"Content-Length: {len(body)}",
                    "Accept-Ranges: bytes",
                    body=body[:_PIECE_BYTES],
                )
                return
            start = max(0, int(asked[1]) - keeps) if asked else 0
            part = body[start : start + _PIECE_BYTES]
            span = f"bytes {start}-{start + len(part) - 1}/{total or len(body)}"
            headers = (f"Content-Type: {kind}", f"Content-Range: {span}")
            exchange.answer(
                "206 Partial Content",
                *headers,
                f"Content-Length: {len(part)}",
                body=part,
            )

        return serve

    return behave


def _ranges_ignored(body: bytes, kind: str) -> Behaviour:
    headers = (f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    return lambda exchange: exchange.answer(
        "200 OK", *headers, "Accept-Ranges: bytes", body=body
    )


def _ranges_refused(body: bytes, kind: str) -> Behaviour:
    def serve(exchange: Exchange) -> None:
        if _RANGE.search(exchange.head):
            exchange.answer("416 Range Not Satisfiable", "Content-Length: 0")
        else:
            whole(body, kind)(exchange)

    return serve


def _whole_as_a_piece(body: bytes, kind: str) -> Behaviour:
    span = f"Content-Range: bytes 0-{len(body) - 1}/{len(body)}"
    headers = (f"Content-Type: {kind}", f"Content-Length: {len(body)}", span)
    return lambda exchange: exchange.answer("206 Partial Content", *headers, body=body)


# Every format is sent in each of these ways.
_ALL_FORMATS: dict[str, Behave] = {
    "length": whole,
    "ranges": ranged,
    "http-1.0": closed("HTTP/1.0 200 OK"),
    "chunked": chunked,
    "too-long": declared(500),
}
# Without a length, libav does not cut off the padding at the end of an MP3.
_ENDLESS = {"http-1.0", "chunked"}
_PADDED = Loose("the padding at its end may stay", 150, 0.9999)
_FORMATS = ("mp3", "flac", "wav", "aac", "ogg", "opus", "m4a")
_WAYS: dict[str, tuple[Behave, str]] = {
    "http-1.1-closed": (closed(), "bare.mp3"),
    "icy-name-closed": (closed("HTTP/1.0 200 OK", "icy-name: Track 1"), "bare.mp3"),
    "icy-name-closed-flac": (closed("HTTP/1.0 200 OK", "icy-name: Track 1"), "flac"),
    "icy-br-closed": (closed("HTTP/1.1 200 OK", "icy-br: 128"), "bare.mp3"),
    "icy-name-length": (declared(0, "icy-name: Track 1"), "bare.mp3"),
    "icy-name-too-long": (declared(500, "icy-name: Track 1"), "bare.mp3"),
    "twice-as-long": (declared(0, factor=2.0), "bare.mp3"),
    "twice-as-long-flac": (declared(0, factor=2.0), "flac"),
    "twice-as-long-wav": (declared(0, factor=2.0), "wav"),
    "chunks-of-1": (in_chunks(1), "aac"),
    "chunks-of-100": (in_chunks(100), "bare.mp3"),
    "one-chunk": (in_chunks(1 << 20), "flac"),
    "chunks-with-extension": (in_chunks(5000, extension=b";a=b"), "bare.mp3"),
    "chunks-with-trailer": (in_chunks(5000, trailer=b"X-Sum: 1\r\n"), "bare.mp3"),
    "chunked-without-end": (
        lambda body, kind: chunked(body, kind, ends=False),
        "bare.mp3",
    ),
    "chunked-without-end-wav": (
        lambda body, kind: chunked(body, kind, ends=False),
        "wav",
    ),
    "held-open-length": (held(declared(0)), "bare.mp3"),
    "held-open-chunked": (held(in_chunks(4000)), "bare.mp3"),
    "held-open-closed-wav": (held(closed()), "wav"),
    "held-open-closed-flac": (held(closed()), "flac"),
    "keep-alive": (held(declared(0, "Connection: keep-alive")), "flac"),
    "slow-first-byte": (paused(2.5, length=True), "bare.mp3"),
    "slow-first-byte-closed": (paused(2.5, length=False), "bare.mp3"),
    "pause": (paused(0, 1.5, length=True), "flac"),
    "pause-closed": (paused(0, 1.5, length=False), "bare.mp3"),
    "three-pauses": (paused(0.5, 0.8, 0.8, 0.8, length=True), "wav"),
    "gzip": (packed("gzip"), "wav"),
    "deflate": (packed("deflate"), "bare.mp3"),
    "broken-ranges": (broken(0.5, behave=ranged), "flac"),
    "broken-ranges-mp3": (broken(0.5, behave=ranged), "bare.mp3"),
    "broken-twice": (broken(0.4, 0.6, behave=whole), "flac"),
    "broken-without-ranges": (broken(0.5, behave=whole), "flac"),
    "broken-without-ranges-mp3": (broken(0.5, behave=whole), "bare.mp3"),
    "broken-at-once": (broken(0, behave=whole), "bare.mp3"),
    "broken-chunked": (
        lambda body, kind: in_turn(
            chunked(body[: len(body) // 2], kind, ends=False), chunked(body, kind)
        ),
        "flac",
    ),
    "ranges-broken-each-20000": (
        lambda body, kind: ranged(body, kind, breaks=iter([20000] * 99)),
        "wav",
    ),
    "ranges-ignored": (_ranges_ignored, "m4a"),
    "ranges-ignored-late-index": (_ranges_ignored, "late.m4a"),
    "ranges-refused": (_ranges_refused, "m4a"),
    "ranges-late-index": (ranged, "late.m4a"),
    "no-ranges-late-index": (whole, "late.m4a"),
    "whole-as-a-piece": (_whole_as_a_piece, "bare.mp3"),
    "pieces": (pieces(), "bare.mp3"),
    "pieces-flac": (pieces(), "flac"),
    "pieces-of-unknown": (pieces(total="*"), "bare.mp3"),
    "pieces-after-a-break": (pieces(is_plain=False), "flac"),
    "pieces-that-begin-earlier": (pieces(is_plain=False, keeps=100), "flac"),
}


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    for way, behave in _ALL_FORMATS.items():
        for song in _FORMATS:
            right = right_of(SONGS[song])
            if song == "mp3" and way in _ENDLESS:
                right = replace(right, loose=_PADDED)
            yield offered(f"send-{way}-{song}", "format", behave, song, right)
    for way, (behave, song) in _WAYS.items():
        right = right_of(SONGS[song])
        yield offered(f"send-{way}", "transfer", behave, song, right)
