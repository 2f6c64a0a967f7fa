"""Small downloads from the web, or from Home Assistant itself.

A user may name any address. A redirect leads only where its server may lead, which is
judged by the address that is connected to, as in the sender process.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import socket
from typing import Self, override
import zlib

from aiohttp import (
    AddrInfoType,
    ClientConnectionError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    TCPConnector,
    hdrs,
)
from aiohttp.connector import Connection
import yarl

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import SERVER_SOFTWARE
from homeassistant.helpers.network import is_hass_url
from homeassistant.util import ssl as ssl_util

from ..raop.api import ANYWHERE, Reach, reach_from

_TIMEOUT_S = 10
# As browsers do: podcasts pass through a dozen counters.
_MAX_REDIRECTS = 20
_REDIRECTS = {301, 302, 303, 307, 308}
_HEADERS = {hdrs.USER_AGENT: SERVER_SOFTWARE, hdrs.ACCEPT_ENCODING: "identity"}
_SCHEMES = {"http", "https"}
# Any header of zlib or gzip.
_ANY_ZLIB = 47


class OutOfReachError(ClientConnectionError):
    """A redirect leads to an address that only a user may name."""


class ServerResponse(ClientResponse):
    """A response that knows the address of its server."""

    server = ""

    @override
    async def start(self, connection: Connection) -> Self:
        """Start to read the response; the connection may be gone afterward."""
        if connection.transport and (
            name := connection.transport.get_extra_info("peername")
        ):
            self.server = name[0]
        await super().start(connection)
        return self


class _Door:
    """Makes sockets for the addresses within reach only."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.has_refused = False

    def open(self, info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        if not self.reach.allows(str(address[0])):
            self.has_refused = True
            raise OSError("out of reach")
        return socket.socket(family, kind, protocol)


@asynccontextmanager
async def async_open(
    hass: HomeAssistant, url: str, named_by: str | None = None
) -> AsyncIterator[ServerResponse]:
    """Open an address that a user named, and follow the redirects that it may make.

    `named_by` is the address of the server that named it, if the user did not.
    Raise ClientError (OutOfReachError for a redirect), TimeoutError, or ValueError.
    """
    door = _Door(reach_from(named_by) if named_by else ANYWHERE)
    async with (
        asyncio.timeout(_TIMEOUT_S),
        ClientSession(
            connector=TCPConnector(socket_factory=door.open, force_close=True),
            response_class=ServerResponse,
            headers=_HEADERS,
            # A small answer could become gigabytes: `async_read` has a limit.
            auto_decompress=False,
        ) as session,
    ):
        response = await _async_follow(hass, session, door, yarl.URL(url))
        async with response:
            yield response


async def _async_follow(
    hass: HomeAssistant, session: ClientSession, door: _Door, url: yarl.URL
) -> ServerResponse:
    for _ in range(_MAX_REDIRECTS + 1):
        # Home Assistant's certificate is often for another name, or self-signed.
        tls = (
            ssl_util.client_context_no_verify()
            if is_hass_url(hass, str(url))
            else ssl_util.client_context()
        )
        try:
            response = await session.get(url, ssl=tls, allow_redirects=False)
        except ClientConnectionError as err:
            if door.has_refused:
                raise OutOfReachError(
                    "a redirect leads into a private network"
                ) from err
            raise
        assert isinstance(response, ServerResponse)
        target = response.headers.get(hdrs.LOCATION)
        if response.status not in _REDIRECTS or not target:
            return response
        response.close()
        door.reach = door.reach.narrowed(reach_from(response.server))
        url = url.join(yarl.URL(target))
        if url.scheme not in _SCHEMES:
            raise OutOfReachError("a redirect leads to something that is not the web")
    raise ClientConnectionError("too many redirects")


async def async_read(response: ClientResponse, most_bytes: int) -> bytes:
    """Return the content; stop soon after the maximum, so that its length exceeds it.

    Raise ClientError or TimeoutError.
    """
    content = bytearray()
    async for piece in response.content.iter_chunked(1 << 16):
        content += piece
        if len(content) > most_bytes:
            break
    encoding = response.headers.get(hdrs.CONTENT_ENCODING, "identity").lower()
    if encoding == "identity":
        return bytes(content)
    if encoding not in {"gzip", "deflate"}:
        raise ClientPayloadError("an unsupported encoding")
    try:
        # Some servers compress although nobody asked.
        return zlib.decompressobj(_ANY_ZLIB).decompress(content, most_bytes + 1)
    except zlib.error as err:
        raise ClientPayloadError("not the encoding that it claims to be") from err
