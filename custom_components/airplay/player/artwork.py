"""Pictures for receivers: download, scaling, and encoding."""

import base64
import binascii
from dataclasses import dataclass
from io import BytesIO
import logging

from aiohttp import ClientError
from PIL import Image, ImageOps

from homeassistant.core import HomeAssistant

from ..media.web import async_open, async_read

_LOGGER = logging.getLogger(__name__)

_EDGE = 600
_MAX_SENT_BYTES = 100_000
_MAX_FETCHED_BYTES = 10_000_000
# A small file can contain many pixels, each of which needs several bytes of memory.
_MAX_PIXELS = 25_000_000
_QUALITIES = (90, 80, 65, 50, 35, 20)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in its original encoding."""

    content: bytes
    content_type: str


def decode_cover(encoded: str, content_type: str) -> Picture | None:
    """Return the picture that the sender process found in the media."""
    try:
        return Picture(base64.b64decode(encoded, validate=True), content_type)
    except binascii.Error:
        return None


async def async_fetch_picture(hass: HomeAssistant, url: str) -> Picture | None:
    """Fetch a picture; return None if that fails."""
    try:
        async with async_open(hass, url) as response:
            response.raise_for_status()
            content = await async_read(response, _MAX_FETCHED_BYTES)
    except (ClientError, TimeoutError, ValueError) as err:
        # Not the error itself, which may contain a signed address.
        _LOGGER.debug("Could not fetch a picture: %s", type(err).__name__)
        return None
    if len(content) > _MAX_FETCHED_BYTES:
        _LOGGER.debug("A picture is too large to fetch")
        return None
    return Picture(content, response.content_type)


async def async_scale_picture(hass: HomeAssistant, picture: Picture) -> str:
    """Return the picture as receivers accept it, in Base64; empty if it is invalid."""
    return await hass.async_add_executor_job(_scale, picture.content)


def _scale(content: bytes) -> str:
    try:
        with Image.open(BytesIO(content)) as original:
            original.draft("RGB", (_EDGE, _EDGE))
            if original.width * original.height > _MAX_PIXELS:
                _LOGGER.debug("A picture has too many pixels to show")
                return ""
            image = ImageOps.exif_transpose(original).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
        _LOGGER.debug("Could not decode a picture: %s", err)
        return ""
    image.thumbnail((_EDGE, _EDGE))
    for quality in _QUALITIES:
        written = BytesIO()
        image.save(written, "JPEG", quality=quality)
        if written.tell() < _MAX_SENT_BYTES:
            break
    return base64.b64encode(written.getvalue()).decode()
