"""The way of a receiver into Home Assistant, and to sound."""

from collections.abc import Callable, Iterable
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.ha.flows import opened
from tests.ha.players import call, play
from tests.ha.watch import Watch
from tests.ha.zeroconf import Network
from tests.virtual_receiver import VirtualReceiver, monotonic_ns

from .device import Way
from .receiver import RECEIVER_ID, way_of

NS_PER_S = 1_000_000_000
_STEPS = 6
# What a virtual receiver may need to render what the sender believes to be heard.
_HEARD_S = 5
_END_S = 8


async def announce(
    hass: HomeAssistant, network: Network, infos: Iterable[ZeroconfServiceInfo]
) -> ConfigFlowResult | None:
    """Announce records, and return the card that appears, if one does."""
    for info in infos:
        network.announce(info)
    await hass.async_block_till_done(wait_background_tasks=True)
    cards = hass.config_entries.flow.async_progress()
    return cards[0] if cards else None


async def pick(hass: HomeAssistant) -> ConfigFlowResult:
    """Choose the receiver from the list of those that are not offered."""
    form = await opened(hass)
    return await hass.config_entries.flow.async_configure(
        form["flow_id"], {"receiver": RECEIVER_ID.lower()}
    )


async def add(
    hass: HomeAssistant,
    form: ConfigFlowResult,
    *,
    code: Callable[[], str],
    password: str,
) -> MockConfigEntry:
    """Walk through the flow with what the receiver wants, and return its entry."""
    answers: dict[str, Callable[[], dict[str, Any]]] = {
        "confirm": dict,
        "pair": lambda: {"code": code()},
        "password": lambda: {"password": password},
    }
    for _ in range(_STEPS):
        if form.get("type") is FlowResultType.CREATE_ENTRY:
            await hass.async_block_till_done()
            entry: MockConfigEntry = form["result"]
            return entry
        assert form.get("type") is not FlowResultType.ABORT, form["reason"]
        assert not form.get("errors"), (form["step_id"], form["errors"])
        form = await hass.config_entries.flow.async_configure(
            form["flow_id"], answers[form["step_id"]]()
        )
    raise AssertionError(f"the flow goes in circles at {form['step_id']}")


class Listener:
    """Starts a player, and hears when and by which way its receiver plays."""

    def __init__(
        self, hass: HomeAssistant, player: str, media: str, receiver: VirtualReceiver
    ) -> None:
        """Listen from now on."""
        self._hass, self._player, self._media = hass, player, media
        self._receiver = receiver
        self._watch = Watch(hass, player)
        self.ways: list[Way] = []
        """The way of each session that played, in order."""
        receiver.subscribe(self._heard)

    async def start_s(self) -> float:
        """Play, and return the seconds from the command to the first frame."""
        receiver = self._receiver
        receiver.clear()
        began_ns = monotonic_ns()
        await play(self._hass, self._player, self._media)
        await receiver.wait_until(lambda: receiver.first_frame_ns is not None, _HEARD_S)
        assert receiver.first_frame_ns
        return (receiver.first_frame_ns - began_ns) / NS_PER_S

    async def end(self) -> None:
        """Wait for the end of the song."""
        await self._watch.until(lambda state: state.state == "idle", _END_S)

    async def start_and_stop_s(self) -> float:
        """Play no longer than until the first frame."""
        took_s = await self.start_s()
        await call(self._hass, self._player, "media_stop")
        await self.end()
        return took_s

    def _heard(self, event: str, _: object) -> None:
        if event == "playing":
            self.ways.append(way_of(self._receiver))
