"""A configuration folder of Home Assistant as it is after onboarding."""

import asyncio
import json
from pathlib import Path
import shutil

from homeassistant.auth import auth_manager_from_config
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.auth.providers.homeassistant import HassAuthProvider
from homeassistant.components.onboarding import STORAGE_KEY, STORAGE_VERSION
from homeassistant.components.onboarding.const import STEPS
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from . import sound

USER = PASSWORD = "demo"  # noqa: S105 - shown to everybody who starts the demo
SAMPLE = Path(__file__).with_name("Morning light.mp3")
SAMPLE_WAV = "Morning light.wav"
_ROOT = Path(__file__).parents[1]

_CONFIGURATION = """\
# The parts of Home Assistant that start without internet access.
homeassistant:
  name: Demo
  country: US
  time_zone: UTC
  internal_url: http://127.0.0.1:{port}
  media_dirs:
    local: {media}
http:
  server_host: {host}
  server_port: {port}
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
    # Neither is needed here, and both may be missing.
    haffmpeg: fatal
    homeassistant.components.camera.img_util: fatal
"""


async def furnish(folder: Path, host: str, port: int, *, is_new: bool) -> None:
    """Write everything that Home Assistant starts with."""
    if await asyncio.to_thread(_write, folder, host, port, is_new=is_new):
        await _add_owner(folder)


def _write(folder: Path, host: str, port: int, *, is_new: bool) -> bool:
    """Write the files; return whether there is no owner yet."""
    if is_new:
        shutil.rmtree(folder, ignore_errors=True)
    media = folder / "media"
    for needed in (media, folder / ".storage", folder / "custom_components"):
        needed.mkdir(parents=True, exist_ok=True)
    text = _CONFIGURATION.format(host=host, port=port, media=media)
    (folder / "configuration.yaml").write_text(text)
    _place(_ROOT / "custom_components/airplay", folder / "custom_components/airplay")
    _place(_ROOT / "demo/voice", folder / "custom_components/demo_voice")
    shutil.copy(SAMPLE, media)
    sound.write_wav(media / SAMPLE_WAV, sound.decode(SAMPLE))
    onboarded = {"version": STORAGE_VERSION, "minor_version": 1, "key": STORAGE_KEY}
    onboarded_steps = onboarded | {"data": {"done": STEPS}}
    (folder / ".storage" / STORAGE_KEY).write_text(json.dumps(onboarded_steps))
    return not (folder / ".storage/auth").exists()


def _place(source: Path, link: Path) -> None:
    """Let Home Assistant see the files of the project themselves."""
    link.unlink(missing_ok=True)
    link.symlink_to(source)


async def _add_owner(folder: Path) -> None:
    """Create the owner as Home Assistant's own onboarding does."""
    hass = HomeAssistant(str(folder))
    hass.config_entries = ConfigEntries(hass, {})
    await hass.config_entries.async_initialize()
    dr.async_setup(hass)
    await asyncio.gather(dr.async_load(hass), er.async_load(hass))
    hass.auth = await auth_manager_from_config(hass, [{"type": "homeassistant"}], [])
    provider = hass.auth.auth_providers[0]
    assert isinstance(provider, HassAuthProvider)
    await provider.async_initialize()
    await provider.async_add_auth(USER, PASSWORD)
    user = await hass.auth.async_create_user("Demo", group_ids=[GROUP_ID_ADMIN])
    credentials = await provider.async_get_or_create_credentials({"username": USER})
    await hass.auth.async_link_user(user, credentials)
    await hass.async_stop(force=True)
