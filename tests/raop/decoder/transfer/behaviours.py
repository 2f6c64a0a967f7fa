"""How servers end transfers."""

from ...audio.media import Samples, encode
from ...audio.web_server import Behaviour, Exchange


def unstated(samples: Samples) -> bytes:
    """Return FLAC that does not state how many frames it has."""
    file = bytearray(encode("flac", "flac", samples, sample_format="s16"))
    # Byte 13 of STREAMINFO: bits per sample, and 36 bits of total samples (RFC 9639).
    file[21] &= 0xF0
    file[22:26] = bytes(4)
    return bytes(file)


def stated(samples: Samples) -> bytes:
    """Return FLAC that states how many frames it has."""
    file = unstated(samples)
    return file[:22] + len(samples).to_bytes(4) + file[26:]


def closed(body: bytes, *headers: str) -> Behaviour:
    """Answer as servers of HTTP 1.0 do: the end of the connection is the end."""

    def serve(exchange: Exchange) -> None:
        lines = ("HTTP/1.0 200 OK", *headers)
        exchange.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return serve


def in_chunks(body: bytes, *headers: str, ends: bool = True) -> Behaviour:
    """Answer in chunks, with more headers."""

    def serve(exchange: Exchange) -> None:
        exchange.answer("200 OK", *headers, "Transfer-Encoding: chunked")
        exchange.send(b"%x\r\n%s\r\n" % (len(body), body))
        if ends:
            exchange.send(b"0\r\n\r\n")

    return serve


def announcing(body: bytes, length: int, *headers: str) -> Behaviour:
    """Announce another length than the body has."""
    told = f"Content-Length: {length}"
    return lambda exchange: exchange.answer("200 OK", told, *headers, body=body)
