"""The request `GET /info`: a receiver's record, for any sender, paired or not."""

from dataclasses import replace

from ..errors import ReceiverProtocolError, ReceiverRefusedError
from ..receiver import Receiver
from ..receiver_identity import check_id
from ..receiver_records import Service
from ..wire.handshake import Handshake
from ..wire.plist import parse_plist
from ..wire.rtsp import Request

_USER_AGENT = "AirPlay/409.16"
# Keys of the answer, and the same keys of the TXT record.
_WORDS = {
    "deviceID": "deviceid",
    "manufacturer": "manufacturer",
    "model": "model",
    "sourceVersion": "srcvers",
}


def ask_info(receiver: Receiver) -> Handshake[Receiver]:
    """Return the receiver with the record that it announces on its own network.

    Raises WrongReceiverError: another receiver answers.
    Raises ReceiverRefusedError: it refuses the request.
    Raises ReceiverProtocolError: the answer is malformed, or has no features.
    """
    response = yield Request("GET", "/info", (("User-Agent", _USER_AGENT),))
    if not 200 <= response.status < 300:
        text = f"/info: the receiver answered {response.status}"
        raise ReceiverRefusedError(text, status=response.status)
    said = parse_plist(response.body)
    if isinstance(device_id := said.get("deviceID"), str):
        check_id(receiver, device_id)
    features, flags = said.get("features"), said.get("statusFlags")
    if not isinstance(features, int) or not isinstance(flags, int):
        raise ReceiverProtocolError("/info: no features and flags")
    txt = {
        key: word
        for name, key in _WORDS.items()
        if isinstance(word := said.get(name), str)
    }
    txt["features"] = f"0x{features & 0xFFFFFFFF:X},0x{features >> 32 & 0xFFFFFFFF:X}"
    txt["flags"] = f"0x{flags & 0xFFFFFFFF:X}"
    known = receiver.airplay
    if known:
        said_before = known.txt.items()
        txt |= {key: word for key, word in said_before if key.lower() not in txt}
    port = known.port if known else receiver.port
    record = Service(receiver.name, receiver.host, port, txt)
    return replace(receiver, airplay=record)
