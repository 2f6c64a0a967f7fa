"""A configuration folder of Home Assistant in the state after onboarding."""

import asyncio
import json
from pathlib import Path
import shutil
from typing import cast

from homeassistant.auth import auth_manager_from_config
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.auth.providers.homeassistant import HassAuthProvider
from homeassistant.components.http.config import (
    HTTP_STORAGE_SCHEMA,
    ConfData,
    async_get_and_load_store,
)
from homeassistant.components.onboarding import STORAGE_KEY, STORAGE_VERSION
from homeassistant.components.onboarding.const import STEPS
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from . import sound
from .place import EVERYWHERE, LOOPBACK

USER = PASSWORD = "demo"  # noqa: S105 - printed when the demo starts
SAMPLE = Path(__file__).with_name("Morning light.mp3")
SAMPLE_WAV = "Morning light.wav"
_ROOT = Path(__file__).parents[1]

_VOICE_MANIFEST = {
    "domain": "demo_voice",
    "name": "Demo voice",
    "config_flow": True,
    "dependencies": ["tts"],
    "version": "0.1.0",
}
_CONFIGURATION = """\
# The parts of Home Assistant that start without internet access.
homeassistant:
  name: Demo
  country: US
  time_zone: UTC
  internal_url: http://127.0.0.1:{port}
  media_dirs:
    local: {media}
frontend:
config:
my:
zeroconf:
media_source:
media_player:
tts:
demo_voice:
automation:
script:
logger:
  default: warning
  logs:
    custom_components.airplay: info
    # The demo needs neither, and both may be missing.
    haffmpeg: fatal
    homeassistant.components.camera.img_util: fatal
"""


async def furnish(folder: Path, host: str, port: int, *, is_new: bool) -> None:
    """Write the files that Home Assistant starts with."""
    await asyncio.to_thread(_write, folder, port, is_new=is_new)
    hass = HomeAssistant(str(folder))
    hass.config_entries = ConfigEntries(hass, {})
    await hass.config_entries.async_initialize()
    dr.async_setup(hass)
    await asyncio.gather(dr.async_load(hass), er.async_load(hass))
    await _set_address(hass, host, port)
    await _add_owner(hass)
    await hass.async_stop(force=True)


def _write(folder: Path, port: int, *, is_new: bool) -> None:
    """Write the files; keep Home Assistant's own storage unless it is new."""
    if is_new:
        shutil.rmtree(folder, ignore_errors=True)
    media = folder / "media"
    for needed in (media, folder / ".storage", folder / "custom_components"):
        needed.mkdir(parents=True, exist_ok=True)
    text = _CONFIGURATION.format(port=port, media=media)
    (folder / "configuration.yaml").write_text(text)
    _place(_ROOT / "custom_components/airplay", folder / "custom_components/airplay")
    _install_voice(folder / "custom_components/demo_voice")
    shutil.copy(SAMPLE, media)
    sound.write_wav(media / SAMPLE_WAV, sound.decode(SAMPLE))
    onboarded = {"version": STORAGE_VERSION, "minor_version": 1, "key": STORAGE_KEY}
    onboarded_steps = onboarded | {"data": {"done": STEPS}}
    (folder / ".storage" / STORAGE_KEY).write_text(json.dumps(onboarded_steps))


def _place(source: Path, link: Path) -> None:
    """Link the files of the project into Home Assistant's folder."""
    link.unlink(missing_ok=True)
    link.symlink_to(source)


def _install_voice(target: Path) -> None:
    """Create the voice's integration here; in the project hassfest would find it."""
    shutil.copytree(_ROOT / "demo/voice", target, dirs_exist_ok=True)
    (target / "manifest.json").write_text(json.dumps(_VOICE_MANIFEST))


async def _set_address(hass: HomeAssistant, host: str, port: int) -> None:
    """Set the address of the web page for good; set in YAML it would be on trial."""
    store = await async_get_and_load_store(hass)
    hosts = [host] if host in (LOOPBACK, EVERYWHERE) else [LOOPBACK, host]
    wanted = HTTP_STORAGE_SCHEMA({"server_host": hosts, "server_port": port})
    await store.async_set_pending(cast(ConfData, wanted))
    if store.pending is not None:
        await store.async_promote_pending()
    await store.async_mark_yaml_migration_done()


async def _add_owner(hass: HomeAssistant) -> None:
    """Create the owner once, as Home Assistant's onboarding does."""
    hass.auth = await auth_manager_from_config(hass, [{"type": "homeassistant"}], [])
    provider = hass.auth.auth_providers[0]
    assert isinstance(provider, HassAuthProvider)
    await provider.async_initialize()
    if await hass.auth.async_get_users():
        return
    await provider.async_add_auth(USER, PASSWORD)
    user = await hass.auth.async_create_user("Demo", group_ids=[GROUP_ID_ADMIN])
    credentials = await provider.async_get_or_create_credentials({"username": USER})
    await hass.auth.async_link_user(user, credentials)
