"""A session of AirPlay 1 and the answers that it needs, for tests that play its receiver."""

from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.session.backlog import AudioKey, Format
from custom_components.airplay.raop.session.raop import (
    RaopPorts,
    RaopSession,
    RaopTerms,
)
from custom_components.airplay.raop.wire.handshake import Handshake
from custom_components.airplay.raop.wire.rtsp import Request
from tests.raop.vectors import octets

from .talk import answer, talk

OK = answer()
TRANSPORT = "RTP/AVP/UDP;unicast;mode=record;control_port=6001;server_port=6000"
SETUP_OK = answer(Transport=TRANSPORT, Session="DEADBEEF")
KEY = AudioKey(octets("aes_cbc_packet", "key"), octets("aes_cbc_packet", "iv"))
PLAIN = Format()
SYNTHETIC = "apple_challenge_synthetic"


def receiver(receiver_id: str = "0011223344FF") -> Receiver:
    return merge(Service(f"{receiver_id}@Kitchen", "192.168.1.50", 5000), None)


def make_session(
    *,
    password: str | None = None,
    shape: Format = PLAIN,
    uses_auth_setup: bool = False,
    local: str = "192.168.1.10",
    remote: str = "192.168.1.50",
    client_name: str = "Home Assistant",
    of: Receiver | None = None,
) -> RaopSession:
    return RaopSession(
        RaopTerms(
            receiver=of or receiver(),
            local=local,
            remote=remote,
            session_id=1234567890,
            dacp_id="9FF35780A8BC8D2B",
            active_remote=4294967,
            client_name=client_name,
            shape=shape,
            control_port=6001,
            timing_port=6002,
            challenge=octets(SYNTHETIC, "challenge"),
            password=password,
            uses_auth_setup=uses_auth_setup,
        )
    )


def prepare(session: RaopSession) -> Handshake[RaopPorts]:
    """Do all steps up to SETUP."""
    yield from session.greet()
    return (yield from session.announce())


def opened_session(**terms: str) -> RaopSession:
    """Return a session whose SETUP is done."""
    session = make_session(local=terms.get("local", "192.168.1.10"))
    talk(prepare(session), OK, OK, SETUP_OK)
    return session


def methods(asked: list[Request]) -> list[str]:
    return [f"{request.method} {request.uri}" for request in asked]
