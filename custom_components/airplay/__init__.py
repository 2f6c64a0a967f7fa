"""AirPlay speakers: play to AirPlay receivers from Home Assistant."""

from contextlib import AsyncExitStack

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryNotReady,
    IntegrationError,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .announcements.announcements import ANNOUNCEMENTS
from .announcements.speaker_announcer import SpeakerAnnouncer
from .const import CHOICES, DOMAIN, PLATFORMS
from .discovery.browser import BROWSER
from .discovery.device import AirPlayDevice
from .helpers.issues import FORCED_WAY, UNLOCKED, RepairNotice
from .raop.api import AuthenticationError, RaopError, TooManyTriesError
from .runtime import AirPlayConfigEntry, AirPlayRuntime
from .sender.error_translation import translate_error
from .sender.sender import SENDER
from .sender.udp_ports import async_load_udp_ports
from .services import async_register_actions
from .speaker.groups import GROUPS
from .speaker.speaker import Speaker

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

_FAILURES: dict[type[RaopError], type[IntegrationError]] = {
    TooManyTriesError: ConfigEntryNotReady,
    AuthenticationError: ConfigEntryAuthFailed,
    RaopError: ConfigEntryNotReady,
}


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions; almost everything else belongs to entries."""
    async_register_actions(hass)
    await async_load_udp_ports(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: AirPlayConfigEntry) -> bool:
    """Set up one receiver after it has responded to a probe."""
    shared = AsyncExitStack()
    # Also runs if setup fails, and then closes everything opened for it.
    entry.async_on_unload(shared.aclose)
    browser = await shared.enter_async_context(BROWSER.acquire(hass))
    device = AirPlayDevice(hass, entry, browser)
    await _async_test(device)
    sender = await shared.enter_async_context(SENDER.acquire(hass))
    groups = await shared.enter_async_context(GROUPS.acquire(hass))
    announcements = await shared.enter_async_context(ANNOUNCEMENTS.acquire(hass))
    speaker = Speaker(hass, entry, device, sender)
    announcer = SpeakerAnnouncer(hass, entry, speaker, sender, announcements.journal)
    entry.async_on_unload(announcements.async_add(announcer))
    entry.runtime_data = AirPlayRuntime(
        speaker=speaker,
        sender=sender,
        announcer=announcer,
        announcements=announcements,
        groups=groups,
    )
    await hass.config_entries.async_forward_entry_setups(entry, CHOICES)
    others = [each for each in PLATFORMS if each not in CHOICES]
    await hass.config_entries.async_forward_entry_setups(entry, others)
    # Its own queue is restored by now, to be parked or to be the group's.
    await groups.async_enter(speaker)
    # The user's volume settings are restored only by now.
    announcer.async_start()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: AirPlayConfigEntry) -> bool:
    """Release the receiver and unload its entry."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    runtime = entry.runtime_data
    await runtime.announcements.async_silence(runtime.announcer)
    await runtime.groups.async_exit(runtime.speaker)
    return True


async def async_remove_entry(hass: HomeAssistant, entry: AirPlayConfigEntry) -> None:
    """Remove the speaker from its group, its volume from the journal, and its notices."""
    for kind in (FORCED_WAY, UNLOCKED):
        RepairNotice(hass, kind, entry.entry_id).async_withdraw()
    async with GROUPS.acquire(hass) as groups:
        await groups.async_forget(entry.entry_id)
    async with ANNOUNCEMENTS.acquire(hass) as announcements:
        announcements.journal.async_erase(entry.entry_id)


async def _async_test(device: AirPlayDevice) -> None:
    """Probe the receiver; raise the setup error that determines the entry's state."""
    try:
        await device.async_probe()
    except RaopError as error:
        told = translate_error(error, device.name)
        failure = next(
            failure for kind, failure in _FAILURES.items() if isinstance(error, kind)
        )
        raise failure(
            translation_domain=told.translation_domain,
            translation_key=told.translation_key,
            translation_placeholders=told.translation_placeholders,
        ) from error
