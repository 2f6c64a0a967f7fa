"""Errors that the core raises on purpose, named by what the caller can do.

Every class has a `code`, stable and short, that is sent to other processes together
with the `status` and translated there; the text is for logs and the command line.
"""

from typing import ClassVar


class RaopError(Exception):
    """Base of every error that this package raises on purpose.

    `status` is the RTSP or HTTP status of the answer that caused it, if any.
    `extra` is the request on which a receiver ended the connection, if sound does not
    need it. `request` is the one that failed, for the doctor; empty without any.
    """

    code: ClassVar[str] = "failed"

    def __init__(self, text: str = "", *, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.extra: str | None = None
        self.request = ""


class ReceiverUnreachableError(RaopError):
    """The receiver did not answer, or its connection broke.

    `step` is the request that it did not answer, if it was connected. `is_early`: it
    closed the connection before it answered anything.
    """

    code = "unreachable"

    def __init__(
        self, text: str = "", *, status: int | None = None, step: str | None = None
    ) -> None:
        super().__init__(text, status=status)
        self.step = step
        self.is_early = False


class SlowReceiverError(ReceiverUnreachableError):
    """The receiver answers, but not soon enough for a start."""

    code = "too_slow"


class WrongReceiverError(RaopError):
    """Another receiver answers at the address of the wanted one."""

    code = "wrong_receiver"


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
    """The receiver accepted the stream without evidence that it plays."""

    code = "silent"


class HopelessLinkError(RaopError):
    """The receiver dropped out repeatedly."""

    code = "link_hopeless"


class MissingReceiverError(HopelessLinkError):
    """The receiver did not return to its group."""

    code = "link_missing"


class NoStreamError(RaopError):
    """There is nothing to continue."""

    code = "no_stream"


class UnsupportedReceiverError(RaopError):
    """The receiver offers no playback method that this package supports."""

    code = "unsupported"


class ReceiverUnlockedError(RaopError):
    """The receiver asks for none of the stored secrets, so it may be another one."""

    code = "unlocked"


class AuthenticationError(RaopError):
    """The receiver refused our PIN, password, or stored credentials."""

    code = "auth_failed"


class PasswordRequiredError(AuthenticationError):
    """The receiver requires a password and none is known."""

    code = "password_required"


class PairingRequiredError(AuthenticationError):
    """The receiver plays only for senders that are paired by PIN."""

    code = "pairing_required"


class CredentialsRejectedError(AuthenticationError):
    """The receiver no longer knows the pairing, for example after a reset."""

    code = "credentials_rejected"


class PairingRefusedError(AuthenticationError):
    """The receiver refuses to pair, whatever the PIN."""

    code = "pairing_refused"


class TooManyTriesError(AuthenticationError):
    """The receiver accepts no PIN for now; `retry_s` is how long, if it reports it."""

    code = "too_many_tries"

    def __init__(self, text: str, retry_s: int | None = None) -> None:
        super().__init__(text)
        self.retry_s = retry_s


class PtpUnavailableError(RaopError):
    """Our machine cannot be the clock that AirPlay 2 receivers follow.

    `reason` is one word; users can fix `not_permitted` and `taken`.
    """

    code = "ptp_unavailable"
    reason: ClassVar[str] = "failed"


class PtpPortsTakenError(PtpUnavailableError):
    """Another program on this machine uses UDP port 319 or 320."""

    code = "ptp_ports_taken"
    reason = "taken"


class PtpNotPermittedError(PtpUnavailableError):
    """Our process may not open UDP ports 319 and 320."""

    code = "ptp_not_permitted"
    reason = "not_permitted"


class UdpPortsTakenError(RaopError):
    """Other programs use all UDP ports of the range that the user has set."""

    code = "udp_ports_taken"


class StoppedError(RaopError):
    """Another command stopped the work of this one."""

    code = "stopped"


class MediaError(RaopError):
    """The media cannot be played; `code` is the reason, the text names the media."""

    code = "media_failed"


class MediaNotFoundError(MediaError):
    """There is nothing at that address or path."""

    code = "media_not_found"


class MediaForbiddenError(MediaError):
    """The server requires a login, or refuses to deliver the media."""

    code = "media_forbidden"


class MediaOutOfBoundsError(MediaError):
    """Content from outside leads to something that only a user may name."""

    code = "media_out_of_bounds"


class MediaUnreachableError(MediaError):
    """The server of the media does not answer, or not in time."""

    code = "media_unreachable"


class MediaNotAudioError(MediaError):
    """The content is not media, or has no audio."""

    code = "media_not_audio"


class MediaUnsupportedError(MediaError):
    """The content is a DASH stream (ISO/IEC 23009-1), which is not played."""

    code = "media_unsupported"


class MediaTooLongError(MediaError):
    """The media is too long for an announcement."""

    code = "media_too_long"


class MediaEmptyError(MediaError):
    """The media is empty, or has no sound."""

    code = "media_empty"


def media_problem(status: int) -> tuple[type[MediaError], str]:
    """Return the kind of error, and the reason, of an HTTP status from 400 on."""
    if status in (404, 410):
        return MediaNotFoundError, "the server does not have it"
    if status in (401, 403, 407):
        return MediaForbiddenError, "the server does not allow it without a login"
    # Too slow, too early, and too often may be different the next time.
    if 400 <= status < 500 and status not in (408, 425, 429):
        return MediaError, f"the server refuses it (HTTP {status})"
    return MediaUnreachableError, f"the server has a problem (HTTP {status})"


def error_for(code: str, text: str, status: int | None = None) -> RaopError:
    """Return the error for a code from another process."""
    known = (error for error in _tree(RaopError) if error.code == code)
    error = next(known, RaopError)(text)
    error.status = status
    return error


def _tree(base: type[RaopError]) -> list[type[RaopError]]:
    return [base, *(leaf for child in base.__subclasses__() for leaf in _tree(child))]
