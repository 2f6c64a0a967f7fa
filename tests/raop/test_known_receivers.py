"""What is read from the records of real receivers."""

import pytest

from custom_components.airplay.raop.receiver import Lane, Receiver, merge

from .records import AIRPLAY, KNOWN, RAOP, Known

EACH_KNOWN = pytest.mark.parametrize(
    "known", [pytest.param(known, id=name) for name, known in KNOWN]
)


def receiver(known: Known) -> Receiver:
    service = known.service()
    return merge(service, None) if known.is_raop else merge(None, service)


@EACH_KNOWN
def test_codec_of_known_receivers(known: Known) -> None:
    assert receiver(known).codec is known.codec


@EACH_KNOWN
def test_encryption_of_known_receivers(known: Known) -> None:
    assert receiver(known).encrypts is known.encrypts


@EACH_KNOWN
def test_auth_setup_of_known_receivers(known: Known) -> None:
    assert receiver(known).needs_auth_setup is known.auth_setup


@EACH_KNOWN
def test_password_of_known_receivers(known: Known) -> None:
    assert receiver(known).needs_password is known.password


@EACH_KNOWN
def test_pairing_of_known_receivers(known: Known) -> None:
    assert receiver(known).needs_pairing is known.pairing


@EACH_KNOWN
def test_first_express_among_known_receivers(known: Known) -> None:
    assert receiver(known).is_first_express is known.first_express


@EACH_KNOWN
def test_metadata_of_known_receivers(known: Known) -> None:
    found = receiver(known)
    takes = {
        "text": found.takes_text,
        "artwork": found.takes_artwork,
        "progress": found.takes_progress,
    }

    assert {kind for kind, taken in takes.items() if taken} == known.shows


@EACH_KNOWN
def test_obstacle_of_known_receivers(known: Known) -> None:
    assert receiver(known).obstacle is known.obstacle


@EACH_KNOWN
def test_lanes_of_known_receivers(known: Known) -> None:
    expected = () if known.obstacle else known.lanes

    assert receiver(known).lanes == expected


@EACH_KNOWN
def test_maker_of_known_receivers(known: Known) -> None:
    assert receiver(known).manufacturer == known.manufacturer


@EACH_KNOWN
def test_firmware_of_known_receivers(known: Known) -> None:
    assert receiver(known).firmware == known.firmware


def test_known_receivers_with_records_of_both_kinds_stay_known() -> None:
    found = merge(RAOP["Apple TV 3"].service(), AIRPLAY["Apple TV 3"].service())

    assert found.needs_password
    assert found.lanes == (Lane.RAOP,)
