"""From findings to one cause."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.diagnosis import (
    DoctorFailure,
    DoorFinding,
    DoorState,
    Findings,
    LinkFinding,
    NameFinding,
    WayFinding,
)
from custom_components.airplay.raop.errors import RaopError
from custom_components.airplay.raop.session.doctor.verdict import verdict_of

RAOP, PTP = "raop ntp none", "airplay2-realtime ptp-lead open"
SILENT = DoctorFailure(code="silent", text="no sign that it plays")
HEARD = {"udp_from": ("10.0.0.2",), "timing_requests": 3}


def findings(*ways: WayFinding, **facts: object) -> Findings:
    """Return findings about a receiver whose port is open."""
    doors = (door(DoorState.OPEN),)
    known = {"receiver": "r", "name": "Den", "addresses": ("10.0.0.2",)}
    return Findings(**{"doors": doors, **known, "ways": ways, **facts})  # type: ignore[arg-type]


def door(state: DoorState, address: str = "10.0.0.2", port: int = 5000) -> DoorFinding:
    """Return a port."""
    return DoorFinding(address=address, port=port, state=state)


def plays(way: str = RAOP, **figures: object) -> WayFinding:
    """Return a way that works."""
    known = {"is_proven": True, "packets": 600, **HEARD}
    return WayFinding(way=way, link=LinkFinding(**{**known, **figures}))  # type: ignore[arg-type]


def silent(way: str = RAOP, **figures: object) -> WayFinding:
    """Return a way that shows no sign of playing."""
    known = {"packets": 400, "gaps": 4}
    link = LinkFinding(**{**known, **figures})  # type: ignore[arg-type]
    return WayFinding(way=way, failure=SILENT, link=link)


def failed(code: str, way: str = RAOP, **details: object) -> WayFinding:
    """Return a way that did not come about."""
    return WayFinding(way=way, failure=DoctorFailure(code=code, **details))  # type: ignore[arg-type]


def code_of(found: Findings) -> str:
    """Return the code of a verdict."""
    return str(verdict_of(found).code)


def test_a_way_that_plays_is_all_that_counts() -> None:
    found = findings(silent(), failed("refused"), plays(PTP))

    assert code_of(found) == "ok"


def test_a_receiver_that_shows_nothing_is_unconfirmed() -> None:
    assert code_of(findings(plays(is_unconfirmed=True))) == "unconfirmed"


def test_packets_that_nobody_misses_may_not_arrive() -> None:
    assert code_of(findings(plays(gaps=4))) == "one_way"
    assert code_of(findings(plays(gaps=4, gaps_noticed=1))) == "ok"
    # By TCP nothing is left out.
    assert code_of(findings(plays(gaps=4), plays(PTP))) == "ok"


@pytest.mark.parametrize(
    ("lost", "packets", "code"),
    [(61, 600, "poor_link"), (60, 600, "ok"), (30, 99, "ok"), (0, 0, "ok")],
)
def test_loss_counts_from_a_tenth_on(lost: int, packets: int, code: str) -> None:
    found = verdict_of(findings(plays(lost=lost, packets=packets)))

    assert found.code == code
    assert found.detail == ("10 %" if lost == 61 else "")


def test_the_best_way_counts() -> None:
    assert code_of(findings(plays(lost=300), plays(PTP))) == "ok"


@pytest.mark.parametrize(
    ("states", "is_up", "code"),
    [
        ("no_answer", False, "offline"),
        ("no_answer", True, "tcp_blocked"),
        ("refused", None, "port_closed"),
        ("no_route", False, "no_route"),
        ("no_route no_answer", False, "offline"),
        ("no_answer refused", False, "port_closed"),
    ],
)
def test_ports_that_are_not_open_are_the_cause(
    states: str, is_up: bool | None, code: str
) -> None:
    doors = tuple(
        door(DoorState(each), f"fe80::{at}") for at, each in enumerate(states.split())
    )

    found = verdict_of(findings(doors=doors, is_host_up=is_up))

    assert found.code == code
    assert found.detail.startswith("[fe80::0]:5000")


def test_an_obstacle_comes_before_the_network() -> None:
    shut = (door(DoorState.REFUSED),)

    assert code_of(findings(obstacle="home_only", doors=shut)) == "home_only"
    found = verdict_of(findings(obstacle="no_audio", doors=shut))
    assert (found.code, found.detail) == ("unsupported", "no_audio")
    assert code_of(findings(plays(), obstacle="no_audio")) == "ok"
    refused = failed("pairing_required")
    assert code_of(findings(refused, obstacle="tcp_only", failure=refused.failure)) == (
        "needs_pairing"
    )


def test_a_name_without_an_address_is_the_cause() -> None:
    found = verdict_of(findings(names=(NameFinding(name="den.local"),), doors=()))

    assert (found.code, found.detail) == ("name_unknown", "den.local")
    known = NameFinding(name="den.local", addresses=("10.0.0.2",))
    assert code_of(findings(plays(), names=(known,))) == "ok"


@pytest.mark.parametrize(
    ("ways", "code"),
    [
        ([silent()], "udp_blocked"),
        ([silent(gaps_noticed=1)], "silent"),
        ([silent(udp_from=("10.0.0.2",))], "silent"),
        ([silent(strangers=("10.0.0.9",))], "other_address"),
        ([silent(strangers=("10.0.0.9",), gaps_noticed=4)], "silent"),
        ([silent(PTP, ptp_messages=0)], "ptp_blocked"),
        ([silent(PTP, ptp_messages=0, gaps_noticed=4)], "ptp_blocked"),
        ([silent(PTP, ptp_messages=5)], "silent"),
        ([silent(), silent(PTP, ptp_messages=0)], "udp_blocked"),
        ([silent(gaps_noticed=4), silent(PTP, ptp_messages=0)], "ptp_blocked"),
        ([silent(refusal="Operation not permitted")], "send_blocked"),
        ([silent(refusal="Refused", is_port_closed=True)], "udp_port_closed"),
        ([silent(), failed("ptp_ports_taken", PTP)], "ptp_ports_taken"),
        ([silent(), failed("ptp_not_permitted", PTP)], "ptp_not_permitted"),
        ([silent(), failed("refused", PTP)], "udp_blocked"),
    ],
)
def test_a_silent_session_is_explained_by_what_arrives(
    ways: list[WayFinding], code: str
) -> None:
    assert code_of(findings(*ways, failure=SILENT)) == code


def test_the_program_that_uses_the_ports_of_the_clock_is_named() -> None:
    taken = failed("ptp_ports_taken", PTP, text="UDP ports 319 and 320")
    by_one = findings(taken, failure=taken.failure, ptp_ports="ptp4l (12)")

    assert verdict_of(by_one).detail == "ptp4l (12)"
    assert verdict_of(findings(silent(), taken)).detail == "UDP ports 319 and 320"


@pytest.mark.parametrize(
    ("failure", "code", "detail"),
    [
        (
            DoctorFailure(code="refused", request="SETUP", status=500),
            "refused",
            "SETUP 500",
        ),
        (DoctorFailure(code="unsupported", text="why"), "unsupported", "why"),
        (
            DoctorFailure(code="too_slow", text="SETUP 9 s", request="X"),
            "slow",
            "SETUP 9 s",
        ),
        (
            DoctorFailure(code="unreachable", request="SETUP", is_unanswered=True),
            "mute",
            "SETUP",
        ),
        (DoctorFailure(code="unreachable", request="SETUP"), "hangs_up", "SETUP"),
        (DoctorFailure(code="unreachable", text="broke"), "hangs_up", "broke"),
        (DoctorFailure(code="something", text="new"), "failed", "new"),
        (None, "failed", ""),
    ],
)
def test_an_error_is_explained_by_its_request(
    failure: DoctorFailure | None, code: str, detail: str
) -> None:
    found = verdict_of(findings(failure=failure))

    assert (found.code, found.detail) == (code, detail)


@pytest.mark.parametrize(
    ("state", "code"), [("refused", "port_closed"), ("no_answer", "tcp_blocked")]
)
def test_a_second_port_that_is_not_open_explains_a_connection_that_fails(
    state: str, code: str
) -> None:
    doors = (door(DoorState.OPEN), door(DoorState(state), port=7000))
    failure = DoctorFailure(code="unreachable", text="10.0.0.2 port 7000: no")

    found = verdict_of(findings(doors=doors, failure=failure))

    assert (found.code, found.detail) == (code, "10.0.0.2:7000")


def all_errors(kind: type[RaopError]) -> set[str]:
    """Return the codes of a kind of error and all below it."""
    return {kind.code}.union(*(all_errors(each) for each in kind.__subclasses__()))


def test_each_error_of_a_receiver_has_a_verdict_of_its_own() -> None:
    elsewhere = (
        "media",
        "link_",
        "no_stream",
        "stopped",
        "superseded",
        "sender",
        "failed",
        "bad_message",
        "check_interrupted",
    )
    codes = [each for each in all_errors(RaopError) if not each.startswith(elsewhere)]

    for each in codes:
        found = findings(silent(), failed(each), failure=DoctorFailure(code=each))
        if each != "silent":
            found = findings(failed(each), failure=DoctorFailure(code=each))
        assert code_of(found) != "failed", each


def whole[T](kind: type[T]) -> st.SearchStrategy[T]:
    """Draw every field."""
    return st.from_type(kind)


@given(whole(Findings))
def test_whatever_is_found_leads_to_one_verdict(found: Findings) -> None:
    assert verdict_of(found).code
