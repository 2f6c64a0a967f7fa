"""Why media cannot be played: an internal exception and its public error."""

import errno
import socket
import ssl

import av

from ..errors import (
    MediaEmptyError,
    MediaError,
    MediaForbiddenError,
    MediaNotAudioError,
    MediaNotFoundError,
    MediaOutOfBoundsError,
    MediaUnreachableError,
    MediaUnsupportedError,
    media_problem,
)


class UnplayableError(Exception):
    """A reason that users understand, and the error that it becomes."""

    def __init__(
        self, kind: type[MediaError], reason: str, status: int | None = None
    ) -> None:
        """Store the kind of error, a reason without an address, and the HTTP status."""
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.status = status

    @property
    def is_refusal(self) -> bool:
        """Whether we refuse it, so that there is no use in trying further."""
        return self.kind is MediaOutOfBoundsError

    def error(self, name: str) -> MediaError:
        """Return the error for media of this name."""
        return self.kind(f"Cannot play {name}: {self.reason}", status=self.status)


class BrokenStreamError(Exception):
    """A stream without an end broke off; opening it again may help."""


class DeadlineError(TimeoutError):
    """The media did not start in time."""


def empty(reason: str = "it has no sound") -> UnplayableError:
    """Return the problem of empty media or media without sound."""
    return UnplayableError(MediaEmptyError, reason)


def not_audio(reason: str) -> UnplayableError:
    """Return the problem of content that is not audio."""
    return UnplayableError(MediaNotAudioError, reason)


def damaged() -> UnplayableError:
    """Return the problem of content in which there is no sound, or too little."""
    return not_audio("it is not audio, or it is damaged")


def unsupported(reason: str) -> UnplayableError:
    """Return the problem of media in a format that we know and do not play."""
    return UnplayableError(MediaUnsupportedError, reason)


def not_found(reason: str) -> UnplayableError:
    """Return the problem of media that does not exist."""
    return UnplayableError(MediaNotFoundError, reason)


def forbidden(reason: str) -> UnplayableError:
    """Return the problem of media that we may not read."""
    return UnplayableError(MediaForbiddenError, reason)


def unreachable(reason: str) -> UnplayableError:
    """Return the problem of a server that does not deliver."""
    return UnplayableError(MediaUnreachableError, reason)


def only_a_part() -> UnplayableError:
    """Return the problem of a server that has more of it and does not deliver that."""
    return unreachable("its server delivers only a part of it")


def leads_inside() -> UnplayableError:
    """Return the problem of content from outside that names an address inside."""
    return UnplayableError(
        MediaOutOfBoundsError,
        "it leads to an address in a private network, which only a user may name",
    )


def leads_outside() -> UnplayableError:
    """Return the problem of content that names a file outside the allowed folders."""
    return UnplayableError(
        MediaOutOfBoundsError, "it leads to a file outside the allowed folders"
    )


def for_status(status: int) -> UnplayableError:
    """Return the problem for an HTTP status other than success."""
    kind, reason = media_problem(status)
    return UnplayableError(kind, reason, status)


def for_network(error: OSError) -> UnplayableError:
    """Return the problem for a failed network operation."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return unreachable("the certificate of its server cannot be trusted")
    if isinstance(error, ssl.SSLError):
        return unreachable("its server does not speak TLS as it should")
    if isinstance(error, socket.gaierror):
        return unreachable("the name of its server cannot be resolved")
    if isinstance(error, ConnectionRefusedError):
        return unreachable("its server refuses the connection")
    if isinstance(error, DeadlineError):
        return unreachable("it did not start in time")
    if isinstance(error, TimeoutError):
        return unreachable("its server does not answer in time")
    if isinstance(error, ConnectionError):
        return unreachable("its server broke off the connection")
    if error.errno in _NO_WAY:
        return unreachable("its server cannot be reached")
    return unreachable("it can no longer be read")


_NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL}
_STATUSES: dict[type[av.FFmpegError], int] = {
    av.error.HTTPNotFoundError: 404,
    av.error.HTTPUnauthorizedError: 401,
    av.error.HTTPForbiddenError: 403,
    av.error.HTTPTooManyRequestsError: 429,
    av.error.HTTPBadRequestError: 400,
    av.error.HTTPOtherClientError: 400,
    av.error.HTTPServerError: 500,
}


def for_failure(error: Exception) -> UnplayableError:
    """Return the problem for any expected failure."""
    if isinstance(error, UnplayableError):
        return error
    if isinstance(error, BrokenStreamError):
        cause = error.__cause__
        if isinstance(cause, UnplayableError):
            return cause
        return for_network(cause if isinstance(cause, OSError) else ConnectionError())
    if isinstance(error, av.FFmpegError):
        return for_libav(error)
    assert isinstance(error, OSError)
    return for_network(error)


def for_libav(error: av.FFmpegError) -> UnplayableError:
    """Return the problem for an error of libav."""
    if (status := _STATUSES.get(type(error))) is not None:
        return for_status(status)
    if isinstance(error, av.error.ExitError):
        return unreachable("its server does not answer in time")
    if isinstance(error, av.error.EOFError):
        return empty()
    if isinstance(error, av.error.FileNotFoundError):
        return not_found("there is no such file")
    if isinstance(error, av.error.PermissionError):
        return forbidden("the file may not be read")
    if isinstance(error, (av.error.DecoderNotFoundError, av.error.PatchWelcomeError)):
        return not_audio("its format is not supported")
    if isinstance(error, OSError):
        return for_network(error)
    return damaged()
