"""Requests and answers of HomeKit pairing, and the errors for refusals.

Refusals come in an answer with status 200 (error codes: HomeKit Accessory Protocol
§5.3); with another status a receiver refuses this kind of pairing altogether.
"""

from collections.abc import Mapping

from ..errors import (
    AuthenticationError,
    PairingRefusedError,
    PairingRequiredError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    TooManyTriesError,
)
from ..wire import tlv8
from ..wire.rtsp import Request, Response
from ..wire.tlv8 import Tag

type Headers = tuple[tuple[str, str], ...]

# Receivers with software 27 answer other agents with 403.
AGENT: Headers = (("User-Agent", "AirPlay/409.16"),)
# The kind of pairing, in X-Apple-HKP.
LASTING_KIND = 3
TRANSIENT_KIND = 4
_ERROR_AUTHENTICATION = 2
_ERROR_BACK_OFF = 3
_ERROR_MAX_PEERS = 4
_ERROR_MAX_TRIES = 5
_ERRORS_BUSY = (6, 7)
# A number in a message has up to 8 bytes; no receiver locks itself for longer than a day.
_MOST_NUMBER_BYTES = 8
_LONGEST_DELAY_S = 24 * 3600


def message(
    uri: str, kind: int, items: Mapping[Tag, bytes], client: Headers = ()
) -> Request:
    """Write one request; `kind` is the value of X-Apple-HKP, `client` our headers.

    3 is for a PIN and for stored keys, 4 for pairing for one connection. Receivers
    answer stored keys under 4 with an error, and then not at all.
    """
    headers = (*AGENT, ("X-Apple-HKP", str(kind)), *client)
    body = tlv8.encode(items)
    return Request("POST", uri, headers, body, "application/octet-stream")


def read_answer(
    response: Response,
    state: int,
    *needed: Tag,
    denied: type[AuthenticationError] = AuthenticationError,
) -> dict[int, bytes]:
    """Parse an answer with required items; `denied` is the error for a wrong proof.

    Raises PairingRequiredError: this kind of pairing is refused (403, 470).
    Raises `denied`: the receiver does not accept the proof.
    Raises TooManyTriesError, PairingRefusedError, ReceiverBusyError: it requires a
    pause, is paired with too many senders, or is being paired.
    Raises ReceiverRefusedError: it refuses for an unknown reason.
    Raises ReceiverProtocolError: the answer is malformed, or lacks an item.
    """
    if response.status in (403, 470):
        raise PairingRequiredError("the receiver requires pairing by PIN")
    if not 200 <= response.status < 300:
        text = f"pairing: the receiver answered {response.status}"
        raise ReceiverRefusedError(text, status=response.status)
    items = tlv8.decode(response.body)
    if Tag.ERROR in items:
        raise _refusal(items, denied)
    if items.get(Tag.STATE) != bytes((state,)):
        raise ReceiverProtocolError(f"pairing: the answer is not message {state}")
    if missing := [tag.name for tag in needed if not items.get(tag)]:
        raise ReceiverProtocolError(f"pairing message {state} lacks {missing[0]}")
    return items


def _refusal(
    items: Mapping[int, bytes], denied: type[AuthenticationError]
) -> Exception:
    code = _number(items[Tag.ERROR])
    if code == _ERROR_AUTHENTICATION:
        return denied("the receiver does not accept the proof")
    if code == _ERROR_BACK_OFF:
        delay_s = _number(items.get(Tag.RETRY_DELAY, b"")) or 0
        text = "the receiver accepts no PIN for now"
        return TooManyTriesError(text, min(delay_s, _LONGEST_DELAY_S) or None)
    if code == _ERROR_MAX_TRIES:
        return TooManyTriesError("the receiver accepts no more attempts")
    if code == _ERROR_MAX_PEERS:
        return PairingRefusedError("the receiver is paired with too many senders")
    if code in _ERRORS_BUSY:
        return ReceiverBusyError("the receiver is being paired with another sender")
    named = "of an unknown form" if code is None else code
    return ReceiverRefusedError(f"pairing: the receiver answered error {named}")


def _number(value: bytes) -> int | None:
    """Return a number of a message, or None if it is too long for one."""
    if len(value.rstrip(b"\0")) > _MOST_NUMBER_BYTES:
        return None
    return int.from_bytes(value, "little")
