"""The recipients of each event of the sender process."""

from typing import get_args
from unittest.mock import Mock

from custom_components.airplay.raop.messages import Event
from custom_components.airplay.sender.sender import Sender


def test_each_type_of_event_has_one_route() -> None:
    routes = Sender._make_routes(Mock())

    assert routes.keys() == {*get_args(Event.__value__)}
