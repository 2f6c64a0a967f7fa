"""Small downloads from the web, or from Home Assistant itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientResponse, ClientTimeout

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.network import is_hass_url

_TIMEOUT = ClientTimeout(total=10)


@asynccontextmanager
async def async_open(hass: HomeAssistant, url: str) -> AsyncIterator[ClientResponse]:
    """Open an address; raise ClientError, TimeoutError, or ValueError."""
    # Home Assistant's certificate is often for another name, or self-signed.
    session = async_get_clientsession(hass, verify_ssl=not is_hass_url(hass, url))
    async with session.get(url, timeout=_TIMEOUT) as response:
        yield response


async def async_read(response: ClientResponse, most_bytes: int) -> bytes:
    """Return the content; stop soon after the maximum, so that its length exceeds it."""
    content = bytearray()
    async for piece in response.content.iter_chunked(1 << 16):
        content += piece
        if len(content) > most_bytes:
            break
    return bytes(content)
