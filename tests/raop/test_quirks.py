"""Facts that are read from the records of real receivers."""

import pytest

from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_lanes import LaneKind

from .records import AIRPLAY, KNOWN, RAOP, Known


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
