"""Text to speech by espeak-ng; without it the text is hummed."""

import asyncio
import io
from math import pi, sin
import shutil
import struct
from typing import Any, override

import av  # noqa: TID251 - encodes MP3, as Home Assistant may have no ffmpeg

from homeassistant.components.tts import TextToSpeechEntity, TtsAudioType
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

RATE = 22_050
NOTES = (0, 4, 7, 5, 2, 9, 7, 4)
NOTE_S = 0.16
_WAV_HEADER_BYTES = 44


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the voice."""
    async_add_entities([DemoVoice(entry)])


class DemoVoice(TextToSpeechEntity):
    """A local voice."""

    _attr_name = "Demo voice"
    _attr_default_language = "en"
    _attr_supported_languages = ["en", "de", "es", "fr", "it", "nl"]  # noqa: RUF012

    def __init__(self, entry: ConfigEntry) -> None:
        """Set the unique id of the only entry."""
        self._attr_unique_id = entry.unique_id

    @override
    async def async_get_tts_audio(
        self, message: str, language: str, options: dict[str, Any]
    ) -> TtsAudioType:
        """Return a text as MP3."""
        program = await self.hass.async_add_executor_job(shutil.which, "espeak-ng")
        if program is None:
            pcm = await self.hass.async_add_executor_job(hum, message)
        else:
            pcm = await speak(program, message, language)
        return "mp3", await self.hass.async_add_executor_job(encode, pcm)


async def speak(program: str, message: str, language: str) -> bytes:
    """Speak a text by a program; return mono samples."""
    process = await asyncio.create_subprocess_exec(
        program, "-v", language, "--stdin", "--stdout",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    sound, _ = await process.communicate(message.encode())
    if process.returncode:
        raise HomeAssistantError(f"{program} ended with {process.returncode}")
    return sound[_WAV_HEADER_BYTES:]


def hum(message: str) -> bytes:
    """Return one note per two letters, as mono samples."""
    length = int(NOTE_S * RATE)
    samples = bytearray()
    for letter in message[::2]:
        pitch = 220 * 2 ** (NOTES[ord(letter) % len(NOTES)] / 12)
        for number in range(length):
            swell = sin(pi * number / length)
            level = 9000 * swell * sin(2 * pi * pitch * number / RATE)
            samples += struct.pack("<h", int(level))
    return bytes(samples)


def encode(pcm: bytes) -> bytes:
    """Return mono samples as MP3."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono")
        frame = av.AudioFrame(format="s16p", layout="mono", samples=len(pcm) // 2)
        frame.planes[0].update(pcm.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()
