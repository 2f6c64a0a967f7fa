"""The ways to play to a receiver, and their order."""

from dataclasses import replace

import pytest

from custom_components.airplay.raop.errors import UnsupportedReceiverError
from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_lanes import (
    AIRPLAY2,
    AIRPLAY2_NTP,
    LaneKind,
)
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.session.climbing.way import Way, WayClock
from custom_components.airplay.raop.session.ways import Access, Outcome, ways_of

SDK = "0x445F8A00,0x1C340"
SOFTWARE = "0xC05F8A00,0x1C340"
TELEVISION = "0x7F8AD0,0x38BCB46"
APPLE = "0x4A7FCA00,0x3C354BD0"


def receiver(raop: str | None, airplay: str | None = None) -> Receiver:
    """Return a receiver with two records, each as words `key=value`."""

    def service(name: str, port: int, words: str | None) -> Service | None:
        if words is None:
            return None
        pairs = [each.partition("=") for each in words.split(";") if each]
        return Service(name, "10.0.0.2", port, {key: value for key, _, value in pairs})

    return merge(service("0A0B0C0D0E01@Den", 5000, raop), service("Den", 7000, airplay))


def texts(of: Receiver, access: Access | None = None) -> list[str]:
    """Return the ways that are tried anyway, without their logins."""
    rungs = ways_of(of, access or Access())
    return [f"{each.way.lane} {each.way.clock}" for each in rungs if not each.after]


RAOP = "raop ntp"
BUFFERED = "airplay2-buffered ptp-lead"
REALTIME = "airplay2-realtime ptp-lead"
FOLLOWING = "airplay2-realtime ptp-follow"


@pytest.mark.parametrize(
    ("raop", "airplay", "ways"),
    [
        # Software of other makers with Apple's chip.
        (
            "et=0,4;vs=366.0",
            f"manufacturer=Sonos;model=Bookshelf;fv=p20.72;features={SDK};srcvers=366.0",
            [RAOP, BUFFERED, REALTIME],
        ),
        # The same without the chip: RAOP is refused or silent.
        (
            "et=0",
            f"fv=p20.2.4.9;features={SOFTWARE};srcvers=366.0",
            [BUFFERED, REALTIME, RAOP],
        ),
        (
            "et=0;am=JBL BAR 1300",
            f"features={SDK};srcvers=366.0",
            [BUFFERED, REALTIME, RAOP],
        ),
        ("et=0,4", f"manufacturer=Samsung;features={SDK}", [BUFFERED, REALTIME, RAOP]),
        (
            "et=0,4",
            f"manufacturer=Sonos;model=Era 100;features={SDK};srcvers=366.0",
            [BUFFERED, REALTIME, RAOP],
        ),
        # LinkPlay.
        (
            "et=0,4",
            f"manufacturer=Linkplay Technology Inc.;features={SDK};srcvers=366.0",
            [BUFFERED, RAOP, REALTIME],
        ),
        ("et=0,4", f"fv=p20.Linkplay.4.6;features={SDK}", [BUFFERED, RAOP, REALTIME]),
        # A television: by PTP, and by NTP if that is silent.
        (
            None,
            f"manufacturer=LG;srcvers=377.25.06;features={TELEVISION}",
            [REALTIME, BUFFERED],
        ),
        # shairport-sync: realtime is proven, buffered depends on its version.
        (
            "et=0,1;am=ShairportSync",
            "model=ShairportSync;srcvers=366.0;features=0x405C4A00,0x1C340",
            [RAOP, REALTIME, BUFFERED],
        ),
        # Apple's: never buffered; from 27 on RAOP last, or not at all.
        (
            "et=0,3,5;am=AppleTV5,3",
            f"model=AppleTV5,3;srcvers=940.1;features={APPLE}",
            [RAOP, REALTIME],
        ),
        (
            "et=0,3,5;am=AppleTV14,1",
            f"model=AppleTV14,1;srcvers=980.7;features={APPLE}",
            [REALTIME, RAOP],
        ),
        (
            "et=0,3,5;am=AudioAccessory5,1",
            f"model=AudioAccessory5,1;osvers=27.0;igl=1;features={APPLE}",
            [FOLLOWING],
        ),
        ("et=0,1;am=Xbmc,1", None, [RAOP]),
    ],
)
def test_the_order_of_lanes_follows_the_kind_of_software(
    raop: str | None, airplay: str | None, ways: list[str]
) -> None:
    assert texts(receiver(raop, airplay)) == ways


def test_a_module_of_link_play_gets_a_deep_realtime_stream() -> None:
    of = receiver("et=0,4", f"fv=p20.4.8;features={SDK}")

    depths = {each.way.lane: each.way.depth_ms for each in ways_of(of, Access())}

    assert depths == {
        LaneKind.AIRPLAY2_BUFFERED: 0,
        LaneKind.RAOP: 0,
        LaneKind.AIRPLAY2_REALTIME: 2500,
    }


def variants(of: Receiver, access: Access) -> list[tuple[str, frozenset[Outcome]]]:
    """Return the ways of RAOP beside lane and clock, and after what they come."""
    rungs = [each for each in ways_of(of, access) if each.way.lane is LaneKind.RAOP]
    return [(str(each.way).removeprefix("raop ntp "), each.after) for each in rungs]


@pytest.mark.parametrize(
    ("raop", "has_keys", "expected"),
    [
        ("et=0", False, ["none", "none auth-setup"]),
        ("et=0,1", False, ["none", "none auth-setup", "none rsa"]),
        ("et=1", False, ["none rsa", "none auth-setup rsa"]),
        ("", False, ["none", "none auth-setup", "none rsa"]),
        ("et=0,4", False, ["none auth-setup", "none"]),
        ("et=0,3,5;am=AppleTV3,2", False, ["none", "none auth-setup"]),
        ("et=0,4", True, ["none auth-setup", "none", "keys"]),
        ("et=0;sf=0x204", True, ["keys", "none", "keys auth-setup"]),
        ("et=0,4;sf=0x204", True, ["keys auth-setup", "keys", "none"]),
    ],
)
def test_the_variants_of_raop_follow_the_record(
    raop: str, has_keys: bool, expected: list[str]
) -> None:
    found = variants(receiver(raop), Access(has_keys=has_keys))

    assert [text for text, _ in found] == expected
    assert [bool(after) for _, after in found] == [False] + [True] * (len(found) - 1)


def test_a_variant_of_raop_is_tried_after_what_speaks_for_it() -> None:
    licensed = dict(variants(receiver("et=0,4"), Access(has_keys=True)))
    unknown = dict(variants(receiver(""), Access()))

    assert licensed["none"] == {Outcome.REFUSED, Outcome.SILENT}
    assert licensed["keys"] == {Outcome.DENIED}
    assert unknown["none auth-setup"] == {Outcome.DENIED}
    assert unknown["none rsa"] == {Outcome.REFUSED}


@pytest.mark.parametrize(
    ("flags", "access", "logins"),
    [
        ("0x4", Access(), ["open"]),
        ("0x84", Access(has_password=True), ["password", "open"]),
        ("0x4", Access(has_home_keys=True), ["keys", "open"]),
        ("0x204", Access(has_home_keys=True), ["keys", "open"]),
        (
            "0x204",
            Access(has_home_keys=True, has_password=True),
            ["keys", "password", "open"],
        ),
        ("0x204", Access(has_keys=True), ["open"]),
    ],
)
def test_the_logins_of_airplay_2_follow_the_secrets(
    flags: str, access: Access, logins: list[str]
) -> None:
    of = receiver(None, f"flags={flags};features={TELEVISION};srcvers=377.1")

    rungs = [
        each for each in ways_of(of, access) if each.way.clock is WayClock.PTP_LEAD
    ]

    kinds = [each for each in rungs if each.way.lane is LaneKind.AIRPLAY2_REALTIME]
    assert [each.way.login for each in kinds] == logins
    assert not kinds[0].after
    assert all(Outcome.DENIED in each.after for each in kinds[1:])


def test_ntp_is_the_last_clock_of_realtime() -> None:
    television = receiver(None, f"features={TELEVISION};srcvers=377.1")
    features = "0x0A7FCA00,0x3C354BD0"
    apples = receiver(None, f"model=AppleTV5,3;srcvers=900.1;features={features}")

    def after(of: Receiver) -> frozenset[Outcome]:
        [rung] = [each for each in ways_of(of, Access()) if not each.way.is_ptp]
        assert rung.way.lane is LaneKind.AIRPLAY2_REALTIME
        assert not rung.shares_clock
        return rung.after

    assert after(television) >= {Outcome.NO_CLOCK, Outcome.SILENT, Outcome.REFUSED}
    # Apple's play nothing by NTP; it is for a machine whose PTP ports are taken.
    assert after(apples) == {Outcome.NO_CLOCK}


def test_a_receiver_without_ptp_gets_the_time_by_ntp_at_once() -> None:
    of = receiver(None, "features=0x005C4A00,0x1C140")

    assert texts(of) == ["airplay2-realtime ntp"]


@pytest.mark.parametrize(
    ("wanted", "ways"),
    [
        ("raop", [RAOP]),
        (AIRPLAY2, [BUFFERED, REALTIME]),
        (AIRPLAY2_NTP, ["airplay2-realtime ntp"]),
        ("airplay2-realtime", [REALTIME]),
        ("airplay2-buffered", [BUFFERED]),
    ],
)
def test_the_choice_of_the_user_wins(wanted: str, ways: list[str]) -> None:
    of = receiver("et=0,4", f"manufacturer=Denon;features={SDK};srcvers=366.0")

    assert texts(of, Access(wanted=wanted)) == ways


def test_a_chosen_lane_is_tried_even_if_no_record_announces_it() -> None:
    assert texts(receiver("et=0"), Access(wanted="airplay2-buffered")) == [BUFFERED]
    assert texts(receiver("et=0"), Access(wanted=AIRPLAY2)) == [
        "airplay2-realtime ptp-lead",
        BUFFERED,
    ]


def test_a_lane_that_does_not_exist_is_named_in_short() -> None:
    with pytest.raises(UnsupportedReceiverError, match="telepath") as caught:
        ways_of(receiver("et=0"), Access(wanted="telepathy" * 100))

    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("wanted", [None, "raop"])
def test_a_receiver_without_any_way_is_not_supported(wanted: str | None) -> None:
    of = receiver("tp=TCP")

    with pytest.raises(UnsupportedReceiverError, match="cannot play to it"):
        ways_of(of, Access(wanted=wanted))


def learned(text: str) -> Access:
    """Return what is known after a way has worked."""
    return Access(learned=Way.parse(text))


def test_what_worked_comes_first() -> None:
    of = receiver("et=0,4", f"manufacturer=Denon;features={SDK};srcvers=366.0")

    assert texts(of, learned("airplay2-realtime"))[0] == REALTIME
    assert texts(of, learned("airplay2-realtime ntp open"))[:2] == [
        "airplay2-realtime ntp",
        RAOP,
    ]
    details = "raop ntp none digest=1 depth=2250 lead=500 calm=3"
    first, second = ways_of(of, learned(details))[:2]
    assert str(first.way) == details
    assert not first.after
    assert second.way.uses_auth_setup
    rsa = ways_of(receiver(""), learned("raop ntp none rsa"))[0]
    assert rsa.way.encrypts
    assert not rsa.after


def logins(of: Receiver, worked: str, access: Access | None = None) -> list[str]:
    """Return the logins of the first lane after a way has worked."""
    ways = ways_of(of, replace(access or Access(), learned=Way.parse(worked)))
    lane, clock = ways[0].way.lane, ways[0].way.clock
    like = [each for each in ways if (each.way.lane, each.way.clock) == (lane, clock)]
    assert not like[0].after
    assert all(Outcome.DENIED in each.after for each in like[1:])
    return [str(each.way.login) for each in like]


def test_the_login_that_worked_comes_first_but_after_known_keys() -> None:
    of = receiver(None, f"manufacturer=Apple;features={APPLE};flags=0x4")
    locked = receiver(None, f"manufacturer=Apple;features={APPLE};flags=0x204")
    realtime = "airplay2-realtime ptp-lead"

    secret = Access(has_password=True)
    assert logins(of, f"{realtime} open", secret) == ["open", "password"]
    assert logins(of, f"{realtime} password", secret) == ["password", "open"]
    assert logins(of, realtime, secret) == ["password", "open"]
    # A password that is no longer there.
    assert logins(of, f"{realtime} password") == ["open"]
    keys = Access(has_keys=True, has_home_keys=True)
    assert logins(locked, f"{realtime} open", keys) == ["keys", "open"]
    assert logins(of, f"{realtime} open", keys) == ["keys", "open"]
    assert logins(of, f"{realtime} keys", keys) == ["keys", "open"]
    # Keys that are no longer there.
    assert logins(of, f"{realtime} keys", secret) == ["password", "open"]


def test_what_worked_and_is_no_longer_possible_changes_nothing() -> None:
    of = receiver("et=0")

    assert ways_of(of, learned("airplay2-buffered")) == ways_of(of, Access())
