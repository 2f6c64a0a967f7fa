"""The body of ANNOUNCE."""

import pytest

from custom_components.airplay.raop.wire.codec import Codec
from custom_components.airplay.raop.wire.sdp import announce_body
from tests.raop.vectors import word

ALAC = b"""\
v=0\r
o=iTunes 1234567890 0 IN IP4 192.168.1.10\r
s=iTunes\r
c=IN IP4 192.168.1.50\r
t=0 0\r
m=audio 0 RTP/AVP 96\r
a=rtpmap:96 AppleLossless\r
a=fmtp:96 352 0 16 40 10 14 2 255 0 0 44100\r
"""


def announce(codec: Codec, *, key: str | None = None, iv: str | None = None) -> bytes:
    return announce_body(
        1234567890, "192.168.1.10", "192.168.1.50", codec, key=key, iv=iv
    )


def test_unencrypted_alac_is_announced_in_182_bytes() -> None:
    body = announce(Codec.ALAC)

    assert body == ALAC
    assert len(body) == 182


def test_l16_is_announced_without_a_format_line() -> None:
    body = announce(Codec.L16)

    assert body.endswith(b"m=audio 0 RTP/AVP 96\r\na=rtpmap:96 L16/44100/2\r\n")


def test_an_encrypted_stream_carries_key_and_iv() -> None:
    iv = word("sdp_iv", "aesiv")

    body = announce(Codec.ALAC, key="S0VZ", iv=iv)

    assert body == ALAC + b"a=rsaaeskey:S0VZ\r\na=aesiv:" + iv.encode() + b"\r\n"


@pytest.mark.parametrize(("key", "iv"), [("S0VZ", None), (None, "SVY")])
def test_a_key_without_iv_is_refused(key: str | None, iv: str | None) -> None:
    with pytest.raises(ValueError, match="a key and an IV"):
        announce(Codec.ALAC, key=key, iv=iv)


def test_addresses_of_ipv6_lose_their_scope() -> None:
    body = announce_body(1, "fe80::1%eth0", "fe80::2%3", Codec.ALAC)

    assert b"o=iTunes 1 0 IN IP6 fe80::1\r\n" in body
    assert b"c=IN IP6 fe80::2\r\n" in body
