"""Which receiver a record belongs to, also if several receivers announce one ID.

Images that were cloned, and several receivers on one host, share an ID. They differ in
the names of their records, and in the addresses and ports at which they listen.
"""

from collections.abc import Mapping

from ..raop.api import Receiver, Service, plain_address, receiver_id


def key_of(service: Service, known: Mapping[str, Receiver], *, is_raop: bool) -> str:
    """Return the ID of the receiver that a record belongs to.

    `known` are the receivers by their IDs. A receiver has one record of each kind. So
    another name at another address or port is another receiver, and its ID contains its
    name; another name at the same place is a new name.
    """
    announced = receiver_id(service, is_raop=is_raop)
    others = [
        key for key, each in known.items() if announced in _announced_ids(each, key)
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


def _announced_ids(receiver: Receiver, key: str) -> set[str]:
    ids = {key}
    if receiver.raop:
        ids.add(receiver_id(receiver.raop, is_raop=True))
    if receiver.airplay:
        ids.add(receiver_id(receiver.airplay, is_raop=False))
    return ids


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
