"""Checks that a receiver is reachable and accepts us."""

import os

from ...errors import RaopError
from ...messages import Identity
from ...receiver import Receiver
from ...session.backlog import AudioKey, Format
from ...session.info import ask_info, is_classic
from ...session.ladder import Ladder
from ...session.raop import RaopSession, RaopTerms
from .connection import STEP_S, Connection
from .open_way import OpenedWay, Secrets, climb, open_way

_INFO_S = 2
_KEY_BYTES = 16

NOBODY = Identity(dacp_id="F" * 16)


async def probe(
    receiver: Receiver,
    *,
    password: str | None = None,
    credentials: str | None = None,
    identity: Identity = NOBODY,
    timeout_s: float = STEP_S,
) -> str:
    """Climb the ladder to the first way that lets us in, without a session.

    Return the address that answered.

    Raises RaopError: the receiver cannot be played to.
    """
    access = Secrets(password, credentials)

    async def greet(opened: OpenedWay) -> str:
        connection = opened.connection
        if opened.way.is_raop:
            session = RaopSession(terms_of(opened, identity, password))
            await connection.perform(session.greet(), timeout_s=timeout_s)
        connection.close()
        return connection.remote

    ladder = Ladder(receiver, access.access())
    return await climb(
        ladder,
        lambda attempt: open_way(ladder, attempt, access, greet, timeout_s=timeout_s),
    )


async def informed(receiver: Receiver) -> Receiver:
    """Return a receiver with the facts that it reports now, or unchanged without any.

    A receiver of AirPlay 1 is not asked: some end their process at a request that they
    do not know (nodetunes; shairport-sync without nqptp).

    Raises ReceiverUnreachableError: the connection failed.
    """
    connection = await Connection.connect(receiver.addresses, receiver.port)
    try:
        if await connection.perform(is_classic(), timeout_s=_INFO_S):
            return receiver
        return await connection.perform(ask_info(receiver), timeout_s=_INFO_S)
    except RaopError:
        return receiver
    finally:
        connection.close()


def terms_of(
    opened: OpenedWay,
    identity: Identity,
    password: str | None,
    ports: tuple[int, int] = (0, 0),
) -> RaopTerms:
    """Return the terms of a session that plays nothing, with its UDP ports."""
    way, connection = opened.way, opened.connection
    return RaopTerms(
        receiver=opened.receiver,
        local=connection.local,
        remote=connection.remote,
        session_id=int.from_bytes(os.urandom(4)),
        dacp_id=identity.dacp_id,
        active_remote=0,
        client_name=identity.client_name,
        shape=Format(way.codec, random_key() if way.encrypts else None),
        control_port=ports[0],
        timing_port=ports[1],
        challenge=os.urandom(16),
        password=password,
        uses_auth_setup=way.uses_auth_setup,
        digest=way.digest,
    )


def random_key() -> AudioKey:
    """Return a key for packets that are never sent."""
    return AudioKey(os.urandom(_KEY_BYTES), os.urandom(_KEY_BYTES))
