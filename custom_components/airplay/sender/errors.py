"""Errors of the connection to the sender process."""

from typing import ClassVar

from ..raop.api import RaopError


class SenderGoneError(RaopError):
    """The sender process is not running, or does not respond."""

    code: ClassVar[str] = "sender_gone"
