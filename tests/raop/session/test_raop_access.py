"""The login of a session if a receiver requires auth-setup or a password."""

import re

import pytest

from custom_components.airplay.raop.errors import (
    AuthenticationError,
    PairingRequiredError,
    PasswordRequiredError,
    ReceiverProtocolError,
)
from custom_components.airplay.raop.wire.rtsp import Request
from tests.raop.vectors import word

from .raop_session import OK, SETUP_OK, make_session, prepare
from .talk import answer, fail, header, talk

NONCE = word("digest_announce_lower_itunes", "nonce")
LOWER = word("digest_announce_lower_itunes", "response")
UPPER = word("digest_announce_upper_itunes", "response")
EMPTY_USER = word("digest_announce_lower_empty_user", "response")
WANTED = answer(401, WWW_Authenticate=f'Digest realm="raop", nonce="{NONCE}"')


def test_auth_setup_comes_before_announce_if_required() -> None:
    asked, _ = talk(prepare(make_session(uses_auth_setup=True)), OK, OK, OK, SETUP_OK)

    assert [request.method for request in asked] == [
        "OPTIONS",
        "POST",
        "ANNOUNCE",
        "SETUP",
    ]
    assert asked[1].uri == "/auth-setup"
    assert len(asked[1].body) == 33
    assert asked[1].content_type == "application/octet-stream"


@pytest.mark.parametrize("status", [400, 404, 500, 501])
def test_any_answer_to_auth_setup_is_accepted(status: int) -> None:
    talk(prepare(make_session(uses_auth_setup=True)), OK, answer(status), OK, SETUP_OK)


def test_announce_refused_in_spite_of_auth_setup_means_a_pin() -> None:
    fail(PairingRequiredError, prepare(make_session()), OK, answer(403))
    fail(
        PairingRequiredError,
        prepare(make_session(uses_auth_setup=True)),
        OK,
        OK,
        answer(403),
    )


def proof(request: Request) -> str | None:
    text = header(request, "Authorization") or ""
    found = re.search(r'response="([0-9A-Fa-f]{32})"', text)
    return found[1] if found else None


def test_a_password_that_is_asked_for_and_not_known() -> None:
    fail(PasswordRequiredError, prepare(make_session()), WANTED)
    fail(PasswordRequiredError, prepare(make_session(password="")), OK, WANTED)
    fail(PasswordRequiredError, prepare(make_session()), OK, OK, WANTED)


def test_announce_is_proved_with_the_known_digest() -> None:
    asked, _ = talk(prepare(make_session(password="secret")), OK, WANTED, OK, SETUP_OK)

    assert [request.method for request in asked] == [
        "OPTIONS",
        "ANNOUNCE",
        "ANNOUNCE",
        "SETUP",
    ]
    assert [proof(request) for request in asked[:3]] == [None, None, LOWER]
    assert asked[1].body == asked[2].body


def test_each_request_after_a_challenge_has_its_own_proof() -> None:
    session = make_session(password="secret")
    asked, _ = talk(prepare(session), WANTED, OK, OK, SETUP_OK)

    more, _ = talk(session.record(1, 2), answer())
    more += talk(session.flush(1, 2), answer())[0]
    more += talk(session.keep_alive(), answer())[0]
    more += talk(session.teardown(), answer())[0]

    proofs = [proof(request) for request in asked + more]
    assert proofs[0] is None
    assert None not in proofs[1:]
    # The two OPTIONS are alike; all others differ by method.
    assert len(set(proofs[1:])) == len(proofs[1:]) - 1


def test_every_form_of_digest_has_its_turn() -> None:
    asked = fail(
        AuthenticationError,
        prepare(make_session(password="secret")),
        OK,
        *[WANTED] * 5,
        match="refused the password",
    )

    proofs = [proof(request) for request in asked if request.method == "ANNOUNCE"]
    users = re.findall(r'username="([^"]*)"', str(asked))
    assert proofs[:4] == [None, LOWER, UPPER, EMPTY_USER]
    assert users == ["iTunes", "iTunes", "", "AirPlay"]


def test_the_last_form_of_digest_may_be_the_right_one() -> None:
    asked, _ = talk(
        prepare(make_session(password="secret")), OK, *[WANTED] * 4, OK, SETUP_OK
    )

    assert 'username="AirPlay"' in (header(asked[-2], "Authorization") or "")


def test_the_name_of_airplay_comes_first_for_a_realm_other_than_that_of_raop() -> None:
    wanted = answer(401, WWW_Authenticate='Digest realm="AirPlay", nonce="n"')
    asked, _ = talk(prepare(make_session(password="secret")), OK, wanted, OK, SETUP_OK)

    assert 'username="AirPlay"' in (header(asked[2], "Authorization") or "")


def test_a_digest_with_quality_of_protection_counts_the_uses_of_its_nonce() -> None:
    challenge = 'Digest realm="raop", nonce="n", qop="auth", opaque="o"'
    wanted = answer(401, WWW_Authenticate=challenge)
    session = make_session(password="secret")
    asked, _ = talk(prepare(session), wanted, OK, OK, SETUP_OK)

    proofs = [header(request, "Authorization") or "" for request in asked[1:]]
    assert [re.findall("nc=([0-9a-f]+)", each) for each in proofs] == [
        ["00000001"],
        ["00000002"],
        ["00000003"],
    ]
    assert (
        len({each for text in proofs for each in re.findall('cnonce="(.+?)"', text)})
        == 1
    )
    assert all('opaque="o"' in each and "qop=auth" in each for each in proofs)


def test_the_digest_form_that_worked_is_used_first_from_then_on() -> None:
    session = make_session(password="secret")
    asked, _ = talk(prepare(session), OK, *[WANTED] * 2, OK, SETUP_OK)
    assert proof(asked[3]) == UPPER

    more, _ = talk(session.teardown(), OK)

    assert (proof(more[0]) or "").isupper()
    assert 'username="iTunes"' in (header(more[0], "Authorization") or "")


def test_a_nonce_that_grew_stale_is_replaced_in_mid_session() -> None:
    session = make_session(password="secret")
    talk(prepare(session), OK, *[WANTED] * 2, OK, SETUP_OK)
    stale = answer(
        401, WWW_Authenticate='Digest realm="raop", nonce="fresh", stale=true'
    )

    asked, _ = talk(session.record(1, 2), stale, answer(Audio_Latency="11025"))

    first, second = (header(request, "Authorization") or "" for request in asked)
    assert f'nonce="{NONCE}"' in first
    assert 'nonce="fresh"' in second
    assert (proof(asked[1]) or "").isupper()


def test_an_authentication_other_than_digest_is_unsupported() -> None:
    for challenge in (
        answer(401),
        answer(401, WWW_Authenticate='Basic realm="raop"'),
        answer(401, WWW_Authenticate='Digest realm="raop"'),
    ):
        fail(ReceiverProtocolError, make_session(password="secret").greet(), challenge)


def test_a_refusal_without_a_challenge_means_another_form_of_the_last_one() -> None:
    """As nodetunes refuses a wrong password."""
    answers = (WANTED, *[answer(401)] * 4)

    fail(AuthenticationError, make_session(password="wrong").greet(), *answers)


def test_a_password_shows_in_no_printed_terms() -> None:
    session = make_session(password="sesame")

    assert "sesame" not in repr(session._terms)
