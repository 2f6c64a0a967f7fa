"""The body of ANNOUNCE: which sound a sender is going to send."""

import base64
import binascii
from dataclasses import dataclass


class SdpError(Exception):
    """The session description is not one that a receiver could play."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Codec, keys and latency limits of a stream."""

    codec: str
    rate: int = 44100
    channels: int = 2
    bits: int = 16
    frames_per_packet: int = 352
    encrypted_key: bytes | None = None
    aes_iv: bytes | None = None
    min_latency_frames: int | None = None
    max_latency_frames: int | None = None
    origin: str = ""
    connection: str = ""

    @property
    def is_encrypted(self) -> bool:
        """Return whether the payload of the packets is AES-CBC."""
        return self.encrypted_key is not None


def parse_sdp(body: bytes) -> Announcement:
    """Read a session description with CRLF lines."""
    lines = _lines(body)
    types = "".join(letter for letter, _ in lines)
    if not types.startswith("vosctm"):
        raise SdpError(f"lines out of order: {types}")
    single = {letter: value for letter, value in lines if letter != "a"}
    if single["m"] != "audio 0 RTP/AVP 96":
        raise SdpError(f"media is {single['m']!r}")
    attributes: dict[str, str] = {}
    for letter, value in lines:
        if letter == "a":
            name, _, text = value.partition(":")
            attributes[name] = text
    return _announcement(attributes, single["o"], single["c"])


def _lines(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode()
    except UnicodeDecodeError as err:
        raise SdpError("not UTF-8") from err
    if not text.endswith("\r\n"):
        raise SdpError("no CRLF at the end")
    lines = text.removesuffix("\r\n").split("\r\n")
    if any(len(line) < 2 or line[1] != "=" for line in lines):
        raise SdpError("a line is not `x=…`")
    return [(line[0], line[2:]) for line in lines]


def _announcement(
    attributes: dict[str, str], origin: str, connection: str
) -> Announcement:
    payload_type, _, encoding = attributes.get("rtpmap", "").partition(" ")
    if payload_type != "96":
        raise SdpError("no rtpmap for 96")
    key = _base64(attributes, "rsaaeskey")
    iv = _base64(attributes, "aesiv")
    if (key is None) != (iv is None) or (iv is not None and len(iv) != 16):
        raise SdpError("AES key and 16 bytes of IV must come together")
    codec, rate, channels, bits, frames = _format(encoding, attributes.get("fmtp"))
    return Announcement(
        codec=codec,
        rate=rate,
        channels=channels,
        bits=bits,
        frames_per_packet=frames,
        encrypted_key=key,
        aes_iv=iv,
        min_latency_frames=_number(attributes, "min-latency"),
        max_latency_frames=_number(attributes, "max-latency"),
        origin=origin,
        connection=connection,
    )


def _format(encoding: str, fmtp: str | None) -> tuple[str, int, int, int, int]:
    """Return codec, rate, channels, bits and frames per packet."""
    if encoding == "AppleLossless":
        words = (fmtp or "").split(" ")
        if len(words) != 12 or not all(word.isdigit() for word in words):
            raise SdpError(f"fmtp is {fmtp!r}")
        numbers = [int(word) for word in words]
        # 96, then the decoder's magic cookie: frames, compatible version, bits,
        # history multiplier, initial history, limit, channels, run, bytes, rate.
        return "alac", numbers[11], numbers[7], numbers[3], numbers[1]
    name, _, shape = encoding.partition("/")
    if name == "L16":
        if fmtp is not None:
            # shairport-sync treats L16 with an fmtp line as ALAC (rtsp.c).
            raise SdpError("L16 with an fmtp line")
        rate, _, channels = shape.partition("/")
        if not (rate.isdigit() and channels.isdigit()):
            raise SdpError(f"rtpmap is {encoding!r}")
        return "l16", int(rate), int(channels), 16, 352
    raise SdpError(f"codec {encoding!r}")


def _base64(attributes: dict[str, str], name: str) -> bytes | None:
    text = attributes.get(name)
    if text is None:
        return None
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error) as err:
        raise SdpError(f"{name} is not Base64") from err


def _number(attributes: dict[str, str], name: str) -> int | None:
    text = attributes.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise SdpError(f"{name} is {text!r}")
    return int(text)
