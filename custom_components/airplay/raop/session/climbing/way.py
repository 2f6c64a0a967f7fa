"""A way to play to a receiver, and the text by which it is stored."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self, override

from ...receiver import Receiver
from ...receiver_lanes import LaneKind
from ...wire.codec import Codec
from ..lead import CALM_STARTS, MOST_DEPTH_MS, USUAL_LEAD_MS, LearnedLead

_MOST_DIGESTS = 16
_LONGEST_TEXT = 200
_UNTAUGHT = LearnedLead()


class WayClock(StrEnum):
    """The clock of a session: ours by NTP or PTP, or the receiver's by PTP."""

    NTP = "ntp"
    PTP_LEAD = "ptp-lead"
    PTP_FOLLOW = "ptp-follow"


class Login(StrEnum):
    """How a session proves that it may play."""

    NONE = "none"
    OPEN = "open"
    PASSWORD = "password"  # noqa: S105
    KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to play to a receiver.

    `digest` is the variant of the password's proof that is tried first, and `lead` is
    what earlier starts have taught.
    """

    lane: LaneKind
    clock: WayClock = WayClock.NTP
    login: Login = Login.NONE
    uses_auth_setup: bool = False
    encrypts: bool = False
    codec: Codec = Codec.ALAC
    digest: int = 0
    depth_ms: int = 0
    lead: LearnedLead = _UNTAUGHT

    @property
    def is_raop(self) -> bool:
        """Whether it is AirPlay 1."""
        return self.lane is LaneKind.RAOP

    @property
    def is_ptp(self) -> bool:
        """Whether the session has a PTP clock."""
        return self.clock is not WayClock.NTP

    def is_usual_for(self, receiver: Receiver) -> bool:
        """Whether the only lane of a receiver works as its records say."""
        return (
            receiver.lanes == (self.lane,)
            and self.is_ptp is (receiver.takes_ptp and not self.is_raop)
            and self.uses_auth_setup is receiver.needs_auth_setup
            and self.encrypts is receiver.encrypts
            and not (self.digest or self.depth_ms or self.lead.ms)
        )

    @override
    def __str__(self) -> str:
        """Return the way as text, which `parse` reads: for storage and logs."""
        words: list[str] = [self.lane, self.clock, self.login]
        words += ["auth-setup"] if self.uses_auth_setup else []
        words += ["rsa"] if self.encrypts else []
        words += [f"digest={self.digest}"] if self.digest else []
        words += [f"depth={self.depth_ms}"] if self.depth_ms else []
        words += [f"lead={self.lead.ms}"] if self.lead.ms else []
        words += [f"calm={self.lead.calm}"] if self.lead.calm else []
        return " ".join(words)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the way of a text, or None if it is not one.

        A lane alone is a way, too: earlier versions stored no more.
        """
        lane, *words = text[:_LONGEST_TEXT].split() or [""]
        if lane not in LaneKind:
            return None
        numbers = {
            name: int(number)
            for name, equals, number in (word.partition("=") for word in words)
            if equals and number.isdecimal() and len(number) < 6
        }
        clock = next((each for each in WayClock if each in words), None)
        login = next((each for each in Login if each in words), Login.NONE)
        kind = LaneKind(lane)
        return cls(
            lane=kind,
            clock=clock or _USUAL_CLOCKS[kind],
            login=login,
            uses_auth_setup="auth-setup" in words,
            encrypts="rsa" in words,
            digest=min(numbers.get("digest", 0), _MOST_DIGESTS),
            depth_ms=min(numbers.get("depth", 0), MOST_DEPTH_MS),
            lead=LearnedLead(
                ms=min(numbers.get("lead", 0), USUAL_LEAD_MS),
                calm=min(numbers.get("calm", 0), CALM_STARTS),
            ),
        )


_USUAL_CLOCKS = {
    LaneKind.RAOP: WayClock.NTP,
    LaneKind.AIRPLAY2_REALTIME: WayClock.PTP_LEAD,
    LaneKind.AIRPLAY2_BUFFERED: WayClock.PTP_LEAD,
}
