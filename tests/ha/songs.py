"""Songs that differ from each other, and their metadata on a player."""

from pathlib import Path
from typing import Any

import numpy as np

from homeassistant.components.media_player import MediaPlayerEntityFeature
from homeassistant.core import HomeAssistant, State

from .players import play
from .sound import FOLDER, RATE, write_wav


class Songs:
    """Songs in Home Assistant's media, unlike each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, name: str, seconds: float = 1.5) -> str:
        """Write a song and return its media id."""
        write_wav(self.folder / f"{name}.wav", self.pcm(name, seconds))
        return f"{FOLDER}/{name}.wav"

    @staticmethod
    def pcm(name: str, seconds: float = 1.5) -> bytes:
        """Return the samples of a song."""
        noise = np.random.default_rng([*name.encode()])
        return noise.integers(1, 9000, 2 * round(seconds * RATE), "<i2").tobytes()


def is_item(name: str) -> Any:
    """Return a predicate: a song plays."""
    return lambda state: (
        state.state == "playing"
        and state.attributes.get("media_content_id") == f"{FOLDER}/{name}.wav"
    )


def can(state: State, feature: MediaPlayerEntityFeature) -> bool:
    return bool(state.attributes["supported_features"] & feature)


async def enqueue(hass: HomeAssistant, player: str, media: str, how: str) -> None:
    await play(hass, player, media, enqueue=how)
