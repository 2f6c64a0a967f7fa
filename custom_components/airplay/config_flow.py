"""Config flow: add a receiver by discovery, from a list, or by its address."""

from collections.abc import Mapping
from functools import partial
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .const import CONF_MANUAL, DOMAIN, RAOP_TYPE
from .discovery.bridges import async_is_bridge
from .discovery.browser import BROWSER
from .discovery.entry_data import (
    followed,
    receiver_at,
    receiver_data,
    receiver_from,
    unique_id,
)
from .discovery.records import async_own_networks, service_of
from .discovery.shown import title_of
from .discovery.stereo_pair import leader_of, partner_of
from .flows.change import ChangeFlow
from .flows.form_errors import FormError, async_ask, async_informed
from .flows.forms import (
    ADDRESS_SCHEMA,
    BY_ADDRESS,
    CONF_RECEIVER,
    async_list_schema,
    plain,
)
from .flows.options import AirPlayOptionsFlow
from .raop.api import Obstacle, Receiver, Service, announced_ids, completed, receiver_id

_MOST_CARDS = 32


class AirPlayConfigFlow(ChangeFlow, domain=DOMAIN):
    """Adds one receiver and asks only for the secrets it needs."""

    VERSION = 1

    _receiver: Receiver
    _is_manual = False

    def __init__(self) -> None:
        """Initialize without a receiver."""
        self._seen: dict[str, Receiver] = {}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> AirPlayOptionsFlow:
        """Return the options flow of a receiver."""
        return AirPlayOptionsFlow()

    @override
    async def async_step_zeroconf(
        self, discovery_info: ZeroconfServiceInfo
    ) -> ConfigFlowResult:
        """Start from one of the two records that a receiver announces."""
        is_raop = discovery_info.type == RAOP_TYPE
        service = service_of(
            discovery_info.name,
            discovery_info.type,
            discovery_info.addresses,
            discovery_info.port,
            discovery_info.properties,
            async_own_networks(self.hass),
        )
        if service is None:
            return self.async_abort(reason="no_address")
        self._abort_if_crowded(receiver_id(service, is_raop=is_raop))
        async with BROWSER.acquire(self.hass) as browser:
            found = browser.key_of(service, is_raop=is_raop)
        if not is_raop:
            # Also for receivers with a discovery card: they may have become a pair since.
            await self._async_heed_pair(completed(found, None, service, is_raop=False))
        # Aborts for the second record of a receiver, which already has a flow.
        await self.async_set_unique_id(unique_id(found))
        self._abort_if_unique_id_configured(
            updates=self._updates(found, service, is_raop=is_raop),
            # A reload would stop playback.
            reload_on_update=False,
        )
        self._abort_if_address_configured(service.addresses, service.port)
        self._receiver = await self._async_complete(found, service, is_raop=is_raop)
        await self._async_heed_pair(self._receiver)
        if (obstacle := self._receiver.obstacle) and not self._is_closed:
            return self.async_abort(reason=str(obstacle))
        if async_is_bridge(self.hass, self._receiver):
            named = {CONF_NAME: title_of(self._receiver)}
            return self.async_abort(reason="bridge", description_placeholders=named)
        self.context["title_placeholders"] = {CONF_NAME: title_of(self._receiver)}
        if self._is_closed:
            return await self.async_step_access()
        # A receiver shows a code only when the user is there to read it.
        if self._receiver.needs_password and not self._receiver.needs_pairing:
            return await self.async_step_password()
        return await self.async_step_confirm()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """List the receivers currently on the network."""
        if user_input is None:
            async with BROWSER.acquire(self.hass) as browser:
                await browser.async_wait_watched()
                self._seen = self._addable(browser.receivers)
            if not self._seen:
                return await self.async_step_address()

        async def form(errors: dict[str, str]) -> ConfigFlowResult:
            schema = await async_list_schema(self.hass, self._seen)
            return self.async_show_form(
                step_id="user",
                data_schema=self.add_suggested_values_to_schema(schema, user_input),
                errors=errors,
            )

        return await async_ask(user_input, form=form, answer=self._async_choose)

    async def _async_choose(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Add the receiver selected from the list; raise FormError."""
        if user_input[CONF_RECEIVER] == BY_ADDRESS:
            return await self.async_step_address()
        self._receiver = self._seen[user_input[CONF_RECEIVER]]
        if self._is_closed:
            return await self.async_step_access()
        self._check_obstacle(CONF_RECEIVER)
        return await self._async_add()

    async def async_step_address(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the address of a receiver that is not discovered."""

        async def form(errors: dict[str, str]) -> ConfigFlowResult:
            return self.async_show_form(
                step_id="address",
                data_schema=self.add_suggested_values_to_schema(
                    ADDRESS_SCHEMA, user_input
                ),
                errors=errors,
            )

        return await async_ask(user_input, form=form, answer=self._async_add_at)

    async def _async_add_at(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Add the receiver at an address; raise FormError."""
        host, port = plain(user_input[CONF_HOST]), user_input[CONF_PORT]
        async with BROWSER.acquire(self.hass) as browser:
            seen = await browser.async_ask(host, port)
        self._is_manual = True
        self._receiver = seen or await async_informed(receiver_at(host, port))
        self._check_obstacle()
        self._abort_if_address_configured((host,), port)
        return await self._async_add()

    async def async_step_access(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Explain what to change in the Home app, because no code helps before that."""
        return await async_ask(
            user_input,
            form=partial(self._async_show, "access"),
            answer=self._async_look_again,
        )

    async def _async_look_again(self, _user_input: dict[str, Any]) -> ConfigFlowResult:
        """Add the receiver if it now allows access; raise FormError."""
        async with BROWSER.acquire(self.hass) as browser:
            self._receiver = browser.get(self._receiver.id) or self._receiver
        self._check_obstacle()
        return await self._async_add()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the user to confirm a discovered receiver."""
        self._set_confirm_only()
        return await async_ask(
            user_input,
            form=partial(self._async_show, "confirm"),
            answer=lambda _: self._async_add(),
        )

    def _check_obstacle(self, field: str = "base") -> None:
        """Raise FormError if the receiver cannot be played to."""
        if obstacle := self._receiver.obstacle:
            raise FormError(str(obstacle), field)

    @property
    def _is_closed(self) -> bool:
        """Whether the receiver plays only for members of its Apple home."""
        return self._receiver.obstacle is Obstacle.HOME_ONLY

    def _addable(self, seen: Mapping[str, Receiver]) -> dict[str, Receiver]:
        """Return the receivers that are not set up, alone or as part of a pair.

        Receivers that the user has ignored may be added.
        """
        taken = self._async_current_ids(include_ignore=False)
        addable = {
            key: receiver
            for key, receiver in seen.items()
            if unique_id(key) not in taken
            if not self._is_second(receiver, partner_of(receiver, seen.values()))
        }
        by_name = sorted(addable.items(), key=lambda pair: title_of(pair[1]).casefold())
        return dict(by_name)

    def _is_second(self, receiver: Receiver, partner: Receiver | None) -> bool:
        """Whether the other receiver of its pair represents both."""
        if partner is None:
            return False
        if unique_id(partner.id) in self._async_current_ids(include_ignore=False):
            return True
        return leader_of(receiver, partner) is partner

    async def _async_heed_pair(self, receiver: Receiver) -> None:
        """Keep one flow for both of a stereo pair; abort if the other receiver has it."""
        is_added = unique_id(receiver.id) in self._async_current_ids()
        if receiver.pair_id is None or is_added:
            return
        async with BROWSER.acquire(self.hass) as browser:
            await browser.async_find(receiver.id)
            partner = browser.partner_of(receiver)
        if partner is None:
            return
        if not self._is_second(receiver, partner):
            self._end_card(partner)
            return
        self._end_card(receiver)
        raise AbortFlow("part_of_pair", {CONF_NAME: title_of(receiver)})

    def _abort_if_crowded(self, announced: str) -> None:
        """Abort if there are too many cards already; the list has the other receivers.

        Receivers with an entry need none.
        """
        entries = self._async_current_entries(include_ignore=False)
        kept = [receiver_from(entry.data) for entry in entries]
        if any(announced in announced_ids(each, each.id) for each in kept):
            return
        cards = self._async_in_progress(
            include_uninitialized=True, match_context={"source": SOURCE_ZEROCONF}
        )
        if len(cards) >= _MOST_CARDS:
            raise AbortFlow("too_many")

    def _end_card(self, receiver: Receiver) -> None:
        """Abort another discovery flow."""
        for flow in self._async_in_progress(match_context={"source": SOURCE_ZEROCONF}):
            if flow["context"].get("unique_id") == unique_id(receiver.id):
                self.hass.config_entries.flow.async_abort(flow["flow_id"])

    async def _async_complete(
        self, found: str, service: Service, *, is_raop: bool
    ) -> Receiver:
        """Return the receiver with its other record added to the first one."""
        async with BROWSER.acquire(self.hass) as browser:
            seen = await browser.async_find(found)
        return completed(found, seen, service, is_raop=is_raop)

    def _updates(
        self, found: str, service: Service, *, is_raop: bool
    ) -> dict[str, Any] | None:
        """Return what a record changes in an entry; one that is loaded follows mDNS."""
        entry = self.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, unique_id(found)
        )
        if (
            entry is None
            or entry.source == SOURCE_IGNORE
            or entry.state is ConfigEntryState.LOADED
        ):
            return None
        known = receiver_from(entry.data)
        seen = completed(found, known, service, is_raop=is_raop)
        return followed(entry.data, seen)

    async def _async_add(self) -> ConfigFlowResult:
        """Add the receiver or continue with the secret it requires; raise FormError."""
        await self.async_set_unique_id(
            unique_id(self._receiver.id), raise_on_progress=False
        )
        self._abort_if_unique_id_configured()
        return await self._async_go_on()

    @override
    def _finish(self) -> ConfigFlowResult:
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            return super()._finish()
        kept = receiver_data(self._receiver) | {CONF_MANUAL: self._is_manual}
        return self.async_create_entry(
            title=title_of(self._receiver), data=kept | self._secrets()
        )

    def _abort_if_address_configured(self, hosts: tuple[str, ...], port: int) -> None:
        """Abort if an entry was created by an address, and so without the right ID."""
        for entry in self._async_current_entries(include_ignore=False):
            known = receiver_from(entry.data)
            is_same = known.port == port and not set(hosts).isdisjoint(known.addresses)
            if entry.data[CONF_MANUAL] and is_same:
                raise AbortFlow("already_configured")
