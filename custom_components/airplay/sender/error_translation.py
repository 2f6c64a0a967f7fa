"""What users are told of the core's errors."""

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..raop.errors import (
    AuthenticationError,
    CredentialsRejectedError,
    HopelessLinkError,
    MediaEmptyError,
    MediaError,
    MediaForbiddenError,
    MediaNotAudioError,
    MediaNotFoundError,
    MediaUnreachableError,
    PairingRefusedError,
    PairingRequiredError,
    PasswordRequiredError,
    RaopError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    ReceiverSilentError,
    ReceiverTakenError,
    ReceiverUnreachableError,
    TooManyTriesError,
    UnsupportedReceiverError,
)
from .sender import SenderGoneError

_TRANSLATION_KEYS: dict[type[RaopError], str] = {
    RaopError: "failed",
    ReceiverUnreachableError: "receiver_unreachable",
    HopelessLinkError: "receiver_link_hopeless",
    ReceiverBusyError: "receiver_busy",
    ReceiverTakenError: "receiver_taken",
    ReceiverRefusedError: "receiver_refused",
    ReceiverProtocolError: "receiver_protocol",
    ReceiverSilentError: "receiver_silent",
    UnsupportedReceiverError: "receiver_unsupported",
    AuthenticationError: "receiver_auth_failed",
    PasswordRequiredError: "receiver_password_required",
    PairingRequiredError: "receiver_pairing_required",
    PairingRefusedError: "receiver_pairing_refused",
    CredentialsRejectedError: "receiver_credentials_rejected",
    TooManyTriesError: "receiver_too_many_tries",
    MediaError: "media_failed",
    MediaNotFoundError: "media_not_found",
    MediaForbiddenError: "media_forbidden",
    MediaUnreachableError: "media_unreachable",
    MediaNotAudioError: "media_not_audio",
    MediaEmptyError: "media_empty",
    SenderGoneError: "sender_gone",
}


def translate_error(error: RaopError, name: str, media: str = "") -> HomeAssistantError:
    """Return what a user is told of a core error at a receiver."""
    key = next(
        _TRANSLATION_KEYS[kind]
        for kind in type(error).__mro__
        if kind in _TRANSLATION_KEYS
    )
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={
            "name": name,
            "media": media,
            "reason": str(error) or error.code,
        },
    )
