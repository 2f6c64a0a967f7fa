"""Creation of the media ID of a message."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er

from ..const import DOMAIN
from .request import check_message

TTS = "tts"


def speech_id(
    hass: HomeAssistant,
    message: str,
    voice: str | None,
    language: str | None,
    options: Mapping[str, Any] | None,
) -> str:
    """Return the media ID of a message; raise a translated error."""
    check_message(message)
    if TTS not in hass.config.components:
        raise _invalid(translation_key="voice_missing")
    # Its requirements are installed only if text-to-speech is set up.
    from homeassistant.components import tts
    from homeassistant.components.tts.media_source import generate_media_source_id

    engine = voice or _usual_voice(hass, tts.async_default_engine(hass))
    if tts.async_resolve_engine(hass, engine) is None:
        raise _invalid(translation_key="voice_unknown", voice=engine)
    try:
        return generate_media_source_id(
            hass,
            message,
            engine=engine,
            language=language,
            options=dict(options) if options else None,
        )
    except HomeAssistantError as err:
        raise _invalid(
            translation_key="voice_refused", voice=engine, reason=str(err)
        ) from err


def _usual_voice(hass: HomeAssistant, default: str | None) -> str:
    """Return the only voice, or Home Assistant Cloud's, as Home Assistant's dialogs do."""
    voices = hass.states.async_entity_ids(TTS)
    registry = er.async_get(hass)
    cloud = [
        voice
        for voice in voices
        if (known := registry.async_get(voice)) and known.platform == "cloud"
    ]
    if len(voices) == 1 or cloud:
        return (cloud or voices)[0]
    if voices:
        raise _invalid(
            translation_key="voice_unclear", voices=", ".join(sorted(voices))
        )
    if default is None:
        raise _invalid(translation_key="voice_missing")
    return default


def _invalid(*, translation_key: str, **words: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders=words,
    )
