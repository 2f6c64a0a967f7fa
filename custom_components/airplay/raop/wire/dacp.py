"""DACP, a receiver's requests to its sender: `GET /ctrl-int/1/<name>?<properties>`.

Names and meanings: iTunes' protocol as receivers speak it (shairport-sync's dacp.c,
AV receivers) and as OwnTone answers it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
import re

from ..buttons import Button
from ..errors import ReceiverProtocolError
from .parameters import percent_of_db

_COMMANDS = {
    "play": Button.PLAY,
    "pause": Button.PAUSE,
    # OwnTone toggles here; by its name, and in iTunes, it never starts playback.
    "discrete-pause": Button.PAUSE,
    "playpause": Button.PLAY_PAUSE,
    "playresume": Button.RESUME,
    "stop": Button.STOP,
    "nextitem": Button.NEXT,
    "previtem": Button.PREVIOUS,
    "beginff": Button.FAST_FORWARD,
    "beginrew": Button.REWIND,
    "shuffle_songs": Button.SHUFFLE_TOGGLE,
    "volumeup": Button.VOLUME_UP,
    "volumedown": Button.VOLUME_DOWN,
    "mutetoggle": Button.MUTE_TOGGLE,
}
_SET = "setproperty"
_MUTE_DB = -144.0
_LONGEST_MS = 7 * 24 * 3600 * 1000
# More digits than receivers send, and few enough for int() and float().
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{0,20})?", re.ASCII)
_SPEAKER = re.compile(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DacpRequest:
    """One request of a receiver; `speaker` is the id that it names, if any."""

    button: Button
    value: float | None = None
    speaker: int | None = None


def parse_request(
    name: str, query: Iterable[tuple[str, str]]
) -> tuple[DacpRequest, ...] | None:
    """Return the requests of a command, or None if its name is unknown.

    Unknown properties are ignored.

    Raises ReceiverProtocolError: a value is not a number.
    """
    if name in _COMMANDS:
        return (DacpRequest(_COMMANDS[name]),)
    return _properties(tuple(query)) if name == _SET else None


def _properties(query: tuple[tuple[str, str], ...]) -> tuple[DacpRequest, ...]:
    named = dict(query)
    orders = []
    for key, text in query:
        if key == "dmcp.volume":
            orders.append(_volume(text, named))
        elif key in _PROPERTIES:
            orders.append(_PROPERTIES[key](_number(key, text)))
    return tuple(orders)


def _volume(text: str, named: dict[str, str]) -> DacpRequest:
    """Parse a volume in percent: of the sender, or of a named speaker."""
    percent = min(max(_number("dmcp.volume", text), 0.0), 100.0)
    if "include-speaker-id" in named:
        speaker = _speaker(named["include-speaker-id"])
        return DacpRequest(Button.VOLUME_SET, percent, speaker)
    if "speaker-id" in named:
        return DacpRequest(
            Button.VOLUME_RELATIVE, percent, _speaker(named["speaker-id"])
        )
    return DacpRequest(Button.VOLUME_SET, percent)


def _device_volume(level_db: float) -> DacpRequest:
    """Parse a volume in dB, which distinguishes muted from silent."""
    percent = percent_of_db(level_db) if level_db > _MUTE_DB else None
    return DacpRequest(Button.VOLUME_REPORT, percent)


def _prevent(value: float) -> DacpRequest:
    return DacpRequest(Button.SWITCHED_AWAY if value else Button.SWITCHED_BACK)


_PROPERTIES: dict[str, Callable[[float], DacpRequest]] = {
    "dmcp.device-volume": _device_volume,
    "dmcp.device-prevent-playback": _prevent,
    "dmcp.device-busy": _prevent,
    "dacp.shufflestate": lambda value: DacpRequest(
        Button.SHUFFLE_SET, float(value > 0)
    ),
    "dacp.repeatstate": lambda value: DacpRequest(
        Button.REPEAT_SET, float(min(max(int(value), 0), 2))
    ),
    # Milliseconds in OwnTone and shairport-sync; pyatv's notes say seconds.
    "dacp.playingtime": lambda value: DacpRequest(
        Button.SEEK, min(max(value, 0.0), float(_LONGEST_MS))
    ),
}


def _number(key: str, text: str) -> float:
    number = text.strip()
    if not _NUMBER.fullmatch(number):
        raise ReceiverProtocolError(f"{key} is not a number: {text[:40]!r}")
    return float(number)


def _speaker(text: str) -> int:
    """Parse the id of a speaker, decimal or with 0x; the first one of several."""
    first = text.partition(",")[0].strip()
    if not _SPEAKER.fullmatch(first):
        raise ReceiverProtocolError(f"not a speaker id: {text[:40]!r}")
    return int(first, 16 if first[:2] in ("0x", "0X") else 10)
