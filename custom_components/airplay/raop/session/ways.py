"""The ways to play to a receiver, best first.

A way is everything that is decided before a session: lane, clock, `/auth-setup`, login,
encryption, codec, and the least depth. Their order follows the records of the receiver,
its `/info`, what worked before, and the user's choice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from ..errors import UnsupportedReceiverError
from ..receiver import Receiver
from ..receiver_lanes import AIRPLAY2, AIRPLAY2_NTP, LaneKind
from .climbing.way import Login, Way, WayClock


class Outcome(StrEnum):
    """Why a way does not work."""

    UNREACHABLE = "unreachable"
    DENIED = "denied"
    PASSWORD = "password"  # noqa: S105
    REFUSED = "refused"
    MUTE = "mute"
    NO_CLOCK = "no_clock"
    SILENT = "silent"
    UNLOCKED = "unlocked"


@dataclass(frozen=True, slots=True)
class Rung:
    """A way, and the outcomes of its lane after which it is worth a try.

    Without outcomes it is tried anyway. If it `shares_clock`, only outcomes of the same
    clock count.
    """

    way: Way
    after: frozenset[Outcome] = frozenset()
    shares_clock: bool = True


@dataclass(frozen=True, slots=True)
class Access:
    """What is known beside the records: secrets, the user's choice, what worked."""

    has_password: bool = False
    has_keys: bool = False
    # Keys of HomeKit pairing, which AirPlay 2 needs.
    has_home_keys: bool = False
    is_bound: bool = True
    wanted: str | None = None
    learned: Way | None = None

    def is_left_out(self, login: Login, *, is_password_asked: bool) -> bool:
        """Whether a session with this login uses none of the secrets that are known.

        A receiver that asks for none of them may be another one with the same ID.
        """
        is_used = login in (Login.KEYS, Login.PASSWORD) or is_password_asked
        has_secret = self.has_keys or self.has_password
        return self.is_bound and has_secret and not is_used


_WRONG = frozenset({Outcome.REFUSED})
_DENIED = frozenset({Outcome.DENIED})
_NOT_KEPT = frozenset({Outcome.REFUSED, Outcome.MUTE, Outcome.DENIED})
_WITHOUT_PTP = frozenset(
    {Outcome.NO_CLOCK, Outcome.SILENT, Outcome.REFUSED, Outcome.MUTE}
)


def ways_of(receiver: Receiver, access: Access) -> tuple[Rung, ...]:
    """Return the ways to play to a receiver, best first.

    Raises UnsupportedReceiverError: there is no way, or the wanted one is unknown.
    """
    rungs: list[Rung] = []
    for kind in _lanes(receiver, access.wanted):
        if kind is LaneKind.RAOP:
            rungs += _raop(receiver, access)
        else:
            rungs += _airplay2(receiver, access, kind)
    if access.wanted == AIRPLAY2_NTP:
        rungs = [each for each in rungs if not each.way.is_ptp]
        rungs = [replace(each, after=each.after - _WITHOUT_PTP) for each in rungs]
    return _learned_first(rungs, access.learned)


def _lanes(receiver: Receiver, wanted: str | None) -> Iterable[LaneKind]:
    if wanted == AIRPLAY2:
        order = receiver.airplay2_lanes
        return order or (LaneKind.AIRPLAY2_REALTIME, LaneKind.AIRPLAY2_BUFFERED)
    if wanted == AIRPLAY2_NTP:
        return (LaneKind.AIRPLAY2_REALTIME,)
    if wanted is not None and wanted not in LaneKind:
        raise UnsupportedReceiverError(f"unknown lane {wanted!r:.40}")
    if (wanted is None or wanted == LaneKind.RAOP) and receiver.obstacle:
        raise UnsupportedReceiverError(f"cannot play to it: {receiver.obstacle}")
    return receiver.lanes if wanted is None else (LaneKind(wanted),)


def _raop(receiver: Receiver, access: Access) -> Iterable[Rung]:
    """Yield the ways of RAOP.

    Keys are used at first only if pairing is required: used after pairing was switched
    off, they lead to a session that looks healthy and plays nothing. Some receivers
    require `/auth-setup`, others play nothing after it.
    """
    verifies = access.has_keys and receiver.needs_pairing
    first = Way(
        lane=LaneKind.RAOP,
        login=Login.KEYS if verifies else Login.NONE,
        uses_auth_setup=receiver.needs_auth_setup,
        encrypts=receiver.encrypts,
        codec=receiver.codec,
    )
    plain = replace(first, uses_auth_setup=False)
    yield Rung(first)
    if receiver.needs_auth_setup:
        yield Rung(plain, _WRONG | {Outcome.SILENT})
    if verifies:
        yield Rung(replace(plain, login=Login.NONE), _NOT_KEPT - _DENIED)
    elif access.has_keys:
        yield Rung(replace(plain, login=Login.KEYS), _DENIED)
    if not receiver.needs_auth_setup:
        yield Rung(replace(first, uses_auth_setup=True), _DENIED)
    if receiver.may_encrypt and not receiver.encrypts:
        yield Rung(replace(first, encrypts=True), _WRONG)


def _airplay2(receiver: Receiver, access: Access, kind: LaneKind) -> Iterable[Rung]:
    """Yield the ways of an AirPlay 2 lane; realtime also with the clock of NTP.

    Televisions announce PTP, never ask for it, and play by NTP; Apple's receivers and
    shairport-sync play nothing then.
    """
    is_realtime = kind is LaneKind.AIRPLAY2_REALTIME
    leads = WayClock.PTP_FOLLOW if receiver.keeps_clock else WayClock.PTP_LEAD
    depth_ms = receiver.least_depth_ms if is_realtime else 0
    first = Way(lane=kind, clock=leads, depth_ms=depth_ms)
    if receiver.takes_ptp or not is_realtime:
        yield from _logins(access, first)
        after = frozenset({Outcome.NO_CLOCK}) if receiver.is_apples else _WITHOUT_PTP
    else:
        after = frozenset()
    if is_realtime:
        by_ntp = replace(first, clock=WayClock.NTP)
        for at, rung in enumerate(_logins(access, by_ntp)):
            yield rung if at else replace(rung, after=after, shares_clock=False)


def _logins(access: Access, way: Way) -> Iterable[Rung]:
    """Yield a way with each login.

    A password is the secret of pairing on most receivers; on HomePods the secret is the
    open one, and SETUP asks for the password. A receiver that forgot us may accept the
    keys and then stop answering. Whatever is known comes first: the open login shows
    only whether the receiver has become open, see `Access.is_left_out`.
    """
    logins = [Login.KEYS] if access.has_home_keys else []
    if access.has_password:
        logins.append(Login.PASSWORD)
    logins.append(Login.OPEN)
    after: frozenset[Outcome] = frozenset()
    for login in logins:
        yield Rung(replace(way, login=login), after)
        after = after | (_NOT_KEPT if login is Login.KEYS else _DENIED)


def _learned_first(rungs: list[Rung], learned: Way | None) -> tuple[Rung, ...]:
    """Return the ways that are most like the one that worked before the others."""
    if learned is None:
        return tuple(rungs)

    def unlikeness(rung: Rung) -> tuple[bool, ...]:
        way = rung.way
        return (
            way.lane is not learned.lane,
            way.is_ptp is not learned.is_ptp,
            way.uses_auth_setup is not learned.uses_auth_setup,
            way.encrypts is not learned.encrypts,
        )

    first = min(rungs, key=unlikeness, default=None)
    if first is None or first.way.lane is not learned.lane:
        return tuple(rungs)
    like = [each for each in rungs if unlikeness(each) == unlikeness(first)]
    others = [each for each in rungs if each not in like]
    like = _with_login_first(like, learned.login)
    # What was worth a try only after another way had failed has proved itself.
    like[0] = replace(like[0], after=frozenset())
    like = [replace(each, way=_with_details(each.way, learned)) for each in like]
    return (*like, *others)


def _with_login_first(rungs: list[Rung], login: Login) -> list[Rung]:
    """Return ways that differ in their login, the one that worked first.

    A wrong secret at each start may lock a receiver. Known keys stay first, see
    `_logins`.
    """
    first, *others = rungs
    if Login.KEYS in (login, first.way.login):
        return rungs
    ways = [replace(first, after=_DENIED), *others]
    return sorted(ways, key=lambda rung: rung.way.login is not login)


def _with_details(way: Way, learned: Way) -> Way:
    depth_ms = max(way.depth_ms, learned.depth_ms)
    return replace(way, digest=learned.digest, depth_ms=depth_ms, lead=learned.lead)
