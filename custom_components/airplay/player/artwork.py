"""Pictures: download, check, and scaling for receivers.

They come from strangers. Only four kinds are shown, and none is decoded in Home
Assistant's process.
"""

import asyncio
from asyncio.subprocess import PIPE
import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass
import logging
import os
from pathlib import Path
import sys

from aiohttp import ClientError

from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..media.web import async_open, async_read
from ..raop.api import inherited, picture_type

_LOGGER = logging.getLogger(__name__)

_MAX_FETCHED_BYTES = 10_000_000
# By its path, so that it imports nothing of Home Assistant. -P prevents the modules
# beside that file from shadowing others.
_PROGRAM = ("-P", str(Path(__file__).with_name("picture_program.py")))
# It has a limit of its own for processor time, and may have to wait for a processor.
_LONGEST_S = 30
_ONE_AT_A_TIME: HassKey[asyncio.Lock] = HassKey(f"{DOMAIN}_pictures")


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
    # Several players may change their pictures at the same time.
    async with hass.data.setdefault(_ONE_AT_A_TIME, asyncio.Lock()):
        try:
            scaled = await async_scaled(picture.content)
        except (OSError, TimeoutError, ValueError) as err:
            _LOGGER.debug(
                "Could not decode a picture: %s", str(err) or type(err).__name__
            )
            return ""
    return base64.b64encode(scaled).decode()


async def async_scaled(content: bytes) -> bytes:
    """Scale a picture in a process of its own, which ends with the calling task.

    Raise ValueError with the reason, OSError, or TimeoutError.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *_PROGRAM,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=inherited(os.environ),
    )
    try:
        async with asyncio.timeout(_LONGEST_S):
            scaled, reason = await process.communicate(content)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        text = reason[-200:].decode(errors="replace")
        raise ValueError(text or "it takes too long")
    return scaled
