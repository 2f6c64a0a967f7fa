"""Pictures for receivers: fetched, scaled and written as they can show them."""

import base64
import binascii
from dataclasses import dataclass
from io import BytesIO
import logging

from aiohttp import ClientError, ClientTimeout
from PIL import Image, ImageOps

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

_LOGGER = logging.getLogger(__name__)

_EDGE = 600
_MAX_SENT_BYTES = 100_000
_MAX_FETCHED_BYTES = 10_000_000
# Few bytes may stand for many pixels, and each takes several bytes of memory.
_MAX_PIXELS = 25_000_000
_QUALITIES = (90, 80, 65, 50, 35, 20)
_TIMEOUT = ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as its maker wrote it."""

    content: bytes
    content_type: str


def decode_cover(encoded: str, content_type: str) -> Picture | None:
    """Return the picture that the sender process found inside the media."""
    try:
        return Picture(base64.b64decode(encoded, validate=True), content_type)
    except binascii.Error:
        return None


async def async_fetch_picture(hass: HomeAssistant, url: str) -> Picture | None:
    """Fetch a picture; None where that does not work."""
    session = async_get_clientsession(hass)
    content = bytearray()
    try:
        async with session.get(url, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            async for chunk in response.content.iter_chunked(1 << 16):
                content += chunk
                if len(content) > _MAX_FETCHED_BYTES:
                    _LOGGER.debug("A picture is too big to be fetched")
                    return None
    except (ClientError, TimeoutError, ValueError) as err:
        # Not the error itself, which may show a signed address.
        _LOGGER.debug("A picture could not be fetched: %s", type(err).__name__)
        return None
    return Picture(bytes(content), response.content_type)


async def async_scale_picture(hass: HomeAssistant, picture: Picture) -> str:
    """Return the picture as receivers take it, in Base64; empty where it is none."""
    return await hass.async_add_executor_job(_scale, picture.content)


def _scale(content: bytes) -> str:
    try:
        with Image.open(BytesIO(content)) as original:
            original.draft("RGB", (_EDGE, _EDGE))
            if original.width * original.height > _MAX_PIXELS:
                _LOGGER.debug("A picture has too many pixels to be shown")
                return ""
            image = ImageOps.exif_transpose(original).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
        _LOGGER.debug("A picture could not be read: %s", err)
        return ""
    image.thumbnail((_EDGE, _EDGE))
    for quality in _QUALITIES:
        written = BytesIO()
        image.save(written, "JPEG", quality=quality)
        if written.tell() < _MAX_SENT_BYTES:
            break
    return base64.b64encode(written.getvalue()).decode()
