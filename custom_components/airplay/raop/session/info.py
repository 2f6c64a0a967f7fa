"""The request `GET /info`: a receiver's record, for any sender, paired or not.

Its records are requested too if they are not known: only they contain what a HomePod
reports about its group and its software. iPhones name them in a property list. Apple's
receivers add the records to the answer; others answer with one alone, or ignore it.
"""

from collections.abc import Mapping
from dataclasses import replace

from ..auth.pairing_messages import AGENT
from ..errors import ReceiverProtocolError, ReceiverRefusedError
from ..receiver import Receiver
from ..receiver_identity import check_id
from ..receiver_records import Service
from ..wire.handshake import Handshake
from ..wire.plist import build_plist, parse_plist
from ..wire.rtsp import Request, Response
from ..wire.txt import lower_keys, parse_record

_URI = "/info"
_PLIST = "application/x-apple-binary-plist"
_AIRPLAY_RECORD = "txtAirPlay"
_RAOP_RECORD = "txtRAOP"
_RECORDS = build_plist({"qualifier": [_AIRPLAY_RECORD, _RAOP_RECORD]})
# Keys of the answer, and the same keys of the TXT record.
_WORDS = {
    "deviceID": "deviceid",
    "manufacturer": "manufacturer",
    "model": "model",
    "sourceVersion": "srcvers",
    "psi": "psi",
    "featuresEx": "fex",
}
_NUMBERS = {"features", "flags"}
_CLASSIC_SERVER = "AirTunes/105"
# No value of a record is longer.
_MOST_CHARACTERS = 255


def is_classic() -> Handshake[bool]:
    """Return whether a receiver says that it has the software of AirPlay 1 alone.

    All open ones call themselves AirTunes/105, as the first AirPort Express does.
    """
    response = yield Request("OPTIONS", "*", AGENT)
    return (response.header("server") or "").startswith(_CLASSIC_SERVER)


def ask_info(receiver: Receiver) -> Handshake[Receiver]:
    """Return the receiver with the records that it announces on its own network.

    Raises WrongReceiverError: another receiver answers.
    Raises ReceiverRefusedError: it refuses the request.
    Raises ReceiverProtocolError: the answer is malformed, or has no features.
    """
    if not _has_record(receiver):
        response = yield Request("GET", _URI, AGENT, _RECORDS, _PLIST)
        try:
            return _informed(receiver, _read(response))
        except ReceiverRefusedError, ReceiverProtocolError:
            # It may know only the plain request.
            pass
    response = yield Request("GET", _URI, AGENT)
    return _informed(receiver, _read(response))


def _read(response: Response) -> dict[str, object]:
    if not 200 <= response.status < 300:
        text = f"/info: the receiver answered {response.status}"
        raise ReceiverRefusedError(text, status=response.status)
    return parse_plist(response.body)


def _informed(receiver: Receiver, said: Mapping[str, object]) -> Receiver:
    """Add what an answer says to the records that are known."""
    if isinstance(device_id := said.get("deviceID"), str):
        check_id(receiver, device_id)
    txt = _joined(_own_words(said), _record(said, _AIRPLAY_RECORD))
    if not lower_keys(txt).keys() >= _NUMBERS:
        raise ReceiverProtocolError("/info: no features and flags")
    known = receiver.airplay
    port = known.port if known else receiver.port
    if known:
        txt = _joined(txt, known.txt)
    record = Service(receiver.name, receiver.host, port, txt)
    return replace(receiver, airplay=record, raop=_raop(receiver, said))


def _has_record(receiver: Receiver) -> bool:
    """Return whether its record is known, not only the plain answer to this request."""
    known = lower_keys(receiver.airplay.txt).keys() if receiver.airplay else set()
    return not known <= {*_WORDS.values(), *_NUMBERS}


def _joined(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Return both records; the values of the first count."""
    said = lower_keys(first)
    others = {key: word for key, word in second.items() if key.lower() not in said}
    return {**first, **others}


def _own_words(said: Mapping[str, object]) -> dict[str, str]:
    """Return the record of an answer's own words; empty without features and flags."""
    features, flags = said.get("features"), said.get("statusFlags")
    if not isinstance(features, int) or not isinstance(flags, int):
        return {}
    txt = {
        key: word
        for name, key in _WORDS.items()
        if isinstance(word := said.get(name), str) and len(word) <= _MOST_CHARACTERS
    }
    txt["features"] = f"0x{features & 0xFFFFFFFF:X},0x{features >> 32 & 0xFFFFFFFF:X}"
    txt["flags"] = f"0x{flags & 0xFFFFFFFF:X}"
    return txt


def _raop(receiver: Receiver, said: Mapping[str, object]) -> Service | None:
    """Return the RAOP record, with the text of the answer if none was announced."""
    known, txt = receiver.raop, _record(said, _RAOP_RECORD)
    if known is None or known.txt or not txt:
        return known
    return replace(known, txt=txt)


def _record(said: Mapping[str, object], name: str) -> dict[str, str]:
    value = said.get(name)
    return parse_record(value) if isinstance(value, bytes) else {}
