"""Digest authentication."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.auth.digest import (
    ATTEMPTS,
    Challenge,
    authorization,
)
from custom_components.airplay.raop.errors import ReceiverProtocolError
from tests.raop.vectors import word

CHALLENGE = Challenge("raop", "dGVzdG5vbmNl")


@pytest.mark.parametrize(
    ("name", "is_upper"),
    [
        ("digest_airport1_upper", True),
        ("digest_same_lower", False),
        ("digest_announce_lower_itunes", False),
        ("digest_announce_lower_empty_user", False),
        ("digest_announce_upper_itunes", True),
    ],
)
def test_known_proofs_are_computed(name: str, is_upper: bool) -> None:
    user, realm, nonce, uri = (
        word(name, field) for field in ("user", "realm", "nonce", "uri")
    )

    header = authorization(
        Challenge(realm, nonce),
        user=user,
        password=word(name, "password"),
        method=word(name, "method"),
        uri=uri,
        is_upper=is_upper,
    )

    assert header == (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{word(name, "response")}"'
    )


def test_passwords_are_utf8() -> None:
    header = authorization(
        CHALLENGE, user="iTunes", password="Grüße", method="OPTIONS", uri="*"
    )

    assert header.endswith('response="5baba58855ae2e194e692de0717be6ad"')


def test_a_password_that_utf8_cannot_encode_is_just_wrong() -> None:
    header = authorization(
        CHALLENGE, user="iTunes", password="\ud800", method="OPTIONS", uri="*"
    )

    assert header.startswith('Digest username="iTunes"')


@pytest.mark.parametrize("broken", ['a"b', "a\nb", "a\\"])
@pytest.mark.parametrize("field", ["username", "realm", "nonce", "uri"])
def test_words_that_would_break_out_of_their_quotes_are_refused(
    field: str, broken: str
) -> None:
    words = {"username": "u", "realm": "r", "nonce": "n", "uri": "*"} | {field: broken}

    with pytest.raises(ValueError, match=field):
        authorization(
            Challenge(words["realm"], words["nonce"]),
            user=words["username"],
            password="secret",
            method="OPTIONS",
            uri=words["uri"],
        )


def test_attempts_use_itunes_in_both_cases_and_then_no_name() -> None:
    assert ATTEMPTS == (("iTunes", False), ("iTunes", True), ("", False))


@pytest.mark.parametrize(
    "header",
    [
        'Digest realm="raop", nonce="dGVzdG5vbmNl"',
        'Digest nonce="dGVzdG5vbmNl", realm="raop"',
        'Digest realm="raop",nonce="dGVzdG5vbmNl"',
        "Digest realm=raop, nonce=dGVzdG5vbmNl",
        ' digest REALM = "raop" , Nonce = "dGVzdG5vbmNl"',
        'DIGEST realm="raop", nonce="dGVzdG5vbmNl", algorithm=MD5, stale=false',
        'Digest domain="a,b=c", realm="raop", nonce="dGVzdG5vbmNl"',
        'Digest realm="raop", nonce="dGVzdG5vbmNl", realm="other"',
        'Basic realm="other", Digest realm="raop", nonce="dGVzdG5vbmNl"',
        'Digest realm="raop", nonce="dGVzdG5vbmNl", Basic realm="other"',
    ],
)
def test_challenges_of_all_shapes_are_understood(header: str) -> None:
    assert Challenge.parse(header) == CHALLENGE


def test_a_realm_may_be_empty() -> None:
    assert Challenge.parse('Digest realm="", nonce="n"') == Challenge("", "n")


def test_escaped_quotes_stay_escaped() -> None:
    challenge = Challenge.parse(r'Digest realm="my \"raop\"", nonce="n"')

    header = authorization(
        challenge, user="u", password="secret", method="OPTIONS", uri="*"
    )

    assert r'realm="my \"raop\"", nonce="n"' in header


@pytest.mark.parametrize(
    "header",
    ["", "Digest", "Basic realm=raop, nonce=n", 'Indigest realm="raop", nonce="n"'],
)
def test_other_schemes_are_refused(header: str) -> None:
    with pytest.raises(ReceiverProtocolError, match="not ask for a digest"):
        Challenge.parse(header)


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ('Digest realm="raop"', "nonce"),
        ('Digest nonce="n"', "realm"),
        ('Digest realm="raop", nonce="n', "nonce"),
        ('Digest realm="raop", nonce="a\nb"', "nonce"),
    ],
)
def test_challenges_that_lack_something_are_refused(header: str, missing: str) -> None:
    with pytest.raises(ReceiverProtocolError, match=missing):
        Challenge.parse(header)


QUOTABLE = st.text(st.characters(exclude_categories=["C"], exclude_characters='"\\'))


@given(QUOTABLE, QUOTABLE)
def test_challenges_come_out_as_they_went_in(realm: str, nonce: str) -> None:
    header = f'Digest realm="{realm}", nonce="{nonce}"'

    assert Challenge.parse(header) == Challenge(realm, nonce)


@given(st.sampled_from(["", "Digest ", 'Digest realm="r", nonce=']), st.text())
def test_arbitrary_challenges_are_refused_or_can_be_answered(
    head: str, rest: str
) -> None:
    try:
        challenge = Challenge.parse(head + rest)
    except ReceiverProtocolError:
        return
    authorization(challenge, user="u", password="p", method="OPTIONS", uri="*")
