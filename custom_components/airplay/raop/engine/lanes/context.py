"""The context of a lane: the keys of its stream, and facts about its receiver."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
import os
from typing import TYPE_CHECKING
import uuid

from ...auth.packet_seal import PacketSeal
from ...buttons import Button
from ...errors import ReceiverUnreachableError
from ...messages import Identity, Member
from ...receiver import Receiver
from ...receiver_identity import merge
from ...receiver_records import Service
from ...session.backlog import AudioKey
from ..pacing.pacer import Pacer

if TYPE_CHECKING:
    from ..ptp.service import PtpService

_AES_BYTES = 16
_SEAL_BYTES = 32
_CONNECTION_BYTES = 4


@dataclass(frozen=True, slots=True)
class GroupKeys:
    """The keys for all receivers of a stream, which therefore share packets.

    `connection_id` is in packets for receivers that identify streams by it.
    """

    aes: AudioKey
    seal: PacketSeal = field(repr=False)
    uuid: str
    connection_id: int

    @classmethod
    def random(cls) -> GroupKeys:
        """Return new random keys."""
        return cls(
            aes=AudioKey(os.urandom(_AES_BYTES), os.urandom(_AES_BYTES)),
            seal=PacketSeal(os.urandom(_SEAL_BYTES)),
            uuid=str(uuid.uuid4()).upper(),
            connection_id=int.from_bytes(os.urandom(_CONNECTION_BYTES)),
        )


@dataclass(frozen=True, slots=True)
class LaneContext:
    """The context of a lane; `on_button` gets a receiver's id and the button.

    `ptp` returns the clock, which is made for the first receiver that follows it.
    """

    identity: Identity
    pacer: Pacer
    keys: GroupKeys
    ptp: Callable[[], PtpService]
    on_button: Callable[[str, Button], None]


def receiver_of(member: Member) -> Receiver:
    """Return a member as a receiver; without TXT records, as AirPlay 1.

    With a record of `_airplay._tcp` alone it is not known to support AirPlay 1.
    """
    host, known = member.host, member.addresses
    instance = f"{member.receiver}@{member.name}"
    raop = Service(instance, host, member.port, member.txt, known)
    airplay = None
    if member.airplay_txt:
        port = member.airplay_port or member.port
        airplay = Service(member.name, host, port, member.airplay_txt, known)
    is_raop = bool(member.txt) or airplay is None
    receiver = merge(raop if is_raop else None, airplay)
    return replace(receiver, id=merge(raop, None).id, name=member.name)


@contextmanager
def network_errors(host: str) -> Iterator[None]:
    """Convert a system error to one that names the receiver's host.

    Raises ReceiverUnreachableError: the body raised OSError.
    """
    try:
        yield
    except OSError as err:
        raise ReceiverUnreachableError(f"{host}: {err.strerror or err}") from err
