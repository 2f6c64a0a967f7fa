"""What users see of a receiver: its own words, made safe to show."""

from ..helpers.foreign_text import inert
from ..raop.api import Receiver


def title_of(receiver: Receiver) -> str:
    """Return the name; the address of a receiver whose name has nothing visible."""
    return inert(receiver.title) or inert(receiver.host)


def model_of(receiver: Receiver) -> str:
    """Return the model; the address of a receiver that announces none."""
    return inert(receiver.model or "") or inert(receiver.host)
