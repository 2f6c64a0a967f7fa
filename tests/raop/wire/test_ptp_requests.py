"""PTP messages: the requests of receivers, and the answers."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.ptp import Header, MessageKind, PortIdentity
from custom_components.airplay.raop.wire.ptp_requests import (
    DelayRequest,
    DelayResponse,
    UnicastRequest,
    UnicastWish,
    delay_request,
    signaling,
)
from tests.raop.vectors import octets

OURS = PortIdentity(0xFFFF001122334455)
THEIRS = PortIdentity(0xAABBCCFFFEDDEEFF, 1)
RECEIVED_NS = 12_345_678_900_000
TARGET_BYTES = 10


def request(kind: MessageKind, sequence: int) -> bytes:
    """Return the delay request of a receiver that measures the path to us."""
    return Header(kind, THEIRS, sequence).build(bytes(10))


def test_the_answer_to_a_delay_request_carries_its_arrival() -> None:
    delay = DelayRequest.parse(request(MessageKind.DELAY_REQUEST, 9))

    assert not delay.is_to_peer
    assert delay.answer(OURS, RECEIVED_NS) == octets("ptp_delay_resp")


def test_a_peer_delay_request_is_answered_twice() -> None:
    delay = DelayRequest.parse(request(MessageKind.PEER_DELAY_REQUEST, 7))

    answered_ns = RECEIVED_NS + 50_000
    assert delay.is_to_peer
    assert delay.answer(OURS, RECEIVED_NS) == octets("ptp_pdelay_resp")
    assert delay.follow_up(OURS, answered_ns) == octets("ptp_pdelay_resp_follow_up")


def test_a_request_of_ours_has_the_profile_number_that_homepods_need() -> None:
    message = delay_request(OURS, 0x1_0203)

    assert message[0] == 0x11
    assert len(message) == 44
    assert DelayRequest.parse(message) == DelayRequest(OURS, 0x0203)


def test_the_answer_names_the_one_who_asked() -> None:
    asked = DelayRequest.parse(delay_request(OURS, 9))

    assert DelayResponse.parse(asked.answer(THEIRS, RECEIVED_NS)) == DelayResponse(
        THEIRS, 9, OURS
    )


@pytest.mark.parametrize("missing", [1, 10, 20])
def test_an_answer_that_is_cut_off_is_refused(missing: int) -> None:
    cut = Header(MessageKind.DELAY_RESPONSE, THEIRS, 9).build(bytes(20 - missing))

    with pytest.raises(ReceiverProtocolError, match="too short for its kind"):
        DelayResponse.parse(cut)


def test_unicast_requests_are_granted() -> None:
    asked = UnicastRequest.parse(octets("ptp_unicast_request"))

    assert asked.wishes == (
        UnicastWish(MessageKind.ANNOUNCE, 0, 300),
        UnicastWish(MessageKind.SYNC, -3, 300),
        UnicastWish(MessageKind.DELAY_RESPONSE, -3, 300),
    )
    assert asked.grant(OURS) == octets("ptp_unicast_grant")


def test_signaling_is_built_as_senders_send_it_and_asks_for_nothing() -> None:
    message = signaling(OURS, 3)

    assert message == octets("ptp_signaling")
    assert not UnicastRequest.parse(message).wishes


@pytest.mark.parametrize(
    "items",
    [
        pytest.param("000400", id="ends within the head of an item"),
        pytest.param("00040006b000", id="ends within an item"),
        pytest.param("00040004b0000000", id="has a wish that is too short"),
        pytest.param("00040006b0000000012c" * 17, id="wishes for more than there is"),
    ],
)
def test_malformed_signaling_is_refused(items: str) -> None:
    body = bytes(TARGET_BYTES) + bytes.fromhex(items)

    with pytest.raises(ReceiverProtocolError):
        UnicastRequest.parse(Header(MessageKind.SIGNALING, THEIRS, 1).build(body))


@given(st.binary(max_size=300), st.sampled_from(MessageKind))
def test_arbitrary_bytes_raise_nothing_else(noise: bytes, kind: MessageKind) -> None:
    for message in (noise, Header(kind, THEIRS, 1).build(noise)):
        for parse in (DelayRequest.parse, UnicastRequest.parse):
            try:
                parse(message)
            except ReceiverProtocolError:
                continue
