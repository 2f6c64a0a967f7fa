"""Pictures: download, check, and scaling for receivers.

They come from strangers and are decoded in Home Assistant's process, so only four kinds
of a known size are: other decoders of Pillow start programs (EPS) or are hardly used.
"""

import base64
import binascii
from dataclasses import dataclass
from io import BytesIO
import logging
import struct
import threading

from aiohttp import ClientError
from PIL import Image

from homeassistant.core import HomeAssistant

from ..media.web import async_open, async_read
from ..raop.api import picture_type

_LOGGER = logging.getLogger(__name__)

_EDGE = 600
_MAX_SENT_BYTES = 100_000
_MAX_FETCHED_BYTES = 10_000_000
# A small file can contain many pixels, each of which needs several bytes of memory.
_MAX_PIXELS = 4_000_000
_KINDS = ("JPEG", "PNG", "WEBP", "GIF")
_ORIENTATION = 0x0112
# How to turn a picture upright, by the orientation in its EXIF data.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Pillow's plugins raise these for damaged files.
_DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    LookupError,
    TypeError,
    EOFError,
    ArithmeticError,
    struct.error,
    Image.DecompressionBombError,
)
# Several players may change their pictures at the same time: memory for one is enough.
_ONE_AT_A_TIME = threading.Lock()
_QUALITIES = (90, 80, 65, 50, 35, 20)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in its original encoding."""

    content: bytes
    content_type: str


def picture_from(content: bytes) -> Picture | None:
    """Return a picture of a kind that is shown, whatever its sender calls it."""
    content_type = picture_type(content)
    return Picture(content, content_type) if content_type else None


def decode_cover(encoded: str) -> Picture | None:
    """Return the picture that the sender process found in the media."""
    try:
        return picture_from(base64.b64decode(encoded, validate=True))
    except binascii.Error:
        return None


async def async_fetch_picture(
    hass: HomeAssistant, url: str, named_by: str | None = None
) -> Picture | None:
    """Fetch a picture; return None if that fails, or if it is something else.

    `named_by` is the address of the server that named it, if the user did not.
    """
    try:
        async with async_open(hass, url, named_by) as response:
            response.raise_for_status()
            content = await async_read(response, _MAX_FETCHED_BYTES)
    except (ClientError, TimeoutError, ValueError) as err:
        # Not the error itself, which may contain a signed address.
        _LOGGER.debug("Could not fetch a picture: %s", type(err).__name__)
        return None
    if len(content) > _MAX_FETCHED_BYTES:
        _LOGGER.debug("A picture is too large to fetch")
        return None
    picture = picture_from(content)
    if picture is None:
        _LOGGER.debug("Could not decode a picture: not JPEG, PNG, WEBP, or GIF")
    return picture


async def async_scale_picture(hass: HomeAssistant, picture: Picture) -> str:
    """Return the picture as receivers accept it, in Base64; empty if it is invalid."""
    return await hass.async_add_executor_job(_scale, picture.content)


def _scale(content: bytes) -> str:
    with _ONE_AT_A_TIME:
        try:
            image = _small(content)
        except _DAMAGED as err:
            _LOGGER.debug("Could not decode a picture: %s", err)
            return ""
    if image is None:
        _LOGGER.debug("A picture has too many pixels to show")
        return ""
    for quality in _QUALITIES:
        written = BytesIO()
        image.save(written, "JPEG", quality=quality)
        if written.tell() < _MAX_SENT_BYTES:
            break
    return base64.b64encode(written.getvalue()).decode()


def _small(content: bytes) -> Image.Image | None:
    """Return a picture at its final size, None if its header states too many pixels."""
    with Image.open(BytesIO(content), formats=_KINDS) as original:
        if original.width * original.height > _MAX_PIXELS:
            return None
        turn = _TURNS.get(original.getexif().get(_ORIENTATION, 1))
        original.draft("RGB", (_EDGE, _EDGE))
        # A picture with a palette cannot be scaled smoothly.
        can_scale = original.mode in {"RGB", "RGBA", "L"}
        image = original if can_scale else original.convert("RGB")
        image.thumbnail((_EDGE, _EDGE))
        small = image.convert("RGB")
    return small if turn is None else small.transpose(turn)
