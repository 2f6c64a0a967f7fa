"""The commands of an action leave before any entity state is written."""

from collections.abc import Generator
from contextlib import contextmanager
import json
from unittest.mock import patch

import pytest

from custom_components.airplay.sender.process import SenderProcess
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from tests.ha.players import call, level_of, play, state_of


@contextmanager
def steps() -> Generator[list[str]]:
    """Note the commands that leave, and the entities whose state is written."""
    noted: list[str] = []
    write, show = SenderProcess.async_write, Entity._async_write_ha_state

    async def note_command(process: SenderProcess, line: bytes) -> bool:
        noted.append(json.loads(line)["type"])
        return await write(process, line)

    def note_state(entity: Entity) -> None:
        noted.append(entity.entity_id)
        show(entity)

    with (
        patch.object(SenderProcess, "async_write", note_command),
        patch.object(Entity, "_async_write_ha_state", note_state),
    ):
        yield noted


async def test_media_is_sent_before_it_is_shown(
    hass: HomeAssistant, player: str, song: str
) -> None:
    with steps() as idle:
        await play(hass, player, song)
    with steps() as playing:
        await play(hass, player, song)

    assert (idle[0], playing[0]) == ("Play", "Play")
    assert player in idle
    await call(hass, player, "media_stop")


async def test_group_commands_are_sent_before_any_member_is_shown(
    hass: HomeAssistant, two_players: list[str], song: str
) -> None:
    await call(hass, two_players[0], "join", group_members=[two_players[1]])

    with steps() as noted:
        await play(hass, two_players[0], song)

    assert noted[0] == "Play"
    await call(hass, two_players[0], "media_stop")


@pytest.mark.parametrize(
    ("action", "data", "command"),
    [
        ("media_pause", {}, "Pause"),
        ("media_seek", {"seek_position": 1}, "Play"),
        ("volume_set", {"volume_level": 0.3}, "SetVolume"),
        ("volume_mute", {"is_volume_muted": True}, "SetVolume"),
        ("clear_playlist", {}, "Stop"),
    ],
)
async def test_action_is_sent_before_it_is_shown(
    hass: HomeAssistant,
    player: str,
    song: str,
    action: str,
    data: dict[str, object],
    command: str,
) -> None:
    await play(hass, player, song)

    with steps() as noted:
        await call(hass, player, action, **data)

    assert noted[0] == command
    assert player in noted
    await call(hass, player, "media_stop")


async def test_announcement_is_sent_before_it_is_shown(
    hass: HomeAssistant, player: str, song: str
) -> None:
    with steps() as noted:
        await play(hass, player, song, announce=True)

    assert noted[0] == "Announce"
    assert player in noted


async def test_volume_of_a_silent_speaker_is_shown_though_nothing_is_sent(
    hass: HomeAssistant, player: str
) -> None:
    with steps() as noted:
        await call(hass, player, "volume_set", volume_level=0.3)

    assert noted[0].split(".")[1].startswith("kitchen")
    assert level_of(hass, player) == 0.3


async def test_only_the_player_is_written_when_it_changes(
    hass: HomeAssistant, player: str, song: str
) -> None:
    with steps() as started:
        await play(hass, player, song)
    with steps() as louder:
        await call(hass, player, "volume_set", volume_level=0.3)

    assert {each for each in started if "." in each} == {player}
    assert {each for each in louder if "." in each} == {player}
    assert state_of(hass, player).state == "playing"
    await call(hass, player, "media_stop")
