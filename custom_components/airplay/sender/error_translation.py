"""Translated messages for the core's errors, by their codes."""

import logging

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..raop.api import (
    AuthenticationError,
    CredentialsRejectedError,
    HopelessLinkError,
    MediaEmptyError,
    MediaError,
    MediaForbiddenError,
    MediaNotAudioError,
    MediaNotFoundError,
    MediaOutOfBoundsError,
    MediaTooLongError,
    MediaUnreachableError,
    MediaUnsupportedError,
    MissingReceiverError,
    NoStreamError,
    PairingRefusedError,
    PairingRequiredError,
    PasswordRequiredError,
    PtpUnavailableError,
    RaopError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    ReceiverSilentError,
    ReceiverTakenError,
    ReceiverUnlockedError,
    ReceiverUnreachableError,
    SlowReceiverError,
    TooManyTriesError,
    UdpPortsTakenError,
    UnsupportedReceiverError,
    WrongReceiverError,
    udp_port_range,
)
from .errors import CheckInterruptedError, SenderFailingError, SenderGoneError

_LOGGER = logging.getLogger(__name__)

_TRANSLATION_KEYS: dict[type[RaopError], str] = {
    RaopError: "failed",
    ReceiverUnreachableError: "receiver_unreachable",
    SlowReceiverError: "receiver_slow",
    HopelessLinkError: "receiver_link_hopeless",
    MissingReceiverError: "receiver_link_missing",
    ReceiverBusyError: "receiver_busy",
    ReceiverTakenError: "receiver_taken",
    ReceiverUnlockedError: "receiver_unlocked",
    ReceiverRefusedError: "receiver_refused",
    ReceiverProtocolError: "receiver_protocol",
    ReceiverSilentError: "receiver_silent",
    UnsupportedReceiverError: "receiver_unsupported",
    WrongReceiverError: "receiver_wrong",
    AuthenticationError: "receiver_auth_failed",
    PasswordRequiredError: "receiver_password_required",
    PairingRequiredError: "receiver_pairing_required",
    PairingRefusedError: "receiver_pairing_refused",
    CredentialsRejectedError: "receiver_credentials_rejected",
    TooManyTriesError: "receiver_too_many_tries",
    MediaError: "media_failed",
    MediaNotFoundError: "media_not_found",
    MediaOutOfBoundsError: "media_out_of_bounds",
    MediaForbiddenError: "media_forbidden",
    MediaUnreachableError: "media_unreachable",
    MediaNotAudioError: "media_not_audio",
    MediaUnsupportedError: "media_unsupported",
    MediaEmptyError: "media_empty",
    MediaTooLongError: "announce_too_long",
    NoStreamError: "no_stream",
    PtpUnavailableError: "clock_unavailable",
    UdpPortsTakenError: "udp_ports_taken",
    SenderGoneError: "sender_gone",
    SenderFailingError: "sender_failing",
    CheckInterruptedError: "diagnosis_interrupted",
}


# Messages that refer to the log for the reason.
_IN_LOG = {"failed", "media_failed", "receiver_slow"}
# Messages that contain the status of the response, if there was one.
_WITH_STATUS = {"receiver_refused", "media_failed", "media_unreachable"}


def translate_error(error: RaopError, name: str, media: str = "") -> HomeAssistantError:
    """Return the translated error for a core error at a receiver."""
    key = next(
        _TRANSLATION_KEYS[kind]
        for kind in type(error).__mro__
        if kind in _TRANSLATION_KEYS
    )
    placeholders = {"name": name, "media": media}
    if isinstance(error, UdpPortsTakenError):
        placeholders["ports"] = str(udp_port_range() or "")
    if error.status is not None and key in _WITH_STATUS:
        key = f"{key}_status"
        placeholders["status"] = str(error.status)
    # The core's own text is for the log only; some messages refer to it.
    level = logging.WARNING if key in _IN_LOG else logging.DEBUG
    _LOGGER.log(level, "%s: %s (%s)", name, error, error.code)
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )
