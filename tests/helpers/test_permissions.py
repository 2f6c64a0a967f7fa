"""A user who may control some players only, and what reaches the others."""

from collections.abc import Mapping
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser
from tests.ha.players import call, level_of, state_of
from tests.virtual_receiver import VirtualReceiver

KITCHEN, HALL = "media_player.kitchen", "media_player.hall"
GROUP_VOLUME = "number.kitchen_group_volume"


@pytest.fixture
def guest(hass: HomeAssistant) -> Context:
    """Return the context of calls of a user who may control the kitchen only."""
    user = MockUser().add_to_hass(hass)
    allowed = {KITCHEN: True, GROUP_VOLUME: True, HALL: {"read": True}}
    user.mock_policy({"entities": {"entity_ids": allowed}})
    return Context(user_id=user.id)


@pytest.fixture
def owner(hass: HomeAssistant) -> Context:
    """Return the context of calls of an administrator."""
    return Context(user_id=MockUser(is_owner=True).add_to_hass(hass).id)


async def ask(hass: HomeAssistant, context: Context, action: str, **data: Any) -> None:
    """Call an action as a user, for the kitchen unless told otherwise."""
    domain, _, name = action.rpartition(".")
    await hass.services.async_call(
        domain or "media_player",
        name,
        {"entity_id": KITCHEN} | data,
        blocking=True,
        context=context,
    )


def members(hass: HomeAssistant) -> list[str]:
    shown: list[str] = state_of(hass, KITCHEN).attributes["group_members"]
    return shown


async def test_player_that_the_user_may_not_control_cannot_be_joined(
    hass: HomeAssistant,
    two_players: list[str],
    hall: VirtualReceiver,
    song: str,
    guest: Context,
    owner: Context,
) -> None:
    media = {"media_content_type": "music", "media_content_id": song}
    await ask(hass, guest, "play_media", **media)

    with pytest.raises(Unauthorized) as refused:
        await ask(hass, guest, "join", group_members=[HALL])

    assert refused.value.entity_id == HALL
    assert members(hass) == []
    assert not hall.asked("ANNOUNCE")
    await ask(hass, owner, "join", group_members=[HALL])
    assert members(hass) == [KITCHEN, HALL]
    await ask(hass, guest, "unjoin")
    await call(hass, HALL, "media_stop")


async def test_player_is_not_joined_by_a_script_of_that_user_or_of_nobody(
    hass: HomeAssistant, two_players: list[str], guest: Context
) -> None:
    script = Context(user_id=guest.user_id, parent_id=guest.id)

    with pytest.raises(Unauthorized):
        await ask(hass, script, "join", group_members=[HALL])
    with pytest.raises(UnknownUser):
        await ask(hass, Context(user_id="gone"), "join", group_members=[HALL])

    await ask(hass, Context(), "join", group_members=[HALL])
    assert members(hass) == [KITCHEN, HALL]


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("media_play", {}),
        ("media_pause", {}),
        ("media_play_pause", {}),
        ("media_stop", {}),
        ("media_next_track", {}),
        ("media_previous_track", {}),
        ("media_seek", {"seek_position": 1}),
        ("clear_playlist", {}),
        ("shuffle_set", {"shuffle": True}),
        ("repeat_set", {"repeat": "all"}),
        ("airplay.set_group_volume", {"volume_level": 0.9}),
        ("number.set_value", {"entity_id": GROUP_VOLUME, "value": 90}),
    ],
)
async def test_group_obeys_only_who_may_control_all_of_it(
    hass: HomeAssistant,
    two_players: list[str],
    song: str,
    guest: Context,
    owner: Context,
    action: str,
    data: Mapping[str, Any],
) -> None:
    await call(hass, KITCHEN, "join", group_members=[HALL])
    media = {"media_content_type": "music", "media_content_id": song}
    # The last of two, so that every action is possible.
    await ask(hass, owner, "play_media", **media)
    await ask(hass, owner, "play_media", **media, enqueue="add")
    await ask(hass, owner, "media_next_track")
    await ask(hass, owner, "play_media", **media, enqueue="add")
    levels = [level_of(hass, each) for each in two_players]

    with pytest.raises(Unauthorized) as refused:
        await ask(hass, guest, action, **data)

    assert refused.value.entity_id == HALL
    assert [state_of(hass, each).state for each in two_players] == ["playing"] * 2
    assert [level_of(hass, each) for each in two_players] == levels
    await ask(hass, owner, action, **data)
    await ask(hass, owner, "media_stop")


async def test_group_plays_and_announces_only_for_who_may_control_all_of_it(
    hass: HomeAssistant,
    two_players: list[str],
    kitchen: VirtualReceiver,
    hall: VirtualReceiver,
    song: str,
    song_pcm: bytes,
    guest: Context,
) -> None:
    await call(hass, KITCHEN, "join", group_members=[HALL])
    media = {"media_content_type": "music", "media_content_id": song}

    for action, data in (
        ("play_media", media),
        ("play_media", media | {"announce": True, "extra": {"group": True}}),
        ("airplay.announce", {"media": song, "group": True}),
        ("airplay.announce", {"media": song, "entity_id": [KITCHEN, HALL]}),
    ):
        with pytest.raises(Unauthorized):
            await ask(hass, guest, action, **data)
    assert not hall.asked("ANNOUNCE")
    assert not kitchen.asked("ANNOUNCE")

    # On the kitchen alone.
    await ask(hass, guest, "airplay.announce", media=song, chime=False, group=False)
    assert kitchen.heard(song_pcm).is_complete
    assert not hall.asked("ANNOUNCE")
