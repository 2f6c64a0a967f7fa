"""A house of three speakers, for tests of groups."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.virtual_receiver import Quirks, VirtualReceiver

from .players import call, entry_for, play, set_up, state_of
from .songs import Songs
from .watch import Watch

NAMES = ("Kitchen", "Hall", "Study")
KITCHEN, HALL, STUDY = (f"media_player.{name.lower()}" for name in NAMES)
# Of two receivers on this machine, as far as it can be measured.
ALIKE_NS = 100_000


@dataclass(slots=True)
class House:
    """The speakers by the entity ids of their players."""

    hass: HomeAssistant
    songs: Songs
    receivers: dict[str, VirtualReceiver]
    entries: dict[str, MockConfigEntry]

    def group(self, player: str) -> list[str]:
        """Return a player's group members."""
        members: list[str] = state_of(self.hass, player).attributes["group_members"]
        return members

    def titles(self) -> set[str | None]:
        """Return the media ids that the players show."""
        return {
            state_of(self.hass, each).attributes.get("media_content_id")
            for each in self.receivers
        }

    async def join(self, host: str, *players: str) -> None:
        """Have players join another."""
        await call(self.hass, host, "join", group_members=[*players])

    async def unjoin(self, player: str) -> None:
        """Have a player leave its group."""
        await call(self.hass, player, "unjoin")

    async def play(self, player: str, name: str, seconds: float = 6) -> bytes:
        """Play a song and return how it sounds."""
        await play(self.hass, player, self.songs.make(name, seconds))
        return self.songs.pcm(name, seconds)

    async def ends(self, player: str) -> None:
        """Wait until no player plays."""
        await Watch(self.hass, player).until_is("idle")

    def number(self, player: str, key: str) -> str:
        """Return the entity id of a number of a speaker."""
        registry = er.async_get(self.hass)
        unique_id = f"{self.entries[player].unique_id}_{key}"
        entity_id = registry.async_get_entity_id("number", "airplay", unique_id)
        assert entity_id
        return entity_id

    def are_alike(self, one: str, other: str) -> bool:
        """Return whether two speakers played their common part at the same time."""
        first = self.receivers[one].play_times()
        second = self.receivers[other].play_times()
        both = first.keys() & second.keys()
        apart = sorted(abs(first[rtptime] - second[rtptime]) for rtptime in both)
        return bool(apart) and apart[len(apart) // 2] < ALIKE_NS

    def tail_s(self, player: str, pcm: bytes) -> float:
        """Return how much of a song's end was played, which must be without a fault."""
        heard = self.receivers[player].heard(pcm)
        played = heard.frames
        assert heard.wrong == 0
        assert self.receivers[player].heard(pcm[-played * 4 :]).is_complete
        return played / 44100

    def is_unavailable(self, entity_id: str) -> bool:
        """Return whether an entity cannot be used now."""
        return state_of(self.hass, entity_id).state == STATE_UNAVAILABLE


@asynccontextmanager
async def house_of(
    hass: HomeAssistant, tmp_path: Path, **quirks: Quirks
) -> AsyncGenerator[House]:
    """Build a house; a speaker's quirks go by its name."""
    hass.config.media_dirs["local"] = str(tmp_path / "media")
    house = House(hass, Songs(tmp_path / "media"), {}, {})
    async with AsyncExitStack() as stack:
        for at, name in enumerate(NAMES, 1):
            receiver = await stack.enter_async_context(
                VirtualReceiver(
                    name,
                    receiver_id=f"0A0B0C0D0E{at:02}",
                    quirks=quirks.get(name.lower(), Quirks()),
                )
            )
            entry = entry_for(receiver)
            player = await set_up(hass, entry)
            house.receivers[player], house.entries[player] = receiver, entry
        yield house
