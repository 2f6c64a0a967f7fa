"""Errors of the sender process as its owner sees it."""

from typing import ClassVar

from ..raop.api import RaopError


class SenderGoneError(RaopError):
    """The sender process is not there, or does not answer."""

    code: ClassVar[str] = "sender_gone"
