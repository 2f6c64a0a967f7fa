"""A speech service around espeak-ng, as Home Assistant's own `wyoming` speaks to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import io
import wave

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import async_read_event, async_write_event
from wyoming.info import Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.tts import Synthesize

_CHUNK_FRAMES = 2048
_NOBODY = Attribution(name="", url="")
_VOICE = TtsVoice(
    name="en",
    attribution=_NOBODY,
    installed=True,
    description=None,
    version=None,
    languages=["en"],
)
_INFO = Info(
    tts=[
        TtsProgram(
            name="espeak-ng",
            attribution=_NOBODY,
            installed=True,
            description=None,
            version=None,
            voices=[_VOICE],
        )
    ]
)


@asynccontextmanager
async def speech_service() -> AsyncIterator[int]:
    """Serve on loopback; the value is the port."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while event := await async_read_event(reader):
        if Describe.is_type(event.type):
            await async_write_event(_INFO.event(), writer)
        elif Synthesize.is_type(event.type):
            await _speak(Synthesize.from_event(event).text, writer)
    writer.close()


async def _speak(text: str, writer: asyncio.StreamWriter) -> None:
    program = await asyncio.create_subprocess_exec(
        "espeak-ng", "--stdout", text, stdout=asyncio.subprocess.PIPE
    )
    spoken, _ = await program.communicate()
    # Its header does not know how long the sound is.
    with wave.open(io.BytesIO(spoken)) as sound:
        shape = {
            "rate": sound.getframerate(),
            "width": sound.getsampwidth(),
            "channels": sound.getnchannels(),
        }
        await async_write_event(AudioStart(**shape).event(), writer)
        while chunk := sound.readframes(_CHUNK_FRAMES):
            await async_write_event(AudioChunk(audio=chunk, **shape).event(), writer)
    await async_write_event(AudioStop().event(), writer)
