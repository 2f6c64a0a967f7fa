"""The body of ANNOUNCE: the format of the stream (RFC 4566, RAOP's attributes)."""

from .codec import Codec

# The numbers are the ALAC decoder's configuration: 352 frames per packet, 16 bits,
# Rice parameters 40 10 14, two channels, 44.1 kHz.
_ALAC = ("a=rtpmap:96 AppleLossless", "a=fmtp:96 352 0 16 40 10 14 2 255 0 0 44100")
# With an fmtp line shairport-sync treats the stream as ALAC.
_L16 = ("a=rtpmap:96 L16/44100/2",)


def announce_body(
    session_id: int,
    local: str,
    remote: str,
    codec: Codec,
    *,
    key: str | None = None,
    iv: str | None = None,
) -> bytes:
    """Write the session description; key and IV (Base64) only if it is encrypted.

    An Apple TV 3 rejects an unencrypted stream that carries key lines, even empty.

    Raises ValueError: a key without an IV, or an IV without a key.
    """
    if (key is None) != (iv is None):
        raise ValueError("an encrypted stream needs a key and an IV")
    lines = [
        "v=0",
        f"o=iTunes {session_id} 0 IN {_address(local)}",
        "s=iTunes",
        f"c=IN {_address(remote)}",
        "t=0 0",
        "m=audio 0 RTP/AVP 96",
        *(_L16 if codec is Codec.L16 else _ALAC),
    ]
    if key is not None:
        lines += [f"a=rsaaeskey:{key}", f"a=aesiv:{iv}"]
    return "\r\n".join((*lines, "")).encode()


def _address(host: str) -> str:
    plain = host.partition("%")[0]
    return f"IP6 {plain}" if ":" in plain else f"IP4 {plain}"
