"""Errors of the connection to the sender process."""

from typing import ClassVar

from ..raop.api import RaopError


class SenderGoneError(RaopError):
    """The sender process is not running, or does not respond."""

    code: ClassVar[str] = "sender_gone"


class SenderFailingError(SenderGoneError):
    """The sender process has ended several times in a row, and starts again later."""

    code: ClassVar[str] = "sender_failing"


class CheckInterruptedError(RaopError):
    """The receiver was needed for playing while it was checked."""

    code = "check_interrupted"
