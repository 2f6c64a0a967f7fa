"""Requests of a receiver on the event channel of AirPlay 2."""

from ..buttons import Button
from ..errors import ReceiverProtocolError
from ..wire.plist import parse_plist
from ..wire.rtsp import Call

# A command has a few hundred bytes; the state of a receiver, which nothing here needs,
# has several thousand.
_MOST_COMMAND_BYTES = 4096
_REMOTE_COMMAND = "sendMediaRemoteCommand"
# HomePods send play or pause by their own state, which is often wrong; a touch means
# the other state (owntone-server #1181).
_BUTTONS = {
    "play": Button.PLAY_PAUSE,
    "paus": Button.PLAY_PAUSE,
    "nitm": Button.NEXT,
    "pitm": Button.PREVIOUS,
}


def button_of(call: Call) -> Button | None:
    """Return the button that was pressed, or None for everything else."""
    if len(call.body) > _MOST_COMMAND_BYTES:
        return None
    try:
        said = parse_plist(call.body)
    except ReceiverProtocolError:
        return None
    value = said.get("value")
    if said.get("type") != _REMOTE_COMMAND or not isinstance(value, str):
        return None
    return _BUTTONS.get(value)
