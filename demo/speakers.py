"""Two virtual speakers on this machine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.virtual_receiver import Advertisement, VirtualReceiver
from tests.virtual_receiver.recording import PlayedPacket
from tests.virtual_receiver.speaker import Speaker as Sound

from .progress import CheckError, say

# Locally administered addresses: no maker's speaker has them.
_NAMES = {"Kitchen": "02DE30000001", "Living room": "02DE30000002"}
_WAV_HEADER_BYTES = 44
_PROGRAMS = "aplay, paplay or ffplay"


@dataclass(frozen=True, slots=True)
class VirtualSpeaker:
    """A receiver and the file that it plays into."""

    receiver: VirtualReceiver
    wav: Path

    @property
    def name(self) -> str:
        """Return what Home Assistant calls it, too."""
        return self.receiver.name

    @property
    def unique_id(self) -> str:
        """Return its id as Home Assistant writes it."""
        digits = self.receiver.receiver_id.lower()
        return ":".join(digits[at : at + 2] for at in range(0, 12, 2))

    @property
    def written_bytes(self) -> int:
        """Return how much it has played into its file by now."""
        self.receiver.poll()
        return self.wav.stat().st_size

    def written_since(self, size: int) -> bytes:
        """Return the PCM in its file that came after a size was reached."""
        self.receiver.poll()
        return self.wav.read_bytes()[max(size, _WAV_HEADER_BYTES) :]


@asynccontextmanager
async def virtual_speakers(
    address: str, folder: Path, *, is_audible: bool, is_talkative: bool
) -> AsyncIterator[list[VirtualSpeaker]]:
    """Announce two speakers on the interface with this address."""
    async with AsyncExitStack() as running:
        speakers = []
        advertisements = []
        for name, receiver_id in _NAMES.items():
            wav = folder / f"{name}.wav"
            receiver = VirtualReceiver(
                name, host=address, receiver_id=receiver_id, wav=wav, record=False
            )
            await running.enter_async_context(receiver)
            if is_audible:
                await _make_audible(receiver, running)
            if is_talkative:
                receiver.subscribe(partial(_tell, receiver))
            advertisement = Advertisement(receiver, interfaces=[address], airplay=True)
            running.push_async_callback(advertisement.withdraw)
            advertisements.append(advertisement)
            speakers.append(VirtualSpeaker(receiver, wav))
        await asyncio.gather(*(each.announce() for each in advertisements))
        yield speakers


async def _make_audible(receiver: VirtualReceiver, running: AsyncExitStack) -> None:
    sound = await Sound.open()
    if sound is None:
        raise CheckError(f"--sound needs {_PROGRAMS}; without it the files tell")
    running.push_async_callback(sound.close)

    def play(packet: PlayedPacket) -> None:
        sound.play(packet.sound)

    receiver.recording.subscribe(play)


def _tell(receiver: VirtualReceiver, event: str, details: Mapping[str, object]) -> None:
    """Print what a person wants to know of a speaker."""
    match event:
        case "playing":
            say(f"{receiver.name}: plays")
        case "ended":
            seconds = receiver.recording.frames / 44100
            say(f"{receiver.name}: free again; {seconds:.1f} s written so far")
        case "volume":
            say(f"{receiver.name}: volume {details['volume_db']:.1f} dB")
