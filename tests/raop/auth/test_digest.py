"""Digest authentication."""

from contextlib import suppress
import hashlib
import time

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.auth.digest import (
    ATTEMPTS,
    Challenge,
    NonceUse,
    attempts,
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


def test_attempts_use_itunes_in_both_cases_and_then_other_names() -> None:
    assert ATTEMPTS == (
        ("iTunes", False),
        ("iTunes", True),
        ("", False),
        ("AirPlay", False),
    )
    assert attempts("RAOP") == ATTEMPTS
    assert attempts("AirPlay") == (("AirPlay", False), *ATTEMPTS[:-1])


def test_the_example_of_rfc_2617_is_computed() -> None:
    challenge = Challenge.parse(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )

    header = authorization(
        challenge,
        user="Mufasa",
        password="Circle Of Life",
        method="GET",
        uri="/dir/index.html",
        use=NonceUse("0a4f113b", 1),
    )

    assert header == (
        'Digest username="Mufasa", realm="testrealm@host.com", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", '
        'response="6629fae49393a05397450978507c4ef1", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41", cnonce="0a4f113b", '
        "qop=auth, nc=00000001"
    )


def test_the_example_of_rfc_7616_is_computed() -> None:
    challenge = Challenge.parse(
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        'algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )

    header = authorization(
        challenge,
        user="Mufasa",
        password="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        use=NonceUse("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1),
    )

    proof = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    assert f'response="{proof}"' in header
    assert ", algorithm=SHA-256, " in header


def test_the_session_form_and_the_body_are_proved() -> None:
    challenge = Challenge.parse(
        'Digest realm="r", nonce="n", qop=auth-int, algorithm=md5-sess'
    )

    def prove(body: bytes, cnonce: str) -> str:
        return authorization(
            challenge,
            user="u",
            password="p",
            method="SETUP",
            uri="*",
            body=body,
            use=NonceUse(cnonce, 26),
        )

    # Computed with MD5 by hand from RFC 2617 §3.2.2.
    assert prove(b"body", "c") == (
        'Digest username="u", realm="r", nonce="n", uri="*", '
        f'response="{by_hand(b"body", "c")}", cnonce="c", '
        "algorithm=MD5-sess, qop=auth-int, nc=0000001a"
    )
    assert prove(b"body", "c") != prove(b"other", "c")


def by_hand(body: bytes, cnonce: str) -> str:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    who = md5(f"{md5('u:r:p')}:n:{cnonce}")
    what = md5(f"SETUP:*:{md5(body.decode())}")
    return md5(f"{who}:n:0000001a:{cnonce}:auth-int:{what}")


def test_a_quality_of_protection_that_is_unknown_is_ignored() -> None:
    assert Challenge.parse('Digest realm="r", nonce="n", qop="auth-conf"').qop is None


def test_of_several_digests_the_first_with_a_known_algorithm_counts() -> None:
    challenge = Challenge.parse(
        'Digest realm="a", nonce="1", algorithm=SHA-512-256, '
        'Digest realm="b", nonce="2", algorithm=MD5'
    )

    assert challenge == Challenge("b", "2")


def test_an_unknown_algorithm_is_named() -> None:
    with pytest.raises(ReceiverProtocolError, match="SHA-512-256"):
        Challenge.parse('Digest realm="a", nonce="1", algorithm=SHA-512-256')


@pytest.mark.parametrize("part", ["a", "a ", 'a="', "a=b ", "\\", "a=\\", '"\\"'])
def test_the_longest_challenge_is_read_in_no_time(part: str) -> None:
    header = "Digest " + part * (16_384 // len(part))

    began = time.process_time()
    with suppress(ReceiverProtocolError):
        Challenge.parse(header)

    assert time.process_time() - began < 0.5


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
