"""A speaker's own buttons: they act, and automations receive them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.airplay.const import DOMAIN
from custom_components.airplay.raop.buttons import Button
from homeassistant.components.automation import DOMAIN as AUTOMATION
from homeassistant.core import HomeAssistant, State
from homeassistant.setup import async_setup_component
from tests.ha.players import call, entry_for, play, set_up, state_of
from tests.ha.remote import Buttons, entity_of, remote_of
from tests.ha.sound import tone, write_wav
from tests.ha.watch import Watch, logged
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.remote import RemoteControl

LONG = "media-source://media_source/local/long.wav"


@pytest.fixture
def long(hass: HomeAssistant, song: str) -> str:
    """Return a song that is longer than the others."""
    path = hass.config.media_dirs["local"]
    write_wav(Path(path) / "long.wav", tone(1) * 60)
    return LONG


@pytest.fixture
async def remote(
    hass: HomeAssistant, kitchen: VirtualReceiver, player: str, long: str, song: str
) -> RemoteControl:
    """Return the buttons of the kitchen, which plays the first of two songs."""
    await play(hass, player, long)
    await play(hass, player, song, enqueue="add")
    return await remote_of(hass, kitchen)


async def press(remote: RemoteControl, command: str) -> None:
    """Press a button; the sender accepts every one."""
    assert (await remote.order(command)).status == 204


def has(name: str, value: Any) -> Callable[[State], bool]:
    """Return whether a state has an attribute with a value."""
    return lambda state: state.attributes.get(name) == value


@pytest.mark.parametrize("command", ["pause", "discrete-pause", "playpause"])
async def test_pause_and_on(
    hass: HomeAssistant, player: str, remote: RemoteControl, command: str
) -> None:
    watch = Watch(hass, player)

    for again in ("play", "playresume", "playpause"):
        await press(remote, command)
        await watch.until_is("paused")
        if again == command:
            await asyncio.sleep(1.1)  # a second press, and not the first one repeated
        await press(remote, again)
        await watch.until_is("playing")


async def test_play_button_confirms_running_playback(
    hass: HomeAssistant, player: str, remote: RemoteControl, kitchen: VirtualReceiver
) -> None:
    buttons, before = Buttons(hass), len(kitchen.asked("FLUSH"))

    await press(remote, "play")
    await press(remote, "playresume")
    await buttons.until(2)
    await kitchen.wait_playing()

    assert state_of(hass, player).state == "playing"
    assert len(kitchen.asked("FLUSH")) == before


async def test_stop_and_play_of_an_idle_speaker(
    hass: HomeAssistant, player: str, remote: RemoteControl, kitchen: VirtualReceiver
) -> None:
    watch = Watch(hass, player)

    await press(remote, "stop")
    await watch.until_is("idle")
    await kitchen.wait_idle()
    await press(remote, "play")

    await watch.until_is("playing")


async def test_next_and_previous(
    hass: HomeAssistant, player: str, remote: RemoteControl
) -> None:
    watch = Watch(hass, player)

    await press(remote, "nextitem")
    await watch.until(has("queue_position", 2))
    await watch.until_is("playing")
    await press(remote, "previtem")

    await watch.until(has("queue_position", 1))


async def test_wind_and_seek(
    hass: HomeAssistant, player: str, remote: RemoteControl
) -> None:
    watch = Watch(hass, player)

    await press(remote, "setproperty?dacp.playingtime=30000")
    await watch.until(lambda state: 30 <= state.attributes["media_position"] <= 31)
    await watch.until_is("playing")
    await press(remote, "beginff")
    await watch.until(lambda state: state.attributes["media_position"] >= 40)
    await watch.until_is("playing")
    await press(remote, "beginrew")

    await watch.until(lambda state: state.attributes["media_position"] <= 33)


async def test_shuffle_and_repeat(
    hass: HomeAssistant, player: str, remote: RemoteControl
) -> None:
    watch = Watch(hass, player)

    await press(remote, "shuffle_songs")
    await watch.until(has("shuffle", True))
    await press(remote, "setproperty?dacp.shufflestate=0")
    await watch.until(has("shuffle", False))
    for number, repeat in ((1, "one"), (2, "all"), (0, "off")):
        await press(remote, f"setproperty?dacp.repeatstate={number}")
        await watch.until(has("repeat", repeat))


async def test_volume_steps_and_mute(
    hass: HomeAssistant, player: str, remote: RemoteControl, kitchen: VirtualReceiver
) -> None:
    await call(hass, player, "volume_set", volume_level=0.5)
    watch = Watch(hass, player)

    await press(remote, "volumeup")
    await watch.until(has("volume_level", 0.55))
    await press(remote, "volumedown")
    await press(remote, "volumedown")
    await watch.until(has("volume_level", 0.45))
    await press(remote, "mutetoggle")
    await watch.until(has("is_volume_muted", True))
    await kitchen.wait_until(lambda: kitchen.volumes[-1].volume_db == -144)
    await asyncio.sleep(0.6)  # a second press, and not the first one repeated
    await press(remote, "mutetoggle")

    await kitchen.wait_until(
        lambda: kitchen.volumes[-1].volume_db == pytest.approx(-16.5)
    )
    assert state_of(hass, player).attributes["volume_level"] == 0.45


@pytest.mark.parametrize(
    ("report", "level"),
    [
        ("dmcp.device-volume=-12.000000", 0.6),
        ("dmcp.volume=60", 0.6),
        ("dmcp.volume=60.000000", 0.6),
        (f"include-speaker-id={0x0A0B0C0D0E01}&dmcp.volume=60", 0.6),
        ("speaker-id=0x0A0B0C0D0E01&dmcp.volume=50", 0.1),
    ],
)
async def test_volume_set_at_the_speaker_is_followed_and_answered_once(
    hass: HomeAssistant,
    player: str,
    remote: RemoteControl,
    kitchen: VirtualReceiver,
    report: str,
    level: float,
) -> None:
    assert state_of(hass, player).attributes["volume_level"] == 0.2
    await asyncio.sleep(2.1)  # since the start, whose echo it might be
    watch, told = Watch(hass, player), len(kitchen.volumes)

    await press(remote, f"setproperty?{report}")

    await watch.until(has("volume_level", level))
    await kitchen.wait_until(lambda: len(kitchen.volumes) > told)
    assert kitchen.volumes[-1].volume_db == pytest.approx(30 * level - 30)
    # The answer of a speaker that echoes.
    await press(remote, f"setproperty?dmcp.device-volume={30 * level - 30}")
    await kitchen.wait_playing()
    await asyncio.sleep(0.6)
    assert len(kitchen.volumes) == told + 1


async def test_echo_of_our_own_change_is_ignored(
    hass: HomeAssistant, player: str, remote: RemoteControl, kitchen: VirtualReceiver
) -> None:
    buttons = Buttons(hass)
    await call(hass, player, "volume_set", volume_level=0.5)

    await press(remote, "setproperty?dmcp.device-volume=-24.000000")
    await press(remote, "setproperty?dmcp.device-volume=-15.000000")

    await buttons.until(2)
    assert state_of(hass, player).attributes["volume_level"] == 0.5


async def test_speaker_is_kept_below_its_maximum(
    hass: HomeAssistant, player: str, remote: RemoteControl, kitchen: VirtualReceiver
) -> None:
    await hass.services.async_call(
        "number",
        "set_value",
        {"entity_id": "number.kitchen_maximum_volume", "value": 40},
        blocking=True,
    )
    await asyncio.sleep(2.1)  # since the start
    watch = Watch(hass, player)

    await press(remote, "setproperty?dmcp.device-volume=0.000000")

    await watch.until(has("volume_level", 0.4))
    await kitchen.wait_until(lambda: kitchen.volume_db == pytest.approx(-18))


async def test_every_button_is_reported_and_has_no_effect_if_that_is_chosen(
    hass: HomeAssistant, kitchen: VirtualReceiver, long: str
) -> None:
    entry = entry_for(kitchen)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, options={"buttons_act": False})
    player = await set_up(hass, entry)
    await play(hass, player, long)
    remote, buttons = await remote_of(hass, kitchen), Buttons(hass)
    watch = Watch(hass, player)
    commands = {
        "play": ("play", None),
        "pause": ("pause", None),
        "playpause": ("play_pause", None),
        "playresume": ("resume", None),
        "stop": ("stop", None),
        "nextitem": ("next", None),
        "previtem": ("previous", None),
        "beginff": ("fast_forward", None),
        "beginrew": ("rewind", None),
        "setproperty?dacp.playingtime=1500": ("seek", 1500),
        "shuffle_songs": ("shuffle_toggle", None),
        "setproperty?dacp.shufflestate=1": ("shuffle_set", 1),
        "setproperty?dacp.repeatstate=2": ("repeat_set", 2),
        "volumeup": ("volume_up", None),
        "volumedown": ("volume_down", None),
        "mutetoggle": ("mute_toggle", None),
        "setproperty?dmcp.volume=40": ("volume_set", 40),
        "setproperty?speaker-id=0x0A0B0C0D0E01&dmcp.volume=4": ("volume_relative", 4),
        "setproperty?dmcp.device-volume=-15": ("volume_report", 50),
    }

    for command in commands:
        await press(remote, command)

    assert await buttons.until(len(commands)) == [*commands.values()]
    told = {name for name, _ in buttons.told}
    assert told == {*Button} - {Button.SWITCHED_AWAY, Button.SWITCHED_BACK}
    assert watch.names == ["playing"]
    assert state_of(hass, player).attributes["is_volume_muted"] is False


async def test_automation_replaces_the_action_of_a_button(
    hass: HomeAssistant, remote: RemoteControl
) -> None:
    pressed = async_capture_events(hass, "bell")
    buttons = Buttons(hass)
    automation = {
        "triggers": {
            "trigger": "state",
            "entity_id": entity_of(hass, "event", "remote"),
        },
        "conditions": {
            "condition": "template",
            "value_template": "{{ trigger.to_state.attributes.event_type == 'next' }}",
        },
        "actions": {"event": "bell"},
    }
    assert await async_setup_component(hass, AUTOMATION, {AUTOMATION: automation})

    await press(remote, "volumeup")
    await press(remote, "nextitem")

    await buttons.until(2)
    await hass.async_block_till_done()
    assert len(pressed) == 1


async def test_button_without_effect_is_logged(
    hass: HomeAssistant,
    player: str,
    remote: RemoteControl,
    kitchen: VirtualReceiver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = Watch(hass, player)
    await press(remote, "stop")
    await watch.until_is("idle")
    await kitchen.wait_idle()
    kitchen.quirks = Quirks(refuse={"ANNOUNCE": 453})

    await press(remote, "play")

    await logged(caplog, "Button play of Kitchen failed")


async def test_answers_come_while_home_assistant_is_blocked(
    hass: HomeAssistant,
    player: str,
    remote: RemoteControl,
    record_property: Callable[[str, object], None],
) -> None:
    buttons = Buttons(hass)
    took: list[float] = []

    def ask() -> None:
        async def many() -> None:
            for _ in range(200):
                answer = await remote.order("getproperty?properties=dmcp.volume")
                assert answer.status == 400
                took.append(answer.took_s)
                if len(took) % 40 == 0:
                    assert (await remote.order("volumeup")).status == 204

        asyncio.run(many())

    asking = hass.loop.run_in_executor(None, ask)
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s and len(took) < 200:
        # Without the loop, and without Python's lock for the rest of the process.
        time.sleep(0.05)
    assert len(took) == 200
    await asking

    p99_ms = sorted(took)[int(len(took) * 0.99)] * 1000
    record_property("p99_ms", p99_ms)
    assert not buttons.told
    assert [name for name, _ in await buttons.until(5)] == ["volume_up"] * 5


async def test_entities_belong_to_the_speakers_device(
    hass: HomeAssistant, player: str
) -> None:
    remote = state_of(hass, entity_of(hass, "event", "remote"))
    taken = state_of(hass, entity_of(hass, "binary_sensor", "in_use_elsewhere"))

    assert remote.name == "Kitchen Remote"
    assert remote.state == "unknown"
    assert taken.name == "Kitchen In use elsewhere"
    assert taken.state == "off"
    assert DOMAIN in hass.config.components
