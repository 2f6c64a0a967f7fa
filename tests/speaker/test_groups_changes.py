"""Joins, leaves and leaders that change in any order, without a sample lost."""

import asyncio
from collections.abc import AsyncGenerator
import os
from pathlib import Path
from random import Random
import secrets

import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import call, state_of
from tests.ha.songs import is_item
from tests.ha.three_speakers import House, house_of
from tests.ha.watch import Watch

SEED = int(os.environ.get("AIRPLAY_GROUPS_SEED", secrets.randbelow(1 << 32)))
CHANGES = int(os.environ.get("AIRPLAY_GROUPS_CHANGES", "10"))


@pytest.fixture
async def house(hass: HomeAssistant, tmp_path: Path) -> AsyncGenerator[House]:
    """Return a house of three speakers."""
    async with house_of(hass, tmp_path) as built:
        yield built


@pytest.mark.timeout(90 + 4 * CHANGES)
async def test_a_member_that_stays_loses_nothing_while_others_join_and_leave(
    hass: HomeAssistant, house: House
) -> None:
    random, players = Random(SEED), [*house.receivers]
    first, stays, *_ = random.sample(players, len(players))
    others = [each for each in players if each != stays]
    story = [f"seed {SEED}, {stays} stays, {first} leads"]
    await house.join(first, *(each for each in players if each != first))
    seconds = 4 + CHANGES * 1.5
    pcm = await house.play(stays, "a", seconds)

    for _ in range(CHANGES):
        player, group = random.choice(others), house.group(stays) or [stays]
        if player in group:
            story.append(f"{player} leaves {group}")
            await house.unjoin(player)
        else:
            host = random.choice(group)
            story.append(f"{player} joins {host} of {group}")
            await house.join(host, player)
        group = house.group(stays) or [stays]
        for each in group:
            assert is_item("a")(state_of(hass, each)), story

    await asyncio.gather(*(house.unjoin(each) for each in others))
    await Watch(hass, stays).until(
        lambda state: state.state == "idle", timeout_s=seconds + 10
    )
    heard = house.receivers[stays].heard(pcm)
    assert heard.is_complete, (story, heard)
    for each in players:
        assert not house.receivers[each].violations, story
        await call(hass, each, "media_stop")
