"""HomeKit pair-setup, against published bytes and independent receivers."""

from collections.abc import Callable
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyatv.auth.hap_pairing import parse_credentials as parse_by_pyatv
from pyatv.auth.hap_tlv8 import read_tlv
from pyatv.support import opack
import pytest

from custom_components.airplay.raop.auth.credentials import format_credentials
from custom_components.airplay.raop.auth.keys import seal, unseal
from custom_components.airplay.raop.auth.pair_setup import (
    HomeKitSetup,
    Offer,
    transient_setup,
)
from custom_components.airplay.raop.auth.pair_verify import verify
from custom_components.airplay.raop.auth.pairing_client import PairingClient
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
from custom_components.airplay.raop.wire import tlv8
from custom_components.airplay.raop.wire.handshake import Handshake
from custom_components.airplay.raop.wire.rtsp import Request, Response
from custom_components.airplay.raop.wire.tlv8 import Tag
from tests.raop.session.talk import answer, fail, header, talk
from tests.raop.vectors import octets, word
from tests.virtual_receiver import Quirks
from tests.virtual_receiver.network.rtsp import Request as Asked
from tests.virtual_receiver.pairing import Gate, Visitor

from .pyatv_receiver import PyatvHomeKit, public_of

PRIVATE = int.from_bytes(octets("srp_hap_3939", "a"))
SEED = octets("hap_m5", "client_ed25519_seed")
SETUP = HomeKitSetup(PairingClient.named("Home", word("hap_m5", "client_id")))
PIN = "0427"


def hold[T](steps: Handshake[T], reply: Callable[[Request], Response]) -> T:
    """Have a receiver answer until the handshake ends."""
    request = next(steps)
    try:
        while True:
            request = steps.send(reply(request))
    except StopIteration as done:
        result: T = done.value
        return result


def converse[T](steps: Handshake[T], visitor: Visitor) -> T:
    """Have a virtual receiver answer until the handshake ends."""
    return hold(steps, partial(answered, visitor))


def answered(visitor: Visitor, request: Request) -> Response:
    """Ask a receiver without any socket."""
    headers = {name.lower(): value for name, value in request.headers}
    asked = Asked(request.method, request.uri, headers, request.body)
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
    assert asked[0].body == octets("tlv_m1_transient")
    assert _long(3, "A") in asked[1].body
    assert _long(4, "M1") in asked[1].body
    assert key == octets("srp_hap_3939", "K")


def _long(tag: int, name: str) -> bytes:
    value = octets("srp_hap_3939", name)
    parts = [value[at : at + 255] for at in range(0, len(value), 255)]
    return b"".join(bytes((tag, len(part))) + part for part in parts)


def asking() -> Handshake[Offer]:
    """Begin to pair by PIN, after the PIN is shown."""
    steps = SETUP.begin()
    next(steps)
    first = steps.send(answer())

    def rest() -> Handshake[Offer]:
        return (yield from _continued(first, steps))

    return rest()


def _continued[T](request: Request, steps: Handshake[T]) -> Handshake[T]:
    while True:
        response = yield request
        try:
            request = steps.send(response)
        except StopIteration as done:
            result: T = done.value
            return result


@pytest.mark.parametrize("steps", [lambda: transient_setup(PRIVATE), asking])
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
    steps = asking()
    next(steps)

    with pytest.raises(TooManyTriesError) as caught:
        steps.send(answer(body=bytes.fromhex("06010207010308022c01")))

    assert caught.value.retry_s == 300


def test_pause_and_the_end_of_tries_are_reported_before_any_code() -> None:
    gate = Gate("home_kit", "1234", wrong=3)

    with pytest.raises(TooManyTriesError) as caught:
        converse(SETUP.begin(), gate.visit(Quirks(back_off_after=3, back_off_s=40)))
    assert caught.value.retry_s == 40
    with pytest.raises(TooManyTriesError) as caught:
        converse(SETUP.begin(), gate.visit(Quirks(max_wrong_codes=3)))
    assert caught.value.retry_s is None


def published() -> tuple[Offer, bytes]:
    """Return the published offer, and the key of the messages M5 and M6."""
    offer = Offer(octets("srp_hap_3939", "salt"), octets("srp_hap_3939", "B"))
    return offer, octets("hkdf_from_srp_K", "pair_setup_encrypt")


def test_published_messages_of_a_pairing_by_pin() -> None:
    offer, key = published()
    agreed = answer(body=bytes.fromhex("060104") + _long(4, "M2"))
    kept = answer(body=octets("hap_m6", "m6"))

    asked, credentials = talk(SETUP.finish(offer, "3939", PRIVATE, SEED), agreed, kept)

    assert [request.uri for request in asked] == ["/pair-setup"] * 2
    assert _long(4, "M1") in asked[0].body
    sealed = tlv8.decode(asked[1].body)[Tag.ENCRYPTED_DATA]
    ours = tlv8.decode(unseal(key, "PS-Msg05", sealed))
    assert ours.pop(Tag.NAME) == opack.pack({"name": "Home"})
    assert ours == tlv8.decode(octets("hap_m5", "sub_tlv"))
    assert format_credentials(credentials) == word("credentials", "pyatv_hap")


def test_each_request_of_a_pairing_by_pin_names_us() -> None:
    gate = Gate("home_kit", PIN)
    receiver, asked = gate.visit(Quirks()), list[Request]()

    def reply(request: Request) -> Response:
        asked.append(request)
        return answered(receiver, request)

    offer = hold(SETUP.begin(), reply)
    hold(SETUP.finish(offer, PIN, PRIVATE, SEED), reply)

    uris = ["/pair-pin-start", "/pair-setup", "/pair-setup", "/pair-setup"]
    assert [request.uri for request in asked] == uris
    for request in asked:
        assert header(request, "X-Apple-Client-Name") == "Home"
        assert header(request, "X-Apple-Client-ID") == "A1B2C3D4E5F60718"
        assert header(request, "X-Apple-HKP") == "3"
        assert (header(request, "User-Agent") or "").startswith("AirPlay/")
    assert asked[1].body == octets("tlv_m1_normal")


def test_receiver_keeps_the_key_that_we_verify_by() -> None:
    gate = Gate("home_kit", PIN)
    receiver = gate.visit(Quirks())

    offer = converse(SETUP.begin(), receiver)
    kept = converse(SETUP.finish(offer, PIN, PRIVATE, SEED), receiver)

    assert gate.shown == 1
    assert gate.senders == {b"A1B2C3D4E5F60718": public_of(SEED)}
    assert kept.receiver_key == gate.signer.public_key().public_bytes_raw()
    assert kept.receiver_id == gate.name
    again = gate.visit(Quirks())
    converse(verify(kept, b"\x33" * 32), again)
    assert again.may_play


def test_receiver_of_pyatv_accepts_us_and_knows_us_again() -> None:
    receiver = PyatvHomeKit(PIN)

    offer = hold(SETUP.begin(), receiver.answer)
    kept = hold(SETUP.finish(offer, PIN, PRIVATE, SEED), receiver.answer)

    read = parse_by_pyatv(format_credentials(kept))
    assert read.ltpk == receiver.keys.auth_pub
    assert read.ltsk == SEED
    assert read.atv_id == receiver.unique_id
    assert read.client_id == b"A1B2C3D4E5F60718"
    hold(verify(kept, b"\x33" * 32), receiver.answer)
    assert receiver.was_encrypted
    assert {*read_tlv(receiver.requests[-1].body)} == {5, 6}


@pytest.mark.parametrize("pin", ["0428", "", "427"])
def test_wrong_pin_is_reported(pin: str) -> None:
    gate, judge = Gate("home_kit", PIN), PyatvHomeKit(PIN)
    receiver = gate.visit(Quirks())

    for reply in (partial(answered, receiver), judge.answer):
        offer = hold(SETUP.begin(), reply)
        with pytest.raises(AuthenticationError) as caught:
            hold(SETUP.finish(offer, pin, PRIVATE, SEED), reply)
        assert type(caught.value) is AuthenticationError
    assert gate.wrong == 1
    assert not gate.senders


AGREED = answer(body=bytes.fromhex("060104") + _long(4, "M2"))


def sealed(message: str = "PS-Msg06", **changes: bytes) -> Response:
    """Return M6 with changed items."""
    items = {Tag(key): value for key, value in tlv8.decode(SUB_TLV).items()}
    items |= {Tag[name.upper()]: value for name, value in changes.items()}
    inner = seal(published()[1], message, tlv8.encode(items))
    body = tlv8.encode({Tag.STATE: b"\x06", Tag.ENCRYPTED_DATA: inner})
    return answer(body=body)


SUB_TLV = octets("hap_m6", "sub_tlv")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([answer(body=bytes.fromhex("060104070102"))], AuthenticationError),
        ([answer(body=bytes.fromhex("060104070103"))], TooManyTriesError),
        ([answer(body=bytes.fromhex("060104070107"))], ReceiverBusyError),
        ([answer(body=bytes.fromhex("060104"))], ReceiverProtocolError),
        ([answer(body=bytes.fromhex("060104040101"))], AuthenticationError),
        ([answer(470)], PairingRequiredError),
        ([AGREED, answer(body=bytes.fromhex("060106070104"))], PairingRefusedError),
        ([AGREED, answer(body=bytes.fromhex("060106"))], ReceiverProtocolError),
        ([AGREED, answer(body=bytes.fromhex("060106050101"))], ReceiverProtocolError),
        ([AGREED, sealed("PS-Msg05")], ReceiverProtocolError),
        ([AGREED, sealed(identifier=b"")], ReceiverProtocolError),
        ([AGREED, sealed(identifier=b"x" * 256)], ReceiverProtocolError),
        ([AGREED, sealed(public_key=b"short")], ReceiverProtocolError),
        ([AGREED, sealed(signature=bytes(64))], ReceiverProtocolError),
        ([AGREED, sealed(identifier=b"another")], ReceiverProtocolError),
    ],
)
def test_refusals_after_the_pin(
    answers: list[Response], error: type[RaopError]
) -> None:
    fail(error, SETUP.finish(published()[0], "3939", PRIVATE, SEED), *answers)


def introduced(receiver_id: bytes) -> Response:
    """Return M6 of the published receiver with another id."""
    seed = octets("hap_m6", "accessory_ed25519_seed")
    proved = octets("hkdf_from_srp_K", "accessory_sign")
    signer = Ed25519PrivateKey.from_private_bytes(seed)
    signature = signer.sign(proved + receiver_id + public_of(seed))
    return sealed(identifier=receiver_id, signature=signature)


@pytest.mark.parametrize("receiver_id", [b"1", b"x" * 255])
def test_receiver_has_any_id_that_it_signs(receiver_id: bytes) -> None:
    steps = SETUP.finish(published()[0], "3939", PRIVATE, SEED)

    _, kept = talk(steps, AGREED, introduced(receiver_id))

    assert kept.receiver_id == receiver_id
    assert kept.receiver_key == octets("hap_m6", "accessory_ltpk")


@pytest.mark.parametrize("receiver_id", [b"", b"x" * 256])
def test_id_without_a_valid_length_is_refused(receiver_id: bytes) -> None:
    steps = SETUP.finish(published()[0], "3939", PRIVATE, SEED)

    fail(
        ReceiverProtocolError,
        steps,
        AGREED,
        introduced(receiver_id),
        match="id is not valid",
    )
