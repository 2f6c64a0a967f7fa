"""Tags as strangers write them: too many, too long, or odd."""

from collections.abc import Iterable


def syncsafe(value: int) -> bytes:
    """Return a size in seven bits a byte."""
    return bytes(value >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: str, body: bytes, version: int = 3) -> bytes:
    """Return a frame of ID3."""
    if version == 2:
        return name.encode() + len(body).to_bytes(3) + body
    size = syncsafe(len(body)) if version == 4 else len(body).to_bytes(4)
    return name.encode() + size + bytes(2) + body


def text(name: str, words: str, version: int = 3) -> bytes:
    """Return a frame with a text in Latin-1, which is known to all versions."""
    return frame(name, b"\0" + words.encode("latin-1"), version)


def many_texts(count: int, version: int = 3) -> bytes:
    """Return frames with different texts that nobody needs."""
    name = "TXX" if version == 2 else "TXXX"
    return b"".join(text(name, f"{number:06}\0v", version) for number in range(count))


def id3(frames: bytes, version: int = 3, flags: int = 0) -> bytes:
    """Return an ID3 tag."""
    return b"ID3" + bytes((version, 0, flags)) + syncsafe(len(frames)) + frames


def comments(entries: Iterable[str]) -> bytes:
    """Return a block of Vorbis comments."""
    encoded = [each.encode() for each in entries]
    return (
        b"\4\0\0\0test"
        + len(encoded).to_bytes(4, "little")
        + b"".join(len(each).to_bytes(4, "little") + each for each in encoded)
    )


def many_comments(count: int) -> list[str]:
    """Return different comments that nobody needs."""
    return [f"K{number:06}=v" for number in range(count)]


def with_blocks(flac: bytes, blocks: Iterable[tuple[int, bytes]]) -> bytes:
    """Return FLAC with these metadata blocks behind its stream info."""
    at, is_last = 4, False
    while not is_last:
        is_last = bool(flac[at] & 0x80)
        at += 4 + int.from_bytes(flac[at + 1 : at + 4])
    listed = [(0, flac[8:42]), *blocks]
    head = b"".join(
        bytes((kind | (0x80 if number == len(listed) else 0),))
        + len(body).to_bytes(3)
        + body
        for number, (kind, body) in enumerate(listed, 1)
    )
    return b"fLaC" + head + flac[at:]
