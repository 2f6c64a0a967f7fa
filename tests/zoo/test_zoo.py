"""Each device of the zoo, from mDNS through the config flow to bit-exact sound."""

from collections.abc import Callable

import pytest

from homeassistant.core import HomeAssistant
from tests.ha.players import player_of
from tests.ha.songs import Songs
from tests.ha.zeroconf import Network
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.airplay2 import PtpPorts
from tests.virtual_receiver.pairing import Gate

from .device import DEVICES, Device, quirks_of
from .not_yet import NOT_YET
from .receiver import PASSWORD, build
from .walk import Listener, add, announce, pick

SONG_S = 0.6
FIRST_SOUND_S = 12.0
AGAIN = 1.2
TRIES = 3
# What a receiver needs by its nature, and no sender can avoid.
NATURE = {
    "anchor_needs_clock",
    "claims_clock",
    "delay_req_after_s",
    "keeps_own_clock",
    "needs_metadata",
    "needs_record_first",
    "raop_audio_latency_ms",
    "sends_delay_req",
    "starves_below_ms",
}


def parametrized(*devices: Device) -> pytest.MarkDecorator:
    """Run a test for devices, and expect those to fail that do not play yet."""
    cases = []
    for device in devices:
        reason = NOT_YET.get(device.name)
        marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
        cases.append(pytest.param(device, id=device.name, marks=marks))
    return pytest.mark.parametrize("device", cases)


def shown_code(gate: Gate | None) -> str:
    """Return the code that a receiver shows."""
    assert gate
    assert gate.shown, "the receiver shows no code"
    return gate.code


def is_timed(device: Device) -> bool:
    """Return whether a device is the first of those that behave alike."""
    return device is next(each for each in DEVICES if kind(each) == kind(device))


def kind(device: Device) -> tuple[object, ...]:
    """Return what decides how a device starts, beside its name."""
    records = device.raop is None, device.airplay is None
    told = sorted((name, str(value)) for name, value in device.quirks.items())
    return (device.genus, device.demands, device.ways, records, *told)


class Plain:
    """How long receivers without any demand take to start, by their nature."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._start_s: dict[str, float] = {}

    async def start_s(
        self, listener: Listener, receiver: VirtualReceiver, *, is_anew: bool
    ) -> float:
        """Return the longest start of a receiver with the nature of this one."""
        demanding = receiver.quirks
        nature = {name: getattr(demanding, name) for name in sorted(NATURE)}
        key = f"{listener.ways[-1]} {nature} {receiver.gate and receiver.gate.kind}"
        if is_anew or key not in self._start_s:
            receiver.quirks = quirks_of(nature)
            took_s = await listener.start_and_stop_s()
            receiver.quirks = demanding
            self._start_s[key] = max(self._start_s.get(key, 0), took_s)
        return self._start_s[key]


PLAIN = Plain()


async def assert_prompt(listener: Listener, receiver: VirtualReceiver) -> None:
    """Check that a later start takes as long as that of a plain receiver.

    A busy machine may make any single start late.
    """
    again_s = await listener.start_and_stop_s()
    plain_s = await PLAIN.start_s(listener, receiver, is_anew=False)
    for _ in range(TRIES):
        if again_s <= AGAIN * plain_s:
            return
        again_s = min(again_s, await listener.start_and_stop_s())
        plain_s = await PLAIN.start_s(listener, receiver, is_anew=True)
    assert again_s <= AGAIN * plain_s


@parametrized(*(each for each in DEVICES if each.ways))
async def test_device_plays(
    hass: HomeAssistant,
    network: Network,
    songs: Songs,
    ptp: PtpPorts,
    open_key: Callable[[bytes], bytes],
    device: Device,
) -> None:
    receiver, announced = build(device, ptp, open_key)
    async with receiver:
        card = await announce(hass, network, announced.infos(receiver.port))
        entry = await add(
            hass,
            card or await pick(hass),
            code=lambda: shown_code(receiver.gate),
            password=PASSWORD,
        )
        player, media = player_of(hass, entry), songs.make("zoo", SONG_S)
        listener = Listener(hass, player, media, receiver)

        assert await listener.start_s() < FIRST_SOUND_S
        await listener.end()

        assert receiver.heard(songs.pcm("zoo", SONG_S)).is_complete
        assert receiver.violations == []
        ways = {(way.lane, way.clock) for way in device.ways}
        assert (listener.ways[-1].lane, listener.ways[-1].clock) in ways
        if is_timed(device):
            await assert_prompt(listener, receiver)


@parametrized(*(each for each in DEVICES if not each.ways))
async def test_device_that_plays_no_audio_is_not_offered(
    hass: HomeAssistant,
    network: Network,
    ptp: PtpPorts,
    open_key: Callable[[bytes], bytes],
    device: Device,
) -> None:
    receiver, announced = build(device, ptp, open_key)
    async with receiver:
        assert await announce(hass, network, announced.infos(receiver.port)) is None


def test_devices_that_do_not_play_yet_exist() -> None:
    assert not NOT_YET.keys() - {device.name for device in DEVICES}
