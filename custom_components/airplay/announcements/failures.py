"""Translated errors for failed announcements."""

from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN
from ..media.media import public_name
from ..raop.api import MediaError, MediaTooLongError, RaopError
from ..sender.error_translation import translate_error
from .request import AnnouncedMedia


def translate_failure(
    error: RaopError, announcement: AnnouncedMedia, name: str
) -> HomeAssistantError:
    """Return the translated error for an announcement that failed on a speaker."""
    is_of_voice = announcement.is_speech and not isinstance(error, MediaTooLongError)
    if is_of_voice and isinstance(error, MediaError):
        return refusal(translation_key="speech_failed", name=name)
    media = announcement.title or public_name(announcement.content_id)
    return translate_error(error, name, media)


def refusal(*, translation_key: str, name: str, **words: object) -> HomeAssistantError:
    """Return the translated error for an announcement that is refused."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            "name": name,
            **{word: str(value) for word, value in words.items()},
        },
    )
