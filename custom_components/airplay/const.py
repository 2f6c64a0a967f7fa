"""Constants that several modules of the integration share."""

from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "airplay"
PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.MEDIA_PLAYER,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
]
# Set up first, so that settings are restored before anything can play.
CHOICES: Final = [Platform.NUMBER, Platform.SELECT]

DACP_TYPE: Final = "_dacp._tcp.local."
RAOP_TYPE: Final = "_raop._tcp.local."
AIRPLAY_TYPE: Final = "_airplay._tcp.local."

CONF_AIRPLAY: Final = "airplay"
CONF_ANNOUNCEMENTS: Final = "announcements"
CONF_PARTNER: Final = "buddy"
CONF_BUTTONS_ACT: Final = "buttons_act"
CONF_CREDENTIALS: Final = "credentials"
CONF_DEPTH_MS: Final = "depth_ms"
CONF_KEEP_PAUSED_S: Final = "keep_paused_s"
CONF_KEEPS_LEVEL: Final = "keeps_level"
CONF_LOUDNESS: Final = "loudness"
CONF_LANE: Final = "lane"
CONF_LANE_WORKED: Final = "lane_worked"
CONF_MANUAL: Final = "manual"
CONF_RAOP: Final = "raop"
CONF_WHEN_BUSY: Final = "when_busy"

DEFAULT_PORT: Final = 5000
DEFAULT_VOLUME: Final = 0.2
