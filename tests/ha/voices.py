"""Voices of Home Assistant that render only sounds."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, override
from unittest.mock import patch

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_config_flow,
    mock_integration,
    mock_platform,
)

from homeassistant.components.tts import TextToSpeechEntity, TtsAudioType
from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.setup import async_setup_component


@contextmanager
def no_old_words(folder: Path) -> Generator[None]:
    """Separate the cache of voices from that of other tests."""
    with patch("homeassistant.components.tts.DEFAULT_CACHE_DIR", str(folder)):
        yield


class Voice(TextToSpeechEntity):
    """Renders every message as the same sound, or fails."""

    def __init__(self, name: str, sound: bytes | None) -> None:
        self._attr_default_language = "en"
        self._attr_supported_languages = ["en", "nl"]
        self._attr_supported_options = ["voice"]
        self._attr_name = name
        self._attr_unique_id = name
        self._sound = sound

    @override
    def get_tts_audio(
        self, message: str, language: str, options: dict[str, Any]
    ) -> TtsAudioType:
        if self._sound is None:
            raise HomeAssistantError("the voice is hoarse")
        return "mp3", self._sound


async def add_voices(
    hass: HomeAssistant, *voices: Callable[[], Voice], domain: str = "voice"
) -> None:
    """Add voices as an integration brings them."""

    async def set_up(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, ["tts"])
        return True

    async def add(
        hass: HomeAssistant,
        entry: ConfigEntry,
        async_add_entities: AddConfigEntryEntitiesCallback,
    ) -> None:
        async_add_entities([make() for make in voices])

    assert await async_setup_component(hass, "tts", {})
    mock_integration(hass, MockModule(domain, async_setup_entry=set_up))
    mock_platform(hass, f"{domain}.tts", MockPlatform(async_setup_entry=add))
    mock_platform(hass, f"{domain}.config_flow")
    entry = MockConfigEntry(domain=domain)
    entry.add_to_hass(hass)
    with mock_config_flow(domain, ConfigFlow):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
