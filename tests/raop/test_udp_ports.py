"""A range of UDP ports, as users write it."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.messages import decode_command, encode_command
from custom_components.airplay.raop.udp_ports import (
    LimitUdpPorts,
    PortRange,
    needed_ports,
)


@pytest.mark.parametrize(
    "text", ["6001-6100", " 6001 - 6100 ", "06001-6100", "6001\u20136100"]
)
def test_a_range_is_two_numbers(text: str) -> None:
    ports = PortRange.parse(text)

    assert ports == PortRange(6001, 6100)
    assert str(ports) == "6001-6100"
    assert ports.size == 100


@pytest.mark.parametrize(
    "text",
    [
        "",
        "6001",
        "6001-",
        "-6001-6100",
        "6001-6100-6200",
        "6001,6100",
        "6100-6001",
        "1023-1100",
        "0-0",
        "6001-65536",
        "6001-99999999999",
        "٦٠٠١-٦١٠٠",
        "a-b",
    ],
)
def test_anything_else_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValueError, match="1024 to 65535") as caught:
        PortRange.parse(text)

    assert repr(text) in str(caught.value)


@given(st.text())
def test_any_text_is_a_range_or_an_error(text: str) -> None:
    try:
        ports = PortRange.parse(text)
    except ValueError:
        return
    assert PortRange.parse(str(ports)) == ports


def test_a_range_has_room_for_two_sessions_of_each_receiver() -> None:
    assert needed_ports(0) == needed_ports(10) == 64
    assert needed_ports(20) == 120


def test_a_command_carries_a_range_or_none() -> None:
    for command in (LimitUdpPorts(first=6001, last=6100), LimitUdpPorts()):
        assert decode_command(encode_command(1, command)) == (1, command)

    assert LimitUdpPorts(first=6001, last=6100).ports == PortRange(6001, 6100)
    assert LimitUdpPorts().ports is None
