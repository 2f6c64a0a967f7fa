"""Pairing for one connection, against an independent receiver."""

from collections.abc import Callable

import pytest

from custom_components.airplay.raop.auth.pair_setup import ask_setup, transient_setup
from custom_components.airplay.raop.errors import (
    AuthenticationError,
    PairingRefusedError,
    PairingRequiredError,
    RaopError,
    ReceiverBusyError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    TooManyTriesError,
)
from custom_components.airplay.raop.wire.handshake import Handshake
from custom_components.airplay.raop.wire.rtsp import Request, Response
from tests.raop.session.talk import answer, fail, header, talk
from tests.raop.vectors import octets
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.network.rtsp import Request as Asked
from tests.virtual_receiver.pairing import Gate, Visitor

PRIVATE = int.from_bytes(octets("srp_hap_3939", "a"))


def converse[T](steps: Handshake[T], visitor: Visitor) -> T:
    """Have a receiver answer until the handshake ends."""
    request = next(steps)
    try:
        while True:
            request = steps.send(answered(visitor, request))
    except StopIteration as done:
        result: T = done.value
        return result


def answered(visitor: Visitor, request: Request) -> Response:
    """Ask a receiver without any socket."""
    asked = Asked(request.method, request.uri, dict(request.headers), request.body)
    response = visitor.stop(asked)
    assert response
    return Response(response.status, "", {}, response.body)


def visitor(code: str = "3939", **quirks: int) -> Visitor:
    gate = Gate("home_kit", code, takes_transient=True)
    return gate.visit(Quirks(**quirks))  # type: ignore[arg-type]


def test_both_agree_on_the_key() -> None:
    receiver = visitor()

    key = converse(transient_setup(PRIVATE), receiver)

    assert key == receiver.secret
    assert len(key) == 64


def test_device_password_is_the_secret() -> None:
    receiver = visitor("open sesame")

    assert converse(transient_setup(PRIVATE, "open sesame"), receiver)


def test_wrong_secret_is_reported_inside_an_answer_of_200() -> None:
    with pytest.raises(AuthenticationError) as caught:
        converse(transient_setup(PRIVATE), visitor("1234"))

    assert type(caught.value) is AuthenticationError


def test_receiver_that_accepts_only_a_pin_is_reported() -> None:
    gate = Gate("home_kit", "1234")

    with pytest.raises(PairingRequiredError):
        converse(transient_setup(PRIVATE), gate.visit(Quirks()))


def test_published_messages() -> None:
    offer = answer(body=bytes.fromhex("060102") + _long(2, "salt") + _long(3, "B"))
    agreed = answer(body=bytes.fromhex("060104") + _long(4, "M2"))

    asked, key = talk(transient_setup(PRIVATE), offer, agreed)

    assert [request.uri for request in asked] == ["/pair-setup"] * 2
    assert header(asked[0], "X-Apple-HKP") == "4"
    assert _long(3, "A") in asked[1].body
    assert _long(4, "M1") in asked[1].body
    assert key == octets("srp_hap_3939", "K")


def _long(tag: int, name: str) -> bytes:
    value = octets("srp_hap_3939", name)
    parts = [value[at : at + 255] for at in range(0, len(value), 255)]
    return b"".join(bytes((tag, len(part))) + part for part in parts)


@pytest.mark.parametrize("steps", [lambda: transient_setup(PRIVATE), ask_setup])
@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(body=bytes.fromhex("060102070101")), ReceiverRefusedError),
        (answer(body=bytes.fromhex("060102070102")), AuthenticationError),
        (answer(body=bytes.fromhex("060102070103")), TooManyTriesError),
        (answer(body=bytes.fromhex("060102070104")), PairingRefusedError),
        (answer(body=bytes.fromhex("060102070105")), TooManyTriesError),
        (answer(body=bytes.fromhex("060102070106")), ReceiverBusyError),
        (answer(body=bytes.fromhex("060102070107")), ReceiverBusyError),
        (answer(body=bytes.fromhex("060102070109")), ReceiverRefusedError),
        (answer(body=bytes.fromhex("060104")), ReceiverProtocolError),
        (answer(body=bytes.fromhex("060102020101")), ReceiverProtocolError),
        (answer(body=b"bplist00"), ReceiverProtocolError),
        (answer(body=b""), ReceiverProtocolError),
        (answer(470), PairingRequiredError),
        (answer(403), PairingRequiredError),
        (answer(404), ReceiverRefusedError),
    ],
)
def test_refusals(
    steps: Callable[[], Handshake[object]], response: Response, error: type[RaopError]
) -> None:
    fail(error, steps(), response)


def test_receiver_reports_how_long_to_wait() -> None:
    steps = ask_setup()
    next(steps)

    with pytest.raises(TooManyTriesError) as caught:
        steps.send(answer(body=bytes.fromhex("06010207010308022c01")))

    assert caught.value.retry_s == 300


def test_asking_leaves_no_trace_but_the_question() -> None:
    receiver = visitor("1234")

    assert converse(ask_setup(), receiver) is None
    assert not receiver.may_play


def test_pause_and_the_end_of_tries_are_reported_before_any_code() -> None:
    gate = Gate("home_kit", "1234", wrong=3)

    with pytest.raises(TooManyTriesError) as caught:
        converse(ask_setup(), gate.visit(Quirks(back_off_after=3, back_off_s=40)))
    assert caught.value.retry_s == 40
    with pytest.raises(TooManyTriesError) as caught:
        converse(ask_setup(), gate.visit(Quirks(max_wrong_codes=3)))
    assert caught.value.retry_s is None
