"""The options of a speaker, through Home Assistant's flow manager."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData, section
from tests.ha.players import call, entry_for, play, player_of, set_up, state_of
from tests.ha.sound import RATE
from tests.ha.watch import Watch
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.airplay2 import AirPlay2Receiver

ANNOUNCEMENTS = {
    "music": "lower",
    "duck_db": 18,
    "ramp_ms": 200,
    "lead_in_ms": 500,
    "chime": "own",
    "scope": "alone",
    "taken": "refuse",
}


def suggested(schema: Any) -> dict[str, Any]:
    """Return the suggested values of a form; a field without one is omitted."""
    filled: dict[str, Any] = {}
    for key, field in schema.schema.items():
        if isinstance(field, section):
            filled[str(key)] = suggested(field.schema)
        elif key.description and "suggested_value" in key.description:
            filled[str(key)] = key.description["suggested_value"]
    return filled


async def choose(
    hass: HomeAssistant, entry: MockConfigEntry, **fields: Any
) -> FlowResultType:
    """Open the options, fill the form and submit it."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    done = await hass.config_entries.options.async_configure(form["flow_id"], fields)
    await hass.async_block_till_done()
    kind: FlowResultType = done["type"]
    return kind


def options_of(schema: Any, name: str) -> list[str] | None:
    """Return the choices of a field of a form; None if it has no such field."""
    fields = {str(key): field for key, field in schema.schema.items()}
    return fields[name].config["options"] if name in fields else None


@pytest.fixture
async def den(socket_enabled: None) -> AsyncGenerator[AirPlay2Receiver]:
    """Return a receiver of AirPlay 1 and 2 that follows no PTP clock."""
    quirks = Quirks(takes_ptp=False)
    async with AirPlay2Receiver(
        "Den", receiver_id="0A0B0C0D0E09", quirks=quirks
    ) as receiver:
        yield receiver


def entry_with_both(receiver: AirPlay2Receiver) -> MockConfigEntry:
    """Return an entry that knows both records of a receiver."""
    record = receiver.airplay_txt({})
    airplay = {"instance": receiver.name, "port": receiver.port, "txt": record}
    return entry_for(receiver, airplay=airplay)


async def test_form_shows_the_defaults_and_then_the_choices(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    entry = entry_for(kitchen)
    await set_up(hass, entry)

    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "init"
    assert form["description_placeholders"] == {"name": "Kitchen"}
    assert suggested(form["data_schema"]) == {
        "depth": 1,
        "keep_paused": 10,
        "buttons_act": True,
        "when_busy": "report",
        "keeps_level": False,
        "loudness": "off",
        "announcements": ANNOUNCEMENTS,
    }
    hass.config_entries.options.async_abort(form["flow_id"])

    other = {
        "volume": 35,
        "music": "pause",
        "duck_db": 30,
        "ramp_ms": 0,
        "lead_in_ms": 3000,
        "chime": "none",
        "scope": "group",
        "taken": "take_over",
    }
    done = await choose(
        hass, entry, depth=2.3, keep_paused=0, loudness="album", announcements=other
    )
    assert done is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "depth_ms": 2300,
        "keep_paused_s": 0,
        "buttons_act": True,
        "when_busy": "report",
        "keeps_level": False,
        "loudness": "album",
        "lane": "automatic",
        "announcements": other,
    }

    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert suggested(form["data_schema"]) == {
        "depth": 2.3,
        "keep_paused": 0,
        "buttons_act": True,
        "when_busy": "report",
        "keeps_level": False,
        "loudness": "album",
        "announcements": other,
    }


async def test_lane_can_be_chosen_if_there_are_several(
    hass: HomeAssistant, kitchen: VirtualReceiver, den: AirPlay2Receiver
) -> None:
    async def offered(entry: MockConfigEntry) -> list[str] | None:
        form = await hass.config_entries.options.async_init(entry.entry_id)
        return options_of(form["data_schema"], "lane")

    classic, both = entry_for(kitchen), entry_with_both(den)
    await set_up(hass, classic)
    await set_up(hass, both)

    assert await offered(classic) is None
    assert await offered(both) == [
        "automatic",
        "raop",
        "airplay2-realtime",
        "airplay2-ntp",
    ]
    known = both.data["airplay"]
    txt = known["txt"] | {"features": "0x405FCA00,0x1C340"}
    data = {**both.data, "airplay": known | {"txt": txt}}
    hass.config_entries.async_update_entry(both, data=data)
    assert await offered(both) == [
        "automatic",
        "raop",
        "airplay2",
        "airplay2-realtime",
        "airplay2-buffered",
        "airplay2-ntp",
    ]
    # An earlier choice is still shown if it is impossible now.
    hass.config_entries.async_update_entry(
        classic, options={"lane": "airplay2-buffered"}
    )
    assert await offered(classic) == ["automatic", "airplay2-buffered"]


async def test_receiver_plays_by_the_chosen_lane(
    hass: HomeAssistant, den: AirPlay2Receiver, song: str, song_pcm: bytes
) -> None:
    entry = entry_with_both(den)
    player = await set_up(hass, entry)
    await play(hass, player, song)
    assert den.asked("ANNOUNCE")
    await call(hass, player, "media_stop")

    await choose(hass, entry, depth=1, keep_paused=10, lane="airplay2-realtime")
    den.clear()
    watch = Watch(hass, player)
    await play(hass, player, song)
    await watch.until_is("playing")
    await watch.until_is("idle")

    assert entry.options["lane"] == "airplay2-realtime"
    assert not den.asked("ANNOUNCE")
    assert den.heard(song_pcm).is_complete


async def test_volume_of_announcements_can_be_cleared(
    hass: HomeAssistant, kitchen: VirtualReceiver
) -> None:
    entry = entry_for(kitchen)
    await set_up(hass, entry)
    await choose(
        hass,
        entry,
        depth=1,
        keep_paused=10,
        announcements=ANNOUNCEMENTS | {"volume": 9},
    )
    assert entry.options["announcements"]["volume"] == 9

    await choose(hass, entry, depth=1, keep_paused=10, announcements=ANNOUNCEMENTS)

    assert entry.options["announcements"] == ANNOUNCEMENTS


@pytest.mark.parametrize(
    "fields",
    [
        {"depth": 0.4, "keep_paused": 10},
        {"depth": 3.1, "keep_paused": 10},
        {"depth": 1, "keep_paused": -1},
        {"depth": 1, "keep_paused": 61},
        *(
            {
                "depth": 1,
                "keep_paused": 10,
                "announcements": ANNOUNCEMENTS | {name: value},
            }
            for name, value in (
                ("volume", 101),
                ("duck_db", 2),
                ("ramp_ms", -1),
                ("lead_in_ms", 3001),
                ("music", "louder"),
                ("chime", "gong"),
                ("taken", "ask"),
            )
        ),
    ],
)
async def test_values_out_of_range_are_refused_and_can_be_corrected(
    hass: HomeAssistant, kitchen: VirtualReceiver, fields: dict[str, Any]
) -> None:
    entry = entry_for(kitchen)
    await set_up(hass, entry)
    form = await hass.config_entries.options.async_init(entry.entry_id)

    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(form["flow_id"], fields)
    done = await hass.config_entries.options.async_configure(
        form["flow_id"], {"depth": 1, "keep_paused": 10}
    )
    await hass.async_block_till_done()

    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_change_reloads_the_speaker(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    await call(hass, player, "volume_set", volume_level=0.15)
    await play(hass, player, song)
    before = entry.runtime_data

    await choose(hass, entry, depth=2, keep_paused=5)

    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data is not before
    assert not kitchen.has_session
    assert state_of(hass, player).state == "idle"
    assert state_of(hass, player).attributes["volume_level"] == 0.15


async def test_same_choice_does_not_stop_the_music(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str
) -> None:
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    await choose(hass, entry, depth=1, keep_paused=10)
    await play(hass, player, song)

    await choose(hass, entry, depth=1, keep_paused=10)

    assert state_of(hass, player).state == "playing"
    assert kitchen.has_session
    await call(hass, player, "media_stop")


@pytest.mark.parametrize("depth_ms", [500, 3000])
async def test_depth_is_announced_to_the_receiver(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str, depth_ms: int
) -> None:
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"depth_ms": depth_ms})
    await hass.config_entries.async_setup(entry.entry_id)
    player = player_of(hass, entry)

    await play(hass, player, song)

    first = kitchen.syncs[0].packet
    frames = (first.rtptime - first.rtptime_less_latency) & 0xFFFFFFFF
    assert frames == depth_ms * RATE // 1000
    # A quarter of a second is added by the receiver; above 5.8 s it ignores us.
    assert frames + RATE // 4 <= 5.8 * RATE
    await call(hass, player, "media_stop")


async def test_paused_receiver_is_freed_after_the_chosen_time_and_played_to_again(
    hass: HomeAssistant, kitchen: VirtualReceiver, song: str, song_pcm: bytes
) -> None:
    entry = entry_for(kitchen)
    player = await set_up(hass, entry)
    await choose(hass, entry, depth=1, keep_paused=0)
    await play(hass, player, song)
    await call(hass, player, "media_seek", seek_position=2)

    await call(hass, player, "media_pause")

    await kitchen.wait_idle(10)
    assert state_of(hass, player).state == "paused"
    kitchen.clear()
    await call(hass, player, "media_play")
    assert state_of(hass, player).state == "playing"
    assert state_of(hass, player).attributes["media_position"] >= 2
    assert kitchen.asked("ANNOUNCE")
    watch = Watch(hass, player)
    await watch.until_is("idle")
    # From the frame that played last, so no less than all but half a second.
    rest = song_pcm[round(2.5 * RATE) * 4 :]
    assert kitchen.heard(rest).is_complete
    assert not kitchen.heard(song_pcm).is_complete


async def test_paused_receiver_is_kept_for_a_while_by_default(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, song: str
) -> None:
    await play(hass, player, song)

    await call(hass, player, "media_pause")

    with pytest.raises(TimeoutError):
        await kitchen.wait_idle(10)
    await call(hass, player, "media_stop")
