"""Pictures: download, check, and scaling for receivers.

They come from strangers. Only four kinds are shown, and none is decoded in Home
Assistant's process.
"""

import base64
import binascii
from dataclasses import dataclass
import logging
import os
from pathlib import Path
import subprocess
import sys
import threading

from aiohttp import ClientError

from homeassistant.core import HomeAssistant

from ..media.web import async_open, async_read
from ..raop.api import inherited, picture_type

_LOGGER = logging.getLogger(__name__)

_MAX_FETCHED_BYTES = 10_000_000
# By its path, so that it imports nothing of Home Assistant. -P prevents the modules
# beside that file from shadowing others.
_PROGRAM = ("-P", str(Path(__file__).with_name("picture_program.py")))
# It has a limit of its own for processor time, and may have to wait for a processor.
_LONGEST_S = 30
# Several players may change their pictures at the same time: memory for one is enough.
_ONE_AT_A_TIME = threading.Lock()


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
            done = subprocess.run(
                (sys.executable, *_PROGRAM),
                input=content,
                capture_output=True,
                timeout=_LONGEST_S,
                env=inherited(os.environ),
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as err:
            _LOGGER.debug("Could not decode a picture: %s", type(err).__name__)
            return ""
    if done.returncode:
        reason = done.stderr[-200:].decode(errors="replace") or "it takes too long"
        _LOGGER.debug("Could not decode a picture: %s", reason)
        return ""
    return base64.b64encode(done.stdout).decode()
