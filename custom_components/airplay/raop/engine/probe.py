"""One OPTIONS to a receiver, to learn whether it is there and takes us."""

from collections.abc import Mapping
from dataclasses import dataclass
import os

from ..messages import Identity
from ..receiver import Service, merge
from ..session.backlog import Format
from ..session.raop import RaopSession, Terms
from .connection import Connection


@dataclass(frozen=True, slots=True)
class Probed:
    """What a receiver said of itself, and from which address we reached it."""

    server: str | None
    methods: tuple[str, ...]
    local_address: str


async def probe(
    host: str,
    port: int,
    *,
    password: str | None = None,
    txt: Mapping[str, str] | None = None,
    identity: Identity | None = None,
    timeout_s: float = 5,
) -> Probed:
    """Ask a receiver for its OPTIONS; raise what stands in the way of playing."""
    connection = await Connection.open(host, port, timeout_s=timeout_s)
    try:
        terms = Terms(
            receiver=merge(Service(host, host, port, txt or {}), None),
            local=connection.local,
            remote=connection.remote,
            session_id=0,
            dacp_id=identity.dacp_id if identity else "F" * 16,
            active_remote=0,
            client_name=identity.client_name if identity else "",
            shape=Format(),
            control_port=0,
            timing_port=0,
            challenge=os.urandom(16),
            password=password,
        )
        session = RaopSession(terms)
        methods = await connection.perform(session.greet(), timeout_s=timeout_s)
        return Probed(session.server, methods, connection.local)
    finally:
        connection.close()
