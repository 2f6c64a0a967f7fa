"""A stereo pair of two receivers: one card, one player, and both play."""

import asyncio
from collections.abc import AsyncGenerator
import json
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from tests.announcements.held_sender import announce
from tests.ha.diagnostics import diagnostics_of
from tests.ha.flows import answer, discovered, opened
from tests.ha.players import call, entry_for, level_db, play, set_up, state_of
from tests.ha.receivers import receiver_fixture
from tests.ha.remote import remote_of
from tests.ha.three_speakers import ALIKE_NS
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network, airplay_info, raop_info
from tests.raop.engine.stereo_marks import is_said_whole, voice
from tests.virtual_receiver import VirtualReceiver

PAIRED = {"tsid": "8D3C6A2E-0000-4F4F-8000-00000000ABCD", "gpn": "Living room"}
LEADS = {"flags": "0x2004"}
# While a sender plays there, a record contains less.
IN_SESSION = {"flags": "0x20804"}
PLAYER = "media_player.living_room"


# The left one leads.
left = receiver_fixture("Left", "0A0B0C0D0E02")
right = receiver_fixture("Right", "0A0B0C0D0E01")


@pytest.fixture
async def pair(
    hass: HomeAssistant,
    network: Network,
    left: VirtualReceiver,
    right: VirtualReceiver,
) -> MockConfigEntry:
    """Return the entry of a pair."""
    tell(network, left, LEADS)
    tell(network, right)
    entry = entry_for(left)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, title="Living room")
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.fixture
async def playing(hass: HomeAssistant, pair: MockConfigEntry, song: str) -> Watch:
    """Play the song on the pair, and watch the player from then on."""
    await play(hass, PLAYER, song)
    return Watch(hass, PLAYER)


def tell(
    network: Network,
    receiver: VirtualReceiver,
    txt: dict[str, str] | None = None,
    paired: dict[str, str] = PAIRED,
) -> None:
    network.announce(raop_info(receiver))
    network.announce(airplay_info(receiver, txt=paired | (txt or {})))


def are_alike(one: VirtualReceiver, other: VirtualReceiver) -> bool:
    """Return whether two receivers played the same at the same time."""
    first, second = one.play_times(), other.play_times()
    apart = sorted(abs(first[at] - second[at]) for at in first.keys() & second.keys())
    return bool(apart) and apart[len(apart) // 2] < ALIKE_NS


async def cards(hass: HomeAssistant) -> list[str]:
    """Return the discovered flows."""
    await hass.async_block_till_done(wait_background_tasks=True)
    return [
        flow["context"]["title_placeholders"]["name"]
        for flow in hass.config_entries.flow.async_progress()
    ]


@pytest.mark.parametrize("is_leader_first", [True, False])
@pytest.mark.parametrize("says_who_leads", [True, False])
async def test_pair_has_one_card_with_its_name(
    hass: HomeAssistant,
    network: Network,
    left: VirtualReceiver,
    right: VirtualReceiver,
    *,
    is_leader_first: bool,
    says_who_leads: bool,
) -> None:
    order = [(left, LEADS if says_who_leads else {}), (right, {})]
    for receiver, txt in order if is_leader_first else reversed(order):
        tell(network, receiver, txt)

    assert await cards(hass) == ["Living room"]
    (flow,) = hass.config_entries.flow.async_progress()
    made = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    await hass.async_block_till_done()

    assert made["title"] == "Living room"
    # In doubt the smaller id leads.
    leader = "0a0b0c0d0e02" if says_who_leads else "0a0b0c0d0e01"
    assert made["data"]["id"] == leader
    assert state_of(hass, PLAYER).state == "idle"
    assert hass.config_entries.flow.async_progress() == []


async def test_cards_become_one_when_receivers_are_paired(
    hass: HomeAssistant,
    network: Network,
    left: VirtualReceiver,
    right: VirtualReceiver,
) -> None:
    for receiver in (left, right):
        tell(network, receiver, paired={})
    assert sorted(await cards(hass)) == ["Left", "Right"]

    tell(network, left, LEADS)
    tell(network, right)

    assert len(await cards(hass)) == 1


async def test_other_one_of_a_pair_that_is_set_up_is_not_offered(
    hass: HomeAssistant, network: Network, pair: MockConfigEntry, right: VirtualReceiver
) -> None:
    again = await discovered(hass, airplay_info(right, txt=PAIRED))

    assert again["reason"] == "part_of_pair"
    assert again["description_placeholders"] == {"name": "Living room"}
    form = await opened(hass)
    assert form["step_id"] == "address"


async def test_list_has_a_pair_once_by_its_name(
    hass: HomeAssistant,
    network: Network,
    left: VirtualReceiver,
    right: VirtualReceiver,
) -> None:
    tell(network, right)
    tell(network, left, LEADS)

    form = await opened(hass)

    schema = form["data_schema"]
    assert schema
    options = schema.schema["receiver"].config["options"]
    assert [each["value"] for each in options] == ["0a0b0c0d0e02", "address"]
    assert options[0]["label"] == "Living room (ShairportSync)"
    made = await answer(hass, form, receiver="0a0b0c0d0e02")
    assert made["title"] == "Living room"


async def test_both_play_a_song_at_the_same_time_and_volume(
    hass: HomeAssistant,
    left: VirtualReceiver,
    right: VirtualReceiver,
    playing: Watch,
    song_pcm: bytes,
) -> None:
    await call(hass, PLAYER, "volume_set", volume_level=0.5)
    await left.wait_until(lambda: left.volume_db == level_db(50))
    await right.wait_until(lambda: right.volume_db == level_db(50))
    await playing.until_is("idle")

    for each in (left, right):
        assert each.heard(song_pcm).is_complete
        await each.wait_idle()
    assert are_alike(left, right)
    assert state_of(hass, PLAYER).attributes["group_members"] == []


async def test_both_adopt_the_volume_of_the_leader(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    left: VirtualReceiver,
    right: VirtualReceiver,
    song: str,
) -> None:
    left.volume_db = level_db(40)
    right.volume_db = level_db(90)

    await play(hass, PLAYER, song)

    await right.wait_until(lambda: right.volume_db == left.volume_db)
    level = state_of(hass, PLAYER).attributes["volume_level"]
    assert left.volume_db == level_db(100 * level)
    assert level < 0.5
    await call(hass, PLAYER, "media_stop")


async def test_announcement_plays_on_both_at_its_volume(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    left: VirtualReceiver,
    right: VirtualReceiver,
    tmp_path: Path,
) -> None:
    hass.config.media_dirs["local"] = str(tmp_path)
    said = voice(tmp_path / "said.wav", 0.5)
    media = "media-source://media_source/local/said.wav"

    await announce(hass, PLAYER, media, preannounce=False, announce_volume=0.6)

    for each in (left, right):
        assert is_said_whole(each, said)
        assert level_db(60) in [round(at.volume_db, 1) for at in each.volumes]
    assert are_alike(left, right)


@pytest.mark.parametrize("is_leader_away", [True, False])
async def test_one_plays_while_the_other_is_away(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    left: VirtualReceiver,
    right: VirtualReceiver,
    song: str,
    song_pcm: bytes,
    *,
    is_leader_away: bool,
) -> None:
    away, there = (left, right) if is_leader_away else (right, left)
    await away.stop()

    await play(hass, PLAYER, song)
    assert state_of(hass, PLAYER).state == "playing"
    await Watch(hass, PLAYER).until_is("idle")

    assert there.heard(song_pcm).is_complete


async def test_one_that_is_lost_does_not_disturb_the_other(
    left: VirtualReceiver, right: VirtualReceiver, playing: Watch, song_pcm: bytes
) -> None:
    left.disconnect()

    await playing.until_is("idle")
    assert playing.names == ["playing", "idle"]
    assert right.heard(song_pcm).is_complete


async def test_buttons_of_both_count_but_the_volume_of_one(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    left: VirtualReceiver,
    right: VirtualReceiver,
    song: str,
) -> None:
    await play(hass, PLAYER, song)
    remote = await remote_of(hass, right)
    watch = Watch(hass, PLAYER)

    await remote.order("setproperty?dmcp.device-volume=-3.0")
    await remote.order("pause")

    await watch.until_is("paused")
    assert state_of(hass, PLAYER).attributes["volume_level"] < 0.5
    await call(hass, PLAYER, "media_stop")


async def test_pair_is_known_after_a_restart_and_in_a_session(
    hass: HomeAssistant,
    network: Network,
    pair: MockConfigEntry,
    left: VirtualReceiver,
    right: VirtualReceiver,
    song: str,
    song_pcm: bytes,
) -> None:
    for receiver in (left, right):
        tell(network, receiver, IN_SESSION, paired={})
    await hass.async_block_till_done()
    assert await hass.config_entries.async_reload(pair.entry_id)
    await hass.async_block_till_done()

    await play(hass, PLAYER, song)
    await Watch(hass, PLAYER).until_is("idle")

    assert left.heard(song_pcm).is_complete
    assert right.heard(song_pcm).is_complete


@pytest.mark.parametrize("is_taken_by_entry", [True, False])
async def test_a_dissolved_pair_or_a_single_entry_plays_alone(
    hass: HomeAssistant,
    network: Network,
    pair: MockConfigEntry,
    left: VirtualReceiver,
    right: VirtualReceiver,
    song: str,
    *,
    is_taken_by_entry: bool,
) -> None:
    if is_taken_by_entry:
        await set_up(hass, entry_for(right))
    else:
        tell(network, left, paired={})
        await hass.async_block_till_done()
        assert pair.data["buddy"] is None

    await play(hass, PLAYER, song)
    await left.wait_playing()

    assert not right.has_session
    await call(hass, PLAYER, "media_stop")


async def test_pair_joins_and_leaves_a_group_as_one(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    kitchen_hall: tuple[str, VirtualReceiver],
    left: VirtualReceiver,
    right: VirtualReceiver,
    song: str,
    song_pcm: bytes,
) -> None:
    hall, receiver = kitchen_hall
    await play(hass, hall, song)
    await call(hass, hall, "join", group_members=[PLAYER])
    assert state_of(hass, PLAYER).attributes["group_members"] == [hall, PLAYER]
    await asyncio.gather(left.wait_playing(), right.wait_playing())

    await call(hass, PLAYER, "unjoin")

    await asyncio.gather(left.wait_idle(), right.wait_idle())
    assert state_of(hass, hall).state == "playing"
    await Watch(hass, hall).until_is("idle")
    assert receiver.heard(song_pcm).is_complete


@pytest.fixture
async def kitchen_hall(
    hass: HomeAssistant, socket_enabled: None
) -> AsyncGenerator[tuple[str, VirtualReceiver]]:
    """Return another speaker."""
    async with VirtualReceiver("Hall", receiver_id="0A0B0C0D0E03") as receiver:
        yield await set_up(hass, entry_for(receiver)), receiver


async def test_diagnostics_of_a_pair_contain_no_secret(
    hass: HomeAssistant,
    pair: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:

    told = await diagnostics_of(hass, hass_client, pair)

    assert told["receiver"]["buddy"] == "0a0b0c…"
    assert told["entry"]["data"]["buddy"]["name"] == "Right"
    whole = json.dumps(told).lower()
    for secret in ("abcd", "0e01", "0e:01", "0e02", "0e:02"):
        assert secret not in whole
