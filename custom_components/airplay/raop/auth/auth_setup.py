"""The request `/auth-setup`, without which MFi receivers refuse or mute a stream.

The receiver answers with a certificate that no sender checks; the request alone
unlocks ANNOUNCE.
"""

from ..wire.rtsp import Request

_UNENCRYPTED_AUDIO = b"\x01"
# Any X25519 public key works; the open senders use this one.
_PUBLIC_KEY = bytes.fromhex(
    "5902ede90d4ef2bd4cb68a6330038207a94dbd50d8aa465b5d8c012a0c7e1d4e"
)


def auth_setup_request() -> Request:
    """Return the request; errors in its answer do not matter."""
    return Request(
        "POST",
        "/auth-setup",
        body=_UNENCRYPTED_AUDIO + _PUBLIC_KEY,
        content_type="application/octet-stream",
    )
