"""Facts that are read from the records of real receivers."""

import pytest

from custom_components.airplay.raop.obstacle import Obstacle
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_lanes import LaneKind

from .records import AIRPLAY, KNOWN, RAOP, Known, raop


@pytest.mark.parametrize(
    "known", [pytest.param(known, id=name) for name, known in KNOWN]
)
def test_record_of_a_known_receiver_is_read_as_it_is_meant(known: Known) -> None:
    service = known.service()
    found = merge(service, None) if known.is_raop else merge(None, service)
    takes = {
        "text": found.takes_text,
        "artwork": found.takes_artwork,
        "progress": found.takes_progress,
    }

    read = {
        "codec": found.codec,
        "encrypts": found.encrypts,
        "auth_setup": found.needs_auth_setup,
        "password": found.needs_password,
        "pairing": found.needs_pairing,
        "first_express": found.is_first_express,
        "shows": {kind for kind, taken in takes.items() if taken},
        "obstacle": found.obstacle,
        "lanes": found.lanes,
        "manufacturer": found.manufacturer,
        "firmware": found.firmware,
    }
    meant = {name: getattr(known, name) for name in read}
    assert read == meant | {"lanes": () if known.obstacle else known.lanes}


def test_known_receivers_with_records_of_both_kinds_stay_known() -> None:
    found = merge(RAOP["Apple TV 3"].service(), AIRPLAY["Apple TV 3"].service())

    assert found.needs_password
    assert found.lanes == (LaneKind.RAOP,)


UXPLAY = "am=AppleTV3,2 vs=220.68 et=0,3,5 ft=0x527FFEE6,0x0 cn=0,1,2,3 tp=UDP sf=0x4"
APPLE_TV_3 = (
    "am=AppleTV3,2 vs=220.68 et=0,3,5 ft=0x5A7FFFF7,0xE cn=0,1,2,3 tp=UDP sf=0x44"
)


@pytest.mark.parametrize(
    ("txt", "obstacle"),
    [
        (UXPLAY, Obstacle.MIRRORING_ONLY),
        (UXPLAY.replace("0x527FFEE6", "0x5A7FFEF7"), Obstacle.MIRRORING_ONLY),
        (UXPLAY.replace("TV3,2", "TV2,1"), Obstacle.MIRRORING_ONLY),
        (APPLE_TV_3.replace("TV3,2", "TV2,1"), Obstacle.MIRRORING_ONLY),
        (APPLE_TV_3, None),
        (APPLE_TV_3.replace("0x5A7FFFF7,0xE", "0x5A7FFFF7,0x1E"), None),
        (APPLE_TV_3.replace("ft=0x5A7FFFF7,0xE ", ""), None),
        ("am=AppleTV2,1 vs=130.14 et=0,3,5 cn=0,1,2,3 tp=UDP sf=0x4", None),
        ("am=AppleTV5,3 vs=366.75.2 et=0,3,5 ft=0x5A7FFFF7,0x155FDE tp=UDP", None),
        # A dongle that says what it is, and plays.
        ("rmodel=EZAir1,1 " + UXPLAY.replace("0x527FFEE6,0x0", "0x0A7FCE40"), None),
    ],
)
def test_a_screen_that_claims_to_be_an_apple_tv_is_only_for_mirroring(
    txt: str, obstacle: Obstacle | None
) -> None:
    found = merge(raop(txt), None)

    assert found.obstacle == obstacle
    assert bool(found.lanes) == (obstacle is None)


def test_a_model_that_is_told_apart_from_the_claimed_one_counts() -> None:
    dongle = merge(raop("am=AppleTV3,2 rmodel=EZAir1,1"), None)

    assert dongle.model == "EZAir1,1"
    assert dongle.manufacturer is None


@pytest.mark.parametrize(
    ("model", "is_bridge"),
    [("aircast", True), ("AirUPnP", True), ("ShairportSync", False), ("", False)],
)
def test_a_bridge_is_known_by_its_model(model: str, is_bridge: bool) -> None:
    assert merge(raop(f"am={model}"), None).is_bridge == is_bridge
