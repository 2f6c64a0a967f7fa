"""What is learned from a request that sound does not need."""

import asyncio

from custom_components.airplay.raop.engine.net.extras import ExtraRequests
from custom_components.airplay.raop.session.climbing.extras import Extra, Omissions
from custom_components.airplay.raop.wire.handshake import Handshake
from custom_components.airplay.raop.wire.rtsp import Request

from .test_connection import OK, answering, connected, hear


def flush() -> Handshake[int]:
    """Ask for FLUSH, and return the status."""
    response = yield Request("FLUSH", "*")
    return response.status


async def test_an_answer_shows_that_an_extra_is_harmless() -> None:
    omissions = Omissions()

    async with connected(answering(OK)) as connection:
        extras = ExtraRequests("Kitchen", omissions)
        assert await extras.perform(connection, Extra.FLUSH, flush()) == 200

    assert not omissions.leave_out(Extra.FLUSH)


async def test_a_request_that_is_canceled_shows_nothing() -> None:
    omissions, asked = Omissions(), asyncio.Event()

    async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await hear(reader)
        asked.set()

    async with connected(script) as connection:
        extras = ExtraRequests("Kitchen", omissions)
        work = asyncio.create_task(extras.perform(connection, Extra.FLUSH, flush()))
        await asked.wait()
        work.cancel()
        await asyncio.wait([work])

    assert work.cancelled()
    assert omissions.leave_out(Extra.FLUSH)
