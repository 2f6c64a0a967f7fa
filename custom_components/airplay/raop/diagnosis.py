"""What the doctor finds out about a receiver, and the codes of its verdicts."""

from dataclasses import dataclass, field
from enum import StrEnum


class DiagnosisCode(StrEnum):
    """The verdicts of the doctor, each with one sentence in `session/doctor/advice.py`."""

    OK = "ok"
    UNCONFIRMED = "unconfirmed"
    ONE_WAY = "one_way"
    POOR_LINK = "poor_link"
    NAME_UNKNOWN = "name_unknown"
    NO_ROUTE = "no_route"
    OFFLINE = "offline"
    TCP_BLOCKED = "tcp_blocked"
    PORT_CLOSED = "port_closed"
    WRONG_RECEIVER = "wrong_receiver"
    NOT_UNDERSTOOD = "not_understood"
    MUTE = "mute"
    SLOW = "slow"
    HANGS_UP = "hangs_up"
    IN_USE = "in_use"
    PASSWORD_REQUIRED = "password_required"  # noqa: S105
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    NEEDS_PAIRING = "needs_pairing"
    PAIRING_LOST = "pairing_lost"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    HOME_ONLY = "home_only"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"
    PTP_PORTS_TAKEN = "ptp_ports_taken"
    PTP_NOT_PERMITTED = "ptp_not_permitted"
    PTP_UNAVAILABLE = "ptp_unavailable"
    PTP_BLOCKED = "ptp_blocked"
    UDP_PORTS_TAKEN = "udp_ports_taken"
    SEND_BLOCKED = "send_blocked"
    UDP_BLOCKED = "udp_blocked"
    UDP_PORT_CLOSED = "udp_port_closed"
    OTHER_ADDRESS = "other_address"
    SILENT = "silent"
    FAILED = "failed"


class DoctorStep(StrEnum):
    """What the doctor is about to do."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    SESSION = "session"


class DoorState(StrEnum):
    """What came of a TCP connection to one port of an address."""

    OPEN = "open"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    NO_ROUTE = "no_route"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFinding:
    """A host name, and the addresses that the resolver returns for it; none if unknown."""

    name: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorFinding:
    """One port of one address, and how long the connection took if it is open."""

    address: str
    port: int
    state: DoorState
    connect_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFinding:
    """Figures of a session of `seconds_s`; None is what could not be measured.

    `round_trip_ms`, its jitter, and `tcp_repeats` are those of the control connection,
    `answer_ms` is how long the receiver took to answer a request on it. `lost` packets
    had to be sent again, of `packets`. `gaps` packets were left out on purpose, and
    `gaps_noticed` of them requested, which shows that UDP passes in both directions.
    `clock_offset_ms` is how far our clock is ahead of the receiver's, and
    `clock_spread_us` the jitter of its requests. `margin_ms` is how long before its
    instant the last packet was sent. `udp_from` are the addresses of the receiver from
    which UDP packets came, `strangers` other ones. `refusal` is why our own system does
    not send packets; `is_port_closed` if that is because the receiver does not listen.
    """

    seconds_s: float = 0.0
    is_proven: bool = False
    is_unconfirmed: bool = False
    packets: int = 0
    lost: int = 0
    gaps: int = 0
    gaps_noticed: int = 0
    timing_requests: int = 0
    round_trip_ms: float | None = None
    round_trip_jitter_ms: float | None = None
    tcp_repeats: int | None = None
    answer_ms: float | None = None
    clock_offset_ms: float | None = None
    clock_spread_us: int | None = None
    margin_ms: int = 0
    ptp_messages: int | None = None
    ptp_probes: int = 0
    udp_from: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    refusal: str | None = None
    is_port_closed: bool = False

    @property
    def lost_percent(self) -> float:
        """The share of packets that had to be sent again."""
        return 100.0 * self.lost / self.packets if self.packets else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorFailure:
    """An error of the core: its code, and the request and status that caused it.

    `is_unanswered`: the receiver did not answer that request, but stayed connected.
    """

    code: str
    text: str = ""
    request: str = ""
    status: int | None = None
    is_unanswered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WayFinding:
    """One way that was tried, as `Way` writes it; it has no failure if it works."""

    way: str
    failure: DoctorFailure | None = None
    link: LinkFinding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that the doctor has found out about one receiver.

    `is_host_up` is whether a device without an open port was seen at an address, None
    if that was not looked at. `ways` are those that were tried, in their order.
    `ptp_ports` is the program that uses them, if that is in the way and can be seen.
    `failure` is the most telling error if none of them works, and `is_running` says
    that the receiver plays for us, so that its session was measured instead.
    """

    receiver: str
    name: str
    model: str | None = None
    manufacturer: str | None = None
    firmware: str | None = None
    obstacle: str | None = None
    asks_time: bool = True
    names: tuple[NameFinding, ...] = ()
    addresses: tuple[str, ...] = ()
    doors: tuple[DoorFinding, ...] = ()
    is_host_up: bool | None = None
    is_running: bool = False
    is_informed: bool = False
    ways: tuple[WayFinding, ...] = ()
    failure: DoctorFailure | None = None
    ptp_ports: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisProgress:
    """The doctor begins a step; with `way` the session by that way."""

    diagnosis: str
    receiver: str
    step: DoctorStep
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosed:
    """The verdict of the doctor: one code, and one sentence with what to do.

    `detail` is what the sentence names: an address, a request with its status, a port.
    """

    diagnosis: str
    receiver: str
    code: DiagnosisCode
    sentence: str
    detail: str
    took_s: float
    findings: Findings
