"""The records that belong to one receiver, its ID, and its name.

Images that were cloned, and several receivers on one host, share an ID. They differ in
the names of their records, and in the addresses and ports at which they listen.
"""

from collections.abc import Mapping
from dataclasses import replace
import re

from .errors import WrongReceiverError
from .receiver import Receiver
from .receiver_records import Service
from .wire.addresses import plain_address
from .wire.txt import look_up

_ID = re.compile(r"[0-9a-f]{12}")
# As Apple's responders write it, and as Avahi does.
_NUMBERED = re.compile(r"(?P<name>.+) (?:\(\d{1,4}\)|#\d{1,4})", re.ASCII | re.DOTALL)


def merge(raop: Service | None, airplay: Service | None) -> Receiver:
    """Combine two records into one receiver.

    Raises ValueError: no record is given.
    """
    first = raop or airplay
    if first is None:
        raise ValueError("a receiver needs at least one service")
    raop_id, raop_name = split_instance(raop.instance) if raop else (None, None)
    names = (airplay.instance if airplay else "", raop_name or "", first.instance)
    return Receiver(
        id=raop_id or _announced_id(airplay, first),
        name=_chosen(names),
        host=first.host,
        raop=raop,
        airplay=airplay,
    )


def receiver_id(service: Service, *, is_raop: bool) -> str:
    """Return the identity that both records of a receiver share."""
    named = split_instance(service.instance)[0] if is_raop else None
    return named or _announced_id(None if is_raop else service, service)


def key_of(service: Service, known: Mapping[str, Receiver], *, is_raop: bool) -> str:
    """Return the ID of the receiver that a record belongs to.

    `known` are the receivers by their IDs. A receiver has one record of each kind. So
    another name at another address or port is another receiver, and its ID contains its
    name; another name at the same place is a new name.
    """
    announced = receiver_id(service, is_raop=is_raop)
    others = [
        key for key, each in known.items() if announced in announced_ids(each, key)
    ]
    records = {key: _record(known[key], is_raop=is_raop) for key in others}
    for key, record in records.items():
        if record and record.instance == service.instance:
            return key
    for key, record in records.items():
        if record and _is_same_place(record, service):
            return key
    free = [key for key, record in records.items() if record is None]
    if free:
        return min(free, key=lambda key: _distance(known[key], service))
    return f"{announced}@{_name(service)}" if others else announced


def completed(
    key: str, known: Receiver | None, service: Service, *, is_raop: bool
) -> Receiver:
    """Return a receiver, by its ID, with a new record added to the known one."""
    if is_raop:
        receiver = merge(service, known.airplay if known else None)
    else:
        receiver = merge(known.raop if known else None, service)
    return receiver if receiver.id == key else replace(receiver, id=key)


def check_id(receiver: Receiver, said: str) -> None:
    """Check the ID with which a receiver answers, as `deviceID` or in hex digits.

    Two receivers may announce one host name and so the addresses of both. One that
    gives no ID, or is known by none, is believed.

    Raises WrongReceiverError: another receiver answers.
    """
    found = normalize_id(said)
    known = {split_instance(receiver.id)[0] or normalize_id(receiver.id)}
    if receiver.airplay:
        known.add(normalize_id(look_up(receiver.airplay.txt, "deviceid")))
    if found and known != {None} and found not in known:
        text = f"another receiver, {found}, answers at the address of {receiver.name}"
        raise WrongReceiverError(text)


def split_instance(instance: str) -> tuple[str | None, str]:
    """Split `0011AABBCCDD@Kitchen` at its first @ into id and name."""
    head, at, name = instance.partition("@")
    found = normalize_id(head) if at else None
    return (found, name) if found else (None, instance)


def normalize_id(text: str) -> str | None:
    """Return a MAC-like id as 12 lower-case hex digits, or None."""
    plain = text.lower().replace(":", "").replace("-", "")
    return plain if _ID.fullmatch(plain) else None


def _chosen(names: tuple[str, ...]) -> str:
    """Return the first name, or the one of which it is a duplicate.

    Bonjour appends a number to a name that another record of that type has already.
    """
    first = next((name for name in names if name), "")
    numbered = _NUMBERED.fullmatch(first)
    return numbered["name"] if numbered and numbered["name"] in names else first


def _announced_id(airplay: Service | None, first: Service) -> str:
    """Return the id in a record, for an instance name without one."""
    found = normalize_id(look_up(airplay.txt, "deviceid")) if airplay else None
    return found or look_up(first.txt, "pk") or first.instance


def announced_ids(receiver: Receiver, key: str) -> set[str]:
    """Return the IDs that the records of a receiver contain, and its own."""
    records = ((receiver.raop, True), (receiver.airplay, False))
    found = {receiver_id(each, is_raop=is_raop) for each, is_raop in records if each}
    return {key} | found


def _record(receiver: Receiver, *, is_raop: bool) -> Service | None:
    return receiver.raop if is_raop else receiver.airplay


def _is_same_place(one: Service, other: Service) -> bool:
    return one.port == other.port and bool(_addresses(one) & _addresses(other))


def _distance(receiver: Receiver, service: Service) -> tuple[bool, bool]:
    """Return how unlikely it is that a record belongs to a receiver."""
    places = {plain_address(each) for each in receiver.addresses}
    is_elsewhere = not places & _addresses(service)
    return receiver.name != _name(service), is_elsewhere


def _addresses(service: Service) -> set[str]:
    return {plain_address(each) for each in (service.host, *service.addresses)}


def _name(service: Service) -> str:
    return service.instance.rpartition("@")[2]
