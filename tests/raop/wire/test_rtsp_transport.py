"""The Transport header of RTSP: its fields and ports."""

from contextlib import suppress

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.rtsp import (
    parse_transport,
    transport_port,
    transport_ports,
)


def test_transport_is_read_in_any_order_and_case() -> None:
    fields = parse_transport(
        "RTP/AVP/UDP;unicast; Timing_Port=58110;mode=record;SERVER_PORT = 50501"
    )

    assert (fields["timing_port"], fields["server_port"]) == ("58110", "50501")


@pytest.mark.parametrize(
    "value",
    [
        'RTP/AVP/UDP;server_port="6000";control_port="6001"',
        'RTP/AVP/UDP; server_port = " 6000 " ; control_port = 6001 ;',
        "server_port=6000-6001;control_port=6001-6002",
        'RTP/AVP/UDP;destination="a;b,c";server_port=6000;control_port=6001',
        "RTP/AVP/UDP;server_port=6000;control_port=6001,RTP/AVP/TCP;server_port=1",
        "RTP/AVP/UDP;server_port=6000;control_port=6001, RTP/AVP/UDP;server_port=6000",
    ],
)
def test_transport_is_read_with_quotes_ranges_and_alternatives(value: str) -> None:
    fields = parse_transport(value)

    assert transport_port(fields, "server_port") == 6000
    assert transport_port(fields, "control_port") == 6001


def test_a_range_of_a_transport_has_two_ports() -> None:
    fields = parse_transport("server_port=6000 - 6001;control_port=7000")

    assert transport_ports(fields, "server_port") == (6000, 6001)
    assert transport_ports(fields, "control_port") == (7000,)
    assert transport_ports(fields, "timing_port") == ()


def test_transport_keeps_fields_without_a_value() -> None:
    assert parse_transport("RTP/AVP/UDP;unicast") == {"rtp/avp/udp": "", "unicast": ""}


@pytest.mark.parametrize(("text", "port"), [("0", 0), ("65535", 65535), ("06", 6)])
def test_ports_of_a_transport_are_numbers(text: str, port: int) -> None:
    assert transport_port({"server_port": text}, "server_port") == port


def test_a_port_that_is_not_named_is_none() -> None:
    assert transport_port({}, "timing_port") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "65536",
        "-1",
        "+1",
        "6000-",
        "6000-65536",
        "-6000",
        "6000 6001",
        "٣",
        "999999",
    ],
)
def test_anything_but_a_port_is_refused(text: str) -> None:
    with pytest.raises(ReceiverProtocolError, match="server_port"):
        transport_port({"server_port": text}, "server_port")


@given(st.text())
def test_arbitrary_transports_raise_nothing_but_protocol_errors(value: str) -> None:
    fields = parse_transport(value)
    for key in fields:
        with suppress(ReceiverProtocolError):
            transport_port(fields, key)
