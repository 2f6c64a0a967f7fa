"""Who we are to a receiver that pairs with us, and the request that shows its PIN.

tvOS 27 shows no PIN to a sender without a name, although it answers 200 (pyatv #2866
and #2894: "clientName is nil"). A Mac shows the name in the window in which its user
accepts the sender.
"""

from dataclasses import dataclass
import re
from typing import Self

from ..errors import PairingRefusedError, ReceiverRefusedError
from ..wire.handshake import Handshake
from ..wire.rtsp import Request
from .pairing_messages import AGENT, Headers

# As long as the name of a device may be in mDNS.
_MOST_NAME_BYTES = 63
_NAMELESS = "Home Assistant"
_ID = re.compile(rb"[\x21-\x7e]{1,64}")
_PIN_DIGITS = "4"
# Newer builds of tvOS 27 answer 453 and show the PIN.
_ACCEPTED = 453
_REFUSALS = (403, 470)


@dataclass(frozen=True, slots=True)
class PairingClient:
    """The name that receivers show, and the id under which they keep our key."""

    name: str
    id: str

    @classmethod
    def named(cls, name: str, client_id: str) -> Self:
        """Return a client with a name that fits into a header, in UTF-8."""
        return cls(safe_name(name), client_id)

    @property
    def headers(self) -> Headers:
        """The headers of each request of a pairing by PIN."""
        return (("X-Apple-Client-Name", self.name), *id_headers(self.id.encode()))


def safe_name(name: str) -> str:
    """Return a name of at most 63 bytes of UTF-8 without control characters."""
    printable = "".join(each if each.isprintable() else " " for each in name)
    raw = " ".join(printable.split()).encode()[:_MOST_NAME_BYTES]
    return raw.decode(errors="ignore").strip() or _NAMELESS


def id_headers(client_id: bytes) -> Headers:
    """Return the header with our id; none for an id that is not text."""
    if not _ID.fullmatch(client_id):
        return ()
    return (("X-Apple-Client-ID", client_id.decode()),)


def show_pin(client: PairingClient, kind: Headers = ()) -> Handshake[None]:
    """Have the receiver show its PIN; `kind` is the header of the kind of pairing.

    Raises PairingRefusedError: it pairs with no sender.
    Raises ReceiverRefusedError: it does not know the request, or refuses it.
    """
    length = ("X-Apple-SupportedPINLengths", _PIN_DIGITS)
    headers = (*AGENT, *kind, *client.headers, length)
    response = yield Request("POST", "/pair-pin-start", headers)
    if 200 <= response.status < 300 or response.status == _ACCEPTED:
        return
    text = f"/pair-pin-start: the receiver answered {response.status}"
    refused = response.status in _REFUSALS
    error = PairingRefusedError if refused else ReceiverRefusedError
    raise error(text, status=response.status)
