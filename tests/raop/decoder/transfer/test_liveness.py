"""The one rule for what follows the end of a transfer."""

import pytest

from custom_components.airplay.raop.decoder.transfer.liveness import (
    End,
    Then,
    Transfer,
    after,
)
from custom_components.airplay.raop.messages import MediaKind

SPEECH, RADIO, ANY = MediaKind


@pytest.mark.parametrize(
    ("transfer", "then"),
    [
        (Transfer(End.WHOLE), Then.OVER),
        (Transfer(End.WHOLE, is_missing=True), Then.OVER),
        (Transfer(End.WHOLE, is_radio=True), Then.ASK),
        (Transfer(End.WHOLE, SPEECH, is_radio=True), Then.OVER),
        (Transfer(End.WHOLE, RADIO), Then.RECONNECT),
        (Transfer(End.CLOSED), Then.ASK),
        (Transfer(End.CLOSED, SPEECH), Then.OVER),
        (Transfer(End.CLOSED, is_file=True), Then.OVER),
        (Transfer(End.CLOSED, is_missing=True, is_file=True), Then.RESUME),
        (Transfer(End.CLOSED, SPEECH, is_radio=True), Then.OVER),
        (Transfer(End.CLOSED, RADIO), Then.RECONNECT),
        (Transfer(End.CLOSED, is_radio=True), Then.RECONNECT),
        (Transfer(End.CLOSED, is_missing=False, is_radio=True), Then.OVER),
        (Transfer(End.CLOSED, SPEECH, is_missing=True), Then.RESUME),
        (Transfer(End.CLOSED, is_missing=True), Then.RESUME),
        (Transfer(End.BROKEN, SPEECH), Then.RECONNECT),
        (Transfer(End.BROKEN, is_missing=True), Then.RECONNECT),
        (Transfer(End.BROKEN, is_missing=False), Then.OVER),
        (Transfer(End.OTHER), Then.RECONNECT),
        (Transfer(End.FAILED, RADIO), Then.FAIL),
        (Transfer(End.WHOLE, is_missing=False, is_growing=True), Then.RECONNECT),
    ],
    ids=str,
)
def test_what_follows_the_end_of_a_transfer(transfer: Transfer, then: Then) -> None:
    assert after(transfer) is then
