"""The stored credentials of a pairing."""

from pyatv.auth.hap_pairing import parse_credentials as parse_by_pyatv
import pytest

from custom_components.airplay.raop.auth.credentials import (
    HomeKitCredentials,
    LegacyCredentials,
    format_credentials,
    parse_credentials,
)
from custom_components.airplay.raop.errors import CredentialsRejectedError
from tests.raop.vectors import octets, word


def test_credentials_of_pyatv_are_read() -> None:
    home_kit = parse_credentials(word("credentials", "pyatv_hap"))
    legacy = parse_credentials(word("credentials", "pyatv_legacy"))

    assert home_kit == HomeKitCredentials(
        receiver_key=octets("hap_m6", "accessory_ltpk"),
        seed=octets("hap_m5", "client_ed25519_seed"),
        receiver_id=word("hap_m6", "accessory_id").encode(),
        client_id=word("hap_m5", "client_id").encode(),
    )
    assert legacy == LegacyCredentials(
        bytes.fromhex("a1b2c3d4e5f60718"), octets("hap_m5", "client_ed25519_seed")
    )
    written = f":{legacy.seed.hex()}::{legacy.client_id.hex()}"
    assert parse_credentials(written) == legacy
    for credentials in (home_kit, legacy):
        assert repr(credentials.seed) not in repr(credentials)


@pytest.mark.parametrize("text", ["", "x", "11:22", f"{'11' * 32}:22:33:44", "a:b:c"])
def test_unreadable_secrets_are_reported_without_their_value(text: str) -> None:
    with pytest.raises(CredentialsRejectedError) as caught:
        parse_credentials(text)

    assert str(caught.value) == "the stored pairing cannot be read"


@pytest.mark.parametrize("field", ["pyatv_hap", "pyatv_legacy"])
def test_credentials_are_written_as_pyatv_reads_them(field: str) -> None:
    known = parse_credentials(word("credentials", field))

    written = format_credentials(known)

    assert parse_credentials(written) == known
    assert str(parse_by_pyatv(written)) == written
