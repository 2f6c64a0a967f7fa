"""Diagnostics for reports about a speaker, without secrets."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_ID, CONF_PASSWORD
from homeassistant.core import HomeAssistant

from .const import CONF_AIRPLAY, CONF_CREDENTIALS, CONF_PARTNER, CONF_RAOP
from .discovery.entry_data import (
    CONF_ADDRESS_WORKED,
    CONF_ADDRESSES,
    CONF_INSTANCE,
    CONF_TXT,
)
from .raop.api import Progress
from .runtime import AirPlayConfigEntry

_RECORDS = {CONF_AIRPLAY, CONF_RAOP}
_ADDRESSES = {CONF_ADDRESS_WORKED, CONF_HOST}
_SECRET = {CONF_CREDENTIALS, CONF_PASSWORD}
# Keys and serial numbers of receivers and homes.
_SECRET_TXT = {
    "btaddr",
    "deviceid",
    "gid",
    "hgid",
    "hkid",
    "hmid",
    "pgid",
    "pi",
    "pk",
    "psi",
    "serialnumber",
    "tsid",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant,
    entry: AirPlayConfigEntry,
) -> dict[str, Any]:
    """Return the state of a receiver and of its playback."""
    runtime = entry.runtime_data
    speaker = runtime.speaker
    player = speaker.player
    receiver = speaker.device.receiver
    progress = await player.links.async_measure()
    return {
        "entry": {"source": entry.source, "data": _redact(entry.data)},
        "receiver": {
            "id": _shorten(receiver.id),
            "model": receiver.model,
            "manufacturer": receiver.manufacturer,
            "firmware": receiver.firmware,
            "features": hex(receiver.features) if receiver.features else None,
            "flags": hex(receiver.flags),
            "lanes": [str(lane) for lane in receiver.lanes],
            "obstacle": receiver.obstacle,
            "is_available": speaker.device.is_available,
            "is_confirmed": speaker.device.is_confirmed,
            "buddy": _shorten(partner.id)
            if (partner := speaker.device.partner)
            else None,
        },
        "player": {
            "state": player.reported.state,
            "volume": speaker.volume.level,
            "is_muted": speaker.volume.is_muted,
            "volume_origin": speaker.volume.origin,
            "in_use_elsewhere": speaker.in_use.is_in_use,
            "progress": _progress(progress) if progress else None,
        },
        "queue": asdict(player.queue.items.snapshot()),
        "group": {
            "members": [
                _shorten(each.device.receiver.id) for each in player.members.speakers
            ],
            "is_leader": player.members.leader is speaker,
            "is_missed": speaker.is_missed,
            "level": player.members.level,
        },
        "announcements": {
            "is_heard": speaker.is_announcing,
            "waiting": runtime.announcements.length(runtime.announcer),
            "settings": asdict(runtime.announcer.settings),
        },
        "settings": asdict(speaker.settings)
        | {"maximum_volume": speaker.volume.maximum}
        | asdict(speaker.device.tuning),
        "sender": runtime.sender.status,
    }


def _progress(progress: Progress) -> dict[str, Any]:
    members = [
        asdict(member) | {"receiver": _shorten(member.receiver)}
        for member in progress.members
    ]
    return asdict(progress) | {"members": members}


def _redact(kept: Mapping[str, Any]) -> dict[str, Any]:
    redacted = {
        key: _redact_part(key, value) if value else value
        for key, value in async_redact_data(kept, _SECRET).items()
    }
    return redacted | {CONF_ID: _shorten(kept[CONF_ID])}


def _redact_part(key: str, value: Any) -> Any:
    """Redact the secrets of a record, or of the other receiver of a pair."""
    if key in _RECORDS:
        return _redact_record(value)
    if key == CONF_ADDRESSES:
        return [_redact_address(each) for each in value]
    if key in _ADDRESSES:
        return _redact_address(value)
    return _redact(value) if key == CONF_PARTNER else value


def _redact_address(address: str) -> str:
    """Redact an IPv6 address, which may contain the MAC address; IPv4 ones are local."""
    return _shorten(address) if ":" in address else address


def _redact_record(record: Mapping[str, Any]) -> dict[str, Any]:
    txt = {
        key: "**REDACTED**" if key.lower() in _SECRET_TXT else value
        for key, value in record[CONF_TXT].items()
    }
    head, at, name = record[CONF_INSTANCE].partition("@")
    instance = _shorten(head) + at + name if at else head
    return {**record, CONF_INSTANCE: instance, CONF_TXT: txt}


def _shorten(text: str) -> str:
    """Keep the part that identifies the manufacturer, not that of the receiver."""
    return f"{text[:6]}…" if text else text
