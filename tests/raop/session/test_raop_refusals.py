"""Sessions that a receiver refuses, or answers with nonsense."""

from collections.abc import Callable

import pytest

from custom_components.airplay.raop.errors import (
    PairingRequiredError,
    RaopError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    UnsupportedReceiverError,
)
from custom_components.airplay.raop.messages import Tags
from custom_components.airplay.raop.session.raop import RaopPorts, RaopSession
from custom_components.airplay.raop.wire.handshake import Handshake

from .raop_session import OK, make_session, methods, opened_session, prepare
from .talk import answer, fail, talk

STATUSES: list[tuple[int, type[RaopError]]] = [
    (300, ReceiverRefusedError),
    (400, ReceiverRefusedError),
    (403, PairingRequiredError),
    (404, ReceiverRefusedError),
    (406, UnsupportedReceiverError),
    (415, UnsupportedReceiverError),
    (451, ReceiverRefusedError),
    (453, ReceiverBusyError),
    (455, ReceiverRefusedError),
    (456, ReceiverRefusedError),
    (470, PairingRequiredError),
    (500, ReceiverRefusedError),
    (501, ReceiverRefusedError),
    (503, ReceiverBusyError),
    (520, ReceiverRefusedError),
    (999, ReceiverRefusedError),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_refusal_of_setup_names_the_requirement_of_the_receiver(
    status: int, kind: type[RaopError]
) -> None:
    fail(kind, prepare(make_session()), OK, OK, answer(status))


@pytest.mark.parametrize(
    ("status", "kind"), [pair for pair in STATUSES if pair[0] != 403]
)
def test_refusal_of_announce_names_the_requirement_of_the_receiver(
    status: int, kind: type[RaopError]
) -> None:
    fail(kind, prepare(make_session()), OK, answer(status))


@pytest.mark.parametrize(("status", "kind"), STATUSES)
@pytest.mark.parametrize(
    "step",
    [
        lambda session: session.record(1, 2),
        lambda session: session.flush(1, 2),
        lambda session: session.volume(50, is_muted=False),
        lambda session: session.text(Tags(title="Song"), None, 0),
        lambda session: session.artwork("image/png", b"\x89PNG", 0),
        lambda session: session.progress(0, 0, 1),
    ],
    ids=["record", "flush", "volume", "text", "artwork", "progress"],
)
def test_every_later_request_may_be_refused(
    step: Callable[[RaopSession], Handshake[object]],
    status: int,
    kind: type[RaopError],
) -> None:
    fail(kind, step(opened_session()), answer(status))


@pytest.mark.parametrize("status", [403, 470])
def test_options_refused_means_a_pin(status: int) -> None:
    fail(PairingRequiredError, make_session().greet(), answer(status))


def test_the_refusal_names_the_step_and_the_status() -> None:
    fail(
        ReceiverRefusedError,
        prepare(make_session()),
        OK,
        answer(500),
        match="ANNOUNCE: the receiver answered 500",
    )


@pytest.mark.parametrize("status", [200, 404, 501])
def test_any_answer_to_keep_alive_and_teardown_is_accepted(status: int) -> None:
    session = opened_session()

    alive, _ = talk(session.keep_alive(), answer(status))
    ended, _ = talk(session.teardown(), answer(status))

    assert methods(alive) == ["OPTIONS *"]
    assert methods(ended) == ["TEARDOWN rtsp://192.168.1.10/1234567890"]


def test_a_setup_without_transport_is_a_polite_busy() -> None:
    fail(ReceiverBusyError, prepare(make_session()), OK, OK, OK)


@pytest.mark.parametrize(
    "transport",
    [
        "",
        "RTP/AVP/UDP;unicast;mode=record",
        "RTP/AVP/UDP;server_port=6000",
        "RTP/AVP/UDP;control_port=6001",
        "RTP/AVP/UDP;server_port=0;control_port=6001",
        "RTP/AVP/UDP;server_port=6000;control_port=0",
        "RTP/AVP/UDP;server_port=65536;control_port=6001",
        "RTP/AVP/UDP;server_port=-1;control_port=6001",
        "RTP/AVP/UDP;server_port=6000 ;control_port=٦٠٠١",
        "RTP/AVP/UDP;server_port=1e3;control_port=6001",
        ";;;=;==",
        "server_port=" + "9" * 5000,
    ],
)
def test_a_hostile_transport_is_a_breach_of_the_protocol(transport: str) -> None:
    fail(
        ReceiverProtocolError,
        prepare(make_session()),
        OK,
        OK,
        answer(Transport=transport),
    )


@pytest.mark.parametrize(
    ("transport", "named"),
    [
        ("RTP/AVP/UDP;server_port=6000", "no control_port.*server_port=6000"),
        ("RTP/AVP/UDP;control_port=6000", "no server_port.*control_port=6000"),
        ("server_port=70000;control_port=1", "server_port.*'70000'"),
    ],
)
def test_a_transport_without_a_port_is_named(transport: str, named: str) -> None:
    said = answer(Transport=transport)

    fail(ReceiverProtocolError, prepare(make_session()), OK, OK, said, match=named)


@pytest.mark.parametrize(
    "transport",
    [
        "server_port=6000;control_port=6001;timing_port=0;RTP/AVP/UDP",
        " rtp/avp/udp ; SERVER_PORT = 6000 ; Control_Port=6001 ; timing_port=x",
        'RTP/AVP/UDP;server_port="6000";control_port="6001"',
        "RTP/AVP/UDP;server_port=6000-6005;control_port=6001-6002",
        "RTP/AVP/UDP;server_port=6000-6001",
        "RTP/AVP/UDP;server_port=6000-6001;control_port=0",
    ],
)
def test_fields_of_the_transport_come_in_any_order_and_case(transport: str) -> None:
    _, ports = talk(prepare(make_session()), OK, OK, answer(Transport=transport))

    assert ports == RaopPorts(6000, 6001)
