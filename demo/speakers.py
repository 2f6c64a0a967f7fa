"""Two virtual speakers on this machine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
import hashlib
from pathlib import Path
import socket

from tests.virtual_receiver import Advertisement, VirtualReceiver
from tests.virtual_receiver.playback.audio_output import Speaker as Sound
from tests.virtual_receiver.playback.recording import PlayedPacket

from .progress import CheckError, say

# Locally administered addresses, which no real speaker has.
_LOCAL_PREFIX = "02DE"
_NAMES = ("Kitchen", "Living room")
# A shairport-sync on this machine would count as a bridge, and not be offered.
_MODEL = "VirtualSpeaker"
_WAV_HEADER_BYTES = 44
_PROGRAMS = "aplay, paplay or ffplay"


@dataclass(frozen=True, slots=True)
class VirtualSpeaker:
    """A receiver and the file of its output."""

    receiver: VirtualReceiver
    wav: Path

    @property
    def name(self) -> str:
        """The name, also in Home Assistant."""
        return self.receiver.name

    @property
    def unique_id(self) -> str:
        """The id in Home Assistant's format."""
        digits = self.receiver.receiver_id.lower()
        return ":".join(digits[at : at + 2] for at in range(0, 12, 2))

    @property
    def written_bytes(self) -> int:
        """The number of bytes written so far."""
        self.receiver.poll()
        return self.wav.stat().st_size

    def written_since(self, size: int) -> bytes:
        """Return the PCM in its file after a size."""
        self.receiver.poll()
        return self.wav.read_bytes()[max(size, _WAV_HEADER_BYTES) :]


@asynccontextmanager
async def virtual_speakers(
    address: str, folder: Path, *, is_alone: bool, is_audible: bool, is_talkative: bool
) -> AsyncIterator[list[VirtualSpeaker]]:
    """Announce two speakers on the interface with this address."""
    async with AsyncExitStack() as running:
        speakers = []
        advertisements = []
        for name in _NAMES:
            speaker = VirtualSpeaker(
                _receiver(name, address, folder), _wav(folder, name)
            )
            receiver = await running.enter_async_context(speaker.receiver)
            if is_audible:
                await _make_audible(receiver, running)
            if is_talkative:
                receiver.subscribe(partial(_tell, receiver))
            # In a home another device's _airplay._tcp may have this name.
            advertisement = Advertisement(
                receiver,
                interfaces=[address],
                airplay=is_alone,
                airplay_changes={"model": _MODEL},
            )
            running.push_async_callback(advertisement.withdraw)
            advertisements.append(advertisement)
            speakers.append(speaker)
        await asyncio.gather(*(each.announce() for each in advertisements))
        yield speakers


def _receiver(name: str, address: str, folder: Path) -> VirtualReceiver:
    """Create a receiver with a stable id that no other demo has."""
    origin = f"{socket.gethostname()} {folder} {name}".encode()
    receiver_id = f"{_LOCAL_PREFIX}{hashlib.sha256(origin).hexdigest()[:8]}".upper()
    return VirtualReceiver(
        name,
        host=address,
        receiver_id=receiver_id,
        txt={"am": _MODEL},
        wav=_wav(folder, name),
        record=False,
    )


def _wav(folder: Path, name: str) -> Path:
    return folder / f"{name}.wav"


async def _make_audible(receiver: VirtualReceiver, running: AsyncExitStack) -> None:
    sound = await Sound.open()
    if sound is None:
        raise CheckError(f"--sound needs {_PROGRAMS}; without it, play the files")
    running.push_async_callback(sound.close)

    def play(packet: PlayedPacket) -> None:
        sound.play(packet.sound)

    receiver.recording.subscribe(play)


def _tell(receiver: VirtualReceiver, event: str, details: Mapping[str, object]) -> None:
    """Print the events of a speaker."""
    match event:
        case "playing":
            say(f"{receiver.name}: plays")
        case "ended":
            seconds = receiver.recording.frames / 44100
            say(f"{receiver.name}: free again; {seconds:.1f} s written so far")
        case "volume":
            say(f"{receiver.name}: volume {details['volume_db']:.1f} dB")
