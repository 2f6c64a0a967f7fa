"""The verdict of the doctor: which finding explains that a receiver does not play.

The first cause on the way of a packet counts: a receiver that is off has no open port,
and one whose packets do not arrive shows no sign of playing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ...diagnosis import (
    DiagnosisCode as Code,
    DoctorFailure,
    DoorState,
    Findings,
    LinkFinding,
    WayFinding,
)
from ...obstacle import Obstacle

# More than this share of lost packets is audible in spite of all resends (measured).
_POOR_PERCENT = 10.0
# Fewer packets say nothing about a share.
_FEW_PACKETS = 100
_PTP = "ptp"

# The codes of errors that are causes by themselves.
_ERRORS: dict[str, Code] = {
    "wrong_receiver": Code.WRONG_RECEIVER,
    "busy": Code.IN_USE,
    "taken": Code.IN_USE,
    "password_required": Code.PASSWORD_REQUIRED,
    "auth_failed": Code.WRONG_PASSWORD,
    "pairing_required": Code.NEEDS_PAIRING,
    "credentials_rejected": Code.PAIRING_LOST,
    "pairing_refused": Code.HOME_ONLY,
    "too_many_tries": Code.LOCKED,
    "unlocked": Code.UNLOCKED,
    "unsupported": Code.UNSUPPORTED,
    "refused": Code.REFUSED,
    "protocol": Code.NOT_UNDERSTOOD,
    "too_slow": Code.SLOW,
    "ptp_ports_taken": Code.PTP_PORTS_TAKEN,
    "ptp_not_permitted": Code.PTP_NOT_PERMITTED,
    "ptp_unavailable": Code.PTP_UNAVAILABLE,
    "udp_ports_taken": Code.UDP_PORTS_TAKEN,
}
_OWN_PORTS = ("ptp_ports_taken", "ptp_not_permitted", "ptp_unavailable")


@dataclass(frozen=True, slots=True)
class DoctorVerdict:
    """One cause, and what its sentence names."""

    code: Code
    detail: str = ""


def verdict_of(findings: Findings) -> DoctorVerdict:
    """Return the one cause that explains all findings."""
    steps: tuple[Callable[[Findings], DoctorVerdict | None], ...] = (
        _playing,
        _obstacle,
        _names,
        _doors,
        _silence,
    )
    for step in steps:
        if found := step(findings):
            return found
    return _failure(findings)


def _playing(findings: Findings) -> DoctorVerdict | None:
    """Judge the link of a way that works, the best one first."""
    links = [each.link for each in findings.ways if each.link and not each.failure]
    proven = [each for each in links if each.is_proven and not each.is_unconfirmed]
    if not links:
        return None
    best = min(proven or links, key=lambda each: each.lost_percent)
    if best.packets >= _FEW_PACKETS and best.lost_percent > _POOR_PERCENT:
        return DoctorVerdict(Code.POOR_LINK, f"{best.lost_percent:.0f} %")
    if not proven:
        return DoctorVerdict(Code.UNCONFIRMED)
    # A request for the time shows that packets arrive here, not that they do there.
    is_one_way = all(each.gaps and not each.gaps_noticed for each in proven)
    return DoctorVerdict(Code.ONE_WAY if is_one_way else Code.OK)


def _obstacle(findings: Findings) -> DoctorVerdict | None:
    if findings.obstacle == Obstacle.HOME_ONLY:
        return DoctorVerdict(Code.HOME_ONLY)
    if findings.obstacle and not findings.ways:
        return DoctorVerdict(Code.UNSUPPORTED, findings.obstacle)
    return None


def _names(findings: Findings) -> DoctorVerdict | None:
    unknown = [each.name for each in findings.names if not each.addresses]
    return DoctorVerdict(Code.NAME_UNKNOWN, ", ".join(unknown)) if unknown else None


def _doors(findings: Findings) -> DoctorVerdict | None:
    """Judge the ports; an open one that does not lead to a session is no cause."""
    states = {each.state for each in findings.doors}
    if not states or DoorState.OPEN in states:
        return None
    where = ", ".join(f"{_host(each.address)}:{each.port}" for each in findings.doors)
    if DoorState.REFUSED in states:
        return DoctorVerdict(Code.PORT_CLOSED, where)
    if findings.is_host_up:
        return DoctorVerdict(Code.TCP_BLOCKED, where)
    if states == {DoorState.NO_ROUTE}:
        return DoctorVerdict(Code.NO_ROUTE, where)
    return DoctorVerdict(Code.OFFLINE, where)


def _silence(findings: Findings) -> DoctorVerdict | None:
    """Judge sessions that were accepted without a sign of playing."""
    silent = [each for each in findings.ways if _is_silent(each)]
    links = [each.link for each in silent if each.link]
    if not links:
        return None
    for each in findings.ways:
        if each.failure and each.failure.code in _OWN_PORTS:
            return _verdict_of(each.failure, findings)
    if refused := next((each for each in links if each.refusal), None):
        code = Code.UDP_PORT_CLOSED if refused.is_port_closed else Code.SEND_BLOCKED
        return DoctorVerdict(code, refused.refusal or "")
    is_heard = any(_is_heard(each) for each in links)
    strangers = [address for each in links for address in each.strangers]
    if strangers and not is_heard:
        return DoctorVerdict(Code.OTHER_ADDRESS, ", ".join(dict.fromkeys(strangers)))
    by_clock = [each.link for each in silent if each.link and _PTP in each.way]
    has_no_clock = bool(by_clock) and not any(each.ptp_messages for each in by_clock)
    if has_no_clock and (is_heard or len(by_clock) == len(links)):
        return DoctorVerdict(Code.PTP_BLOCKED)
    return DoctorVerdict(Code.SILENT if is_heard else Code.UDP_BLOCKED)


def _is_silent(way: WayFinding) -> bool:
    return way.failure is not None and way.failure.code == "silent"


def _is_heard(link: LinkFinding) -> bool:
    """Whether any UDP packet came from the receiver."""
    return bool(link.udp_from or link.gaps_noticed or link.ptp_messages)


def _failure(findings: Findings) -> DoctorVerdict:
    """Judge the most telling error of all ways."""
    if findings.failure is None:
        return DoctorVerdict(Code.FAILED)
    return _verdict_of(findings.failure, findings)


def _verdict_of(failure: DoctorFailure, findings: Findings) -> DoctorVerdict:
    detail = " ".join(
        each for each in (failure.request, str(failure.status or "")) if each
    )
    if failure.code == "unreachable":
        return _lost(failure, findings)
    code = _ERRORS.get(failure.code, Code.FAILED)
    if code is Code.PTP_PORTS_TAKEN and findings.ptp_ports:
        detail = findings.ptp_ports
    elif code is Code.SLOW or not detail:
        detail = failure.text
    return DoctorVerdict(code, detail)


def _lost(failure: DoctorFailure, findings: Findings) -> DoctorVerdict:
    """Judge a connection that did not come about, or has ended."""
    if failure.request and failure.is_unanswered:
        return DoctorVerdict(Code.MUTE, failure.request)
    if failure.request:
        return DoctorVerdict(Code.HANGS_UP, failure.request)
    closed = [each for each in findings.doors if each.state is not DoorState.OPEN]
    where = ", ".join(f"{_host(each.address)}:{each.port}" for each in closed)
    if any(each.state is DoorState.REFUSED for each in closed):
        return DoctorVerdict(Code.PORT_CLOSED, where)
    if closed:
        return DoctorVerdict(Code.TCP_BLOCKED, where)
    return DoctorVerdict(Code.HANGS_UP, failure.text)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
