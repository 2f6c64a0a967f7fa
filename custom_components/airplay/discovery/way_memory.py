"""The way that played last on a receiver, as its entry keeps it."""

from collections.abc import Mapping
from typing import Any

from ..const import CONF_LANE, CONF_LANE_WORKED
from ..raop.api import Receiver, Way
from .entry_data import receiver_from

_FIRMWARE = "firmware"
_WAY = "way"


def way_that_worked(data: Mapping[str, Any], receiver: Receiver) -> str | None:
    """Return the way that played last, unless the firmware has changed since.

    Earlier versions stored the lane only. What is no way counts as none.
    """
    worked = data.get(CONF_LANE_WORKED)
    if not isinstance(worked, Mapping) or worked.get(_FIRMWARE) != receiver.firmware:
        return None
    text = worked.get(_WAY, worked.get(CONF_LANE))
    return text if isinstance(text, str) and Way.parse(text) else None


def with_way(data: Mapping[str, Any], lane: str, text: str) -> dict[str, Any]:
    """Return an entry's data with the way that plays.

    The data stay as they are if it is the only one that the records permit.
    """
    receiver = receiver_from(data)
    way, worked = Way.parse(text), way_that_worked(data, receiver)
    is_usual = worked is None and way is not None and way.is_usual_for(receiver)
    if is_usual or text == worked:
        return dict(data)
    kept = {CONF_LANE: lane, _WAY: text, _FIRMWARE: receiver.firmware}
    return {**data, CONF_LANE_WORKED: kept}
