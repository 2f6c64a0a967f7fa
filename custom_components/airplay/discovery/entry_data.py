"""The receiver in the data of an entry: written, read, and updated."""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_HOST, CONF_ID, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.helpers.device_registry import format_mac

from ..const import CONF_AIRPLAY, CONF_CREDENTIALS, CONF_RAOP
from ..raop.api import Member, Receiver, Service, normalize_id, plain_address

CONF_ADDRESSES = "addresses"
CONF_ADDRESS_WORKED = "address_worked"
CONF_INSTANCE = "instance"
CONF_TXT = "txt"


def unique_id(receiver_id: str) -> str:
    """Return a receiver's ID in Home Assistant's format of MAC addresses."""
    return format_mac(receiver_id) if normalize_id(receiver_id) else receiver_id


def receiver_at(host: str, port: int) -> Receiver:
    """Return a receiver of which only the address is known."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Receiver(
        id=address,
        name=host,
        host=host,
        raop=Service(instance=address, host=host, port=port),
        airplay=None,
    )


def service_data(service: Service | None) -> dict[str, Any] | None:
    """Return the entry data of a record."""
    if service is None:
        return None
    return {
        CONF_INSTANCE: service.instance,
        CONF_PORT: service.port,
        CONF_TXT: dict(service.txt),
    }


def receiver_data(receiver: Receiver) -> dict[str, Any]:
    """Return the entry data of a receiver."""
    return {
        CONF_ID: receiver.id,
        CONF_NAME: receiver.name,
        CONF_HOST: receiver.host,
        CONF_ADDRESSES: list(receiver.addresses),
        CONF_RAOP: service_data(receiver.raop),
        CONF_AIRPLAY: service_data(receiver.airplay),
    }


def followed(data: Mapping[str, Any], seen: Receiver) -> dict[str, Any]:
    """Return an entry's data updated from a seen receiver; an unseen record stays.

    HomePods drop `_raop._tcp` now and then, and announce it again. The address that
    answered last stays the first one as long as it is announced.
    """
    known = {key: value for key, value in receiver_data(seen).items() if value}
    worked = data.get(CONF_ADDRESS_WORKED)
    if worked in seen.addresses:
        known[CONF_HOST] = worked
    return {**data, **known}


def answered(data: Mapping[str, Any], address: str) -> dict[str, Any]:
    """Return an entry's data with the one of several addresses to try first from now on."""
    known, plain = receiver_from(data).addresses, plain_address(address)
    first = [each for each in known if plain_address(each) == plain]
    if len(known) < 2 or not first:
        return dict(data)
    return {**data, CONF_HOST: first[0], CONF_ADDRESS_WORKED: first[0]}


def receiver_from(data: Mapping[str, Any]) -> Receiver:
    """Return the receiver that an entry was created for."""
    host, addresses = data[CONF_HOST], tuple(data.get(CONF_ADDRESSES, ()))
    return Receiver(
        id=data[CONF_ID],
        name=data[CONF_NAME],
        host=host,
        raop=_service(host, addresses, data.get(CONF_RAOP)),
        airplay=_service(host, addresses, data.get(CONF_AIRPLAY)),
    )


def member_from(data: Mapping[str, Any], receiver: Receiver, name: str) -> Member:
    """Return a receiver of an entry as a member of a stream, with its secrets."""
    raop, airplay = receiver.raop, receiver.airplay
    service = raop or airplay
    return Member(
        receiver=receiver.id,
        name=name,
        host=receiver.host,
        port=service.port if service else 0,
        txt=dict(raop.txt) if raop else {},
        airplay_port=airplay.port if airplay else None,
        airplay_txt=dict(airplay.txt) if airplay else {},
        addresses=receiver.addresses,
        password=data.get(CONF_PASSWORD),
        credentials=data.get(CONF_CREDENTIALS),
    )


def _service(
    host: str, addresses: tuple[str, ...], kept: Mapping[str, Any] | None
) -> Service | None:
    if kept is None:
        return None
    return Service(
        instance=kept[CONF_INSTANCE],
        host=host,
        port=kept[CONF_PORT],
        txt=kept[CONF_TXT],
        addresses=addresses,
    )
