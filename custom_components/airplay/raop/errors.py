"""Errors that the core raises on purpose, named by what the caller can do about it.

Every class has a `code`, stable and short, that travels to other processes together
with the `status` and is translated there; the text is for logs and the command line.
"""

from typing import ClassVar


class RaopError(Exception):
    """Base of every error that this package raises on purpose.

    `status` is that of the answer in the way, as RTSP and HTTP number it.
    """

    code: ClassVar[str] = "failed"

    def __init__(self, text: str = "", *, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class ReceiverUnreachableError(RaopError):
    """The receiver did not answer, or the connection to it broke."""

    code = "unreachable"


class ReceiverBusyError(RaopError):
    """The receiver plays for another sender."""

    code = "busy"


class ReceiverTakenError(ReceiverBusyError):
    """The receiver was switched to another source while it played."""

    code = "taken"


class ReceiverRefusedError(RaopError):
    """The receiver answered a request with an error status."""

    code = "refused"


class ReceiverProtocolError(RaopError):
    """The receiver sent something that the protocol does not allow."""

    code = "protocol"


class ReceiverSilentError(RaopError):
    """The receiver accepted the stream, but nothing shows that it plays it."""

    code = "silent"


class HopelessLinkError(RaopError):
    """The receiver drops out again and again."""

    code = "link_hopeless"


class MissingReceiverError(HopelessLinkError):
    """The receiver does not come back to its group."""

    code = "link_missing"


class NoStreamError(RaopError):
    """There is nothing to go on with."""

    code = "no_stream"


class UnsupportedReceiverError(RaopError):
    """The receiver offers no way of playing that this package knows."""

    code = "unsupported"


class AuthenticationError(RaopError):
    """The receiver refused our PIN, password or stored credentials."""

    code = "auth_failed"


class PasswordRequiredError(AuthenticationError):
    """The receiver asks for a password and none is known."""

    code = "password_required"


class PairingRequiredError(AuthenticationError):
    """The receiver plays only for senders that were paired with a PIN."""

    code = "pairing_required"


class CredentialsRejectedError(AuthenticationError):
    """The receiver does not know the pairing any more, for example after a reset."""

    code = "credentials_rejected"


class PairingRefusedError(AuthenticationError):
    """The receiver lets nobody pair with it, whatever the PIN."""

    code = "pairing_refused"


class TooManyTriesError(AuthenticationError):
    """The receiver takes no PIN for now; `retry_s` is how long, where it says so."""

    code = "too_many_tries"

    def __init__(self, text: str, retry_s: int | None = None) -> None:
        super().__init__(text)
        self.retry_s = retry_s


class PtpUnavailableError(RaopError):
    """Our machine cannot be the clock that AirPlay 2 receivers follow.

    `reason` says why in a word; `not_permitted` and `taken` are what users can mend.
    """

    code = "ptp_unavailable"
    reason: ClassVar[str] = "failed"


class PtpPortsTakenError(PtpUnavailableError):
    """Another program on this machine has UDP port 319 or 320."""

    code = "ptp_ports_taken"
    reason = "taken"


class PtpNotPermittedError(PtpUnavailableError):
    """Our process may not open UDP ports 319 and 320."""

    code = "ptp_not_permitted"
    reason = "not_permitted"


class StoppedError(RaopError):
    """Somebody stopped what the command was still at work on."""

    code = "stopped"


class MediaError(RaopError):
    """The media cannot be played; `code` says why, the text names the media."""

    code = "media_failed"


class MediaNotFoundError(MediaError):
    """There is nothing at that address or path."""

    code = "media_not_found"


class MediaForbiddenError(MediaError):
    """The server wants a login, or refuses to hand the media out."""

    code = "media_forbidden"


class MediaUnreachableError(MediaError):
    """The server of the media does not answer in time, or not at all."""

    code = "media_unreachable"


class MediaNotAudioError(MediaError):
    """What came is not media, or has no audio in it."""

    code = "media_not_audio"


class MediaTooLongError(MediaError):
    """The media would hold the speaker for too long, as an announcement."""

    code = "media_too_long"


class MediaEmptyError(MediaError):
    """The media has no bytes, or no sound."""

    code = "media_empty"


def error_for(code: str, text: str, status: int | None = None) -> RaopError:
    """Return the error that a code from another process stands for."""
    known = (error for error in _tree(RaopError) if error.code == code)
    error = next(known, RaopError)(text)
    error.status = status
    return error


def _tree(base: type[RaopError]) -> list[type[RaopError]]:
    return [base, *(leaf for child in base.__subclasses__() for leaf in _tree(child))]
