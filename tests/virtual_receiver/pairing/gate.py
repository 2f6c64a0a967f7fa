"""Permission to play: a receiver's code, its known senders, and the wrong attempts."""

from collections.abc import Callable
from dataclasses import dataclass, field
import secrets
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.virtual_receiver.network.rtsp import Request, Response
from tests.virtual_receiver.quirks import Quirks

from .home_kit import HomeKitVisit
from .legacy import LegacyVisit

type Kind = Literal["legacy", "home_kit"]


@dataclass(slots=True)
class Gate:
    """The state that a receiver keeps from one connection to the next."""

    kind: Kind
    code: str
    """The code; also of senders that pair for one connection only."""
    name: bytes = b"0A:0B:0C:0D:0E:01"
    takes_transient: bool = False
    is_open: bool = False
    """Whether all senders may play, as on shairport-sync with AirPlay 2."""
    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    senders: dict[bytes, bytes] = field(default_factory=dict)
    """The public key of each sender that was paired, by its id."""
    shown: int = 0
    """How often the code was shown."""
    guest: object | None = None
    """The connection that pairs, for a receiver that pairs with one at a time."""
    wrong: int = 0
    """How often a wrong code came since the last right one."""

    @property
    def signer(self) -> Ed25519PrivateKey:
        """The receiver's own long-term key."""
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def acquaint(self) -> str:
        """Add a sender without a pairing exchange; return its credentials."""
        own, name = Ed25519PrivateKey.generate(), secrets.token_hex(8).encode()
        public = own.public_key().public_bytes_raw()
        if self.kind == "legacy":
            self.senders[name.upper()] = public
            return f"{name.decode()}:{own.private_bytes_raw().hex()}"
        self.senders[name] = public
        parts = (
            self.signer.public_key().public_bytes_raw(),
            own.private_bytes_raw(),
            self.name,
            name,
        )
        return ":".join(part.hex() for part in parts)

    def reset(self) -> None:
        """Reset to a new key and no known senders."""
        self.seed = secrets.token_bytes(32)
        self.senders.clear()
        self.wrong = 0

    def visit(self, quirks: Quirks) -> Visitor:
        """Accept a new connection."""
        return Visitor(self, quirks)


class Visitor:
    """One connection at the gate."""

    def __init__(self, gate: Gate, quirks: Quirks) -> None:
        """Begin without any proof."""
        self._gate = gate
        self._quirks = quirks
        self._is_shown = self._is_named = False
        self._legacy = LegacyVisit(gate, self._code)
        self._home_kit = HomeKitVisit(gate, quirks, self._code)
        paths: dict[Kind, dict[str, Callable[[bytes], Response]]] = {
            "legacy": {
                "/pair-setup-pin": self._legacy.set_up,
                "/pair-verify": self._legacy.verify,
            },
            "home_kit": {
                "/pair-setup": self._home_kit.set_up,
                "/pair-verify": self._home_kit.verify,
            },
        }
        self._paths = paths[gate.kind]

    @property
    def may_play(self) -> bool:
        """Return whether the sender has shown that it was paired."""
        return (
            self._gate.is_open or self._legacy.is_verified or self._home_kit.is_verified
        )

    @property
    def secret(self) -> bytes | None:
        """The encryption of the connection from the next byte on."""
        return self._home_kit.secret

    def stop(self, request: Request) -> Response | None:
        """Answer in the receiver's place, or None if the sender may pass."""
        if request.method == "POST":
            if request.uri in self._quirks.refuse:
                return Response(self._quirks.refuse[request.uri])
            self._is_named = bool(request.headers.get("x-apple-client-name"))
            if request.uri == "/pair-pin-start":
                return self._show_code()
            if path := self._paths.get(request.uri):
                return path(request.body)
        if self.may_play or request.uri.partition("?")[0] == "/info":
            return None
        return Response(403 if self._gate.kind == "legacy" else 470)

    def _show_code(self) -> Response:
        """Show the code, if the sender may see it."""
        if self._is_named or not self._quirks.hides_pin_without_client_name:
            self._is_shown = True
            self._gate.shown += 1
        return Response(self._quirks.pin_start_status)

    def _code(self) -> str:
        """Return the code; one that no user can read if the sender has no name."""
        is_seen = self._is_shown and self._is_named
        if self._quirks.hides_pin_without_client_name and not is_seen:
            return secrets.token_hex(8)
        return self._gate.code
