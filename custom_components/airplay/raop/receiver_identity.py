"""The records that belong to one receiver, and its name."""

import re

from .receiver import Receiver
from .receiver_records import Service
from .wire.txt import look_up

_ID = re.compile(r"[0-9a-f]{12}")


def merge(raop: Service | None, airplay: Service | None) -> Receiver:
    """Combine two records into one receiver.

    Raises ValueError: no record is given.
    """
    first = raop or airplay
    if first is None:
        raise ValueError("a receiver needs at least one service")
    raop_id, raop_name = split_instance(raop.instance) if raop else (None, None)
    return Receiver(
        id=raop_id or _announced_id(airplay, first),
        name=(airplay.instance if airplay else None) or raop_name or first.instance,
        host=first.host,
        raop=raop,
        airplay=airplay,
    )


def receiver_id(service: Service, *, is_raop: bool) -> str:
    """Return the identity that both records of a receiver share."""
    named = split_instance(service.instance)[0] if is_raop else None
    return named or _announced_id(None if is_raop else service, service)


def split_instance(instance: str) -> tuple[str | None, str]:
    """Split `0011AABBCCDD@Kitchen` at its first @ into id and name."""
    head, at, name = instance.partition("@")
    found = normalize_id(head) if at else None
    return (found, name) if found else (None, instance)


def normalize_id(text: str) -> str | None:
    """Return a MAC-like id as 12 lower-case hex digits, or None."""
    plain = text.lower().replace(":", "").replace("-", "")
    return plain if _ID.fullmatch(plain) else None


def _announced_id(airplay: Service | None, first: Service) -> str:
    """Return the id in a record, for an instance name without one."""
    found = normalize_id(look_up(airplay.txt, "deviceid")) if airplay else None
    return found or look_up(first.txt, "pk") or first.instance
