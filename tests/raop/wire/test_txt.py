"""Values of TXT records, as receivers and others write them."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.wire.txt import (
    MAX_RECORD_BYTES,
    look_up,
    parse_features,
    parse_major,
    parse_number,
    parse_numbers,
    parse_record,
    parse_words,
)
from tests.raop.vectors import word


@pytest.mark.parametrize(
    ("text", "features"),
    [
        (word("features", "mdns"), int(word("features", "value"), 16)),
        ("496155769145856", int(word("features", "value"), 16)),
        ("0x7F8AD0", 0x7F8AD0),
        (
            word("features_short_low_word", "mdns"),
            int(word("features_short_low_word", "correct"), 16),
        ),
        ("0x1, 0x2", 0x200000001),
        ("0x1FFFFFFFF,0x1FFFFFFFF", 0xFFFFFFFFFFFFFFFF),
        ("99999999999999999999", 99999999999999999999 % 2**64),
        ("", None),
        ("0x1,", None),
        (",0x1", None),
        ("0x1,0x2,0x3", None),
        ("junk", None),
    ],
)
def test_features_are_one_or_two_words(text: str, features: int | None) -> None:
    assert parse_features(text) == features


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("044", 44),
        (" 0x1A404 ", 0x1A404),
        ("0XFF", 255),
        ("99999999999999999999", 99999999999999999999),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("0b1", None),
        ("1_000", None),
        ("1a404", None),
        ("٣", None),
        ("0x", None),
        ("1" * 21, None),
        ("0x" + "1" * 17, None),
    ],
)
def test_numbers_are_decimal_or_hexadecimal(text: str, number: int | None) -> None:
    assert parse_number(text) == number


@given(st.integers(0, 2**64 - 1))
def test_features_come_out_as_they_went_in(features: int) -> None:
    low, high = features & 0xFFFFFFFF, features >> 32

    assert parse_features(f"{low:#x},{high:#x}") == features
    assert parse_features(str(features)) == features


@given(st.text())
def test_features_are_64_bits_for_any_text(text: str) -> None:
    features = parse_features(text)

    assert features is None or 0 <= features < 2**64


def test_lists_keep_readable_items() -> None:
    assert parse_numbers("0,1, 0x3,four,") == {0, 1, 3}
    assert parse_words(" tcp,UDP,,udp") == {"TCP", "UDP"}


@pytest.mark.parametrize(
    ("version", "major"), [("366.75.2", 366), ("4", 4), ("p20.1", 0), ("", 0)]
)
def test_a_major_version_is_the_number_before_the_first_dot(
    version: str, major: int
) -> None:
    assert parse_major(version) == major


def test_keys_are_found_in_any_case_and_without_a_value() -> None:
    txt: dict[str, str] = {"Model": "X", "pw": ""}

    assert [look_up(txt, key) for key in ("model", "pw", "vs")] == ["X", "", ""]


@pytest.mark.parametrize(
    ("data", "record"),
    [
        (b"", {}),
        (b"\x03a=1\x04bc=2", {"a": "1", "bc": "2"}),
        (b"\x00\x03a=1\x00", {"a": "1"}),
        (b"\x05a=b=c", {"a": "b=c"}),
        (b"\x02a=\x01b", {"a": "", "b": ""}),
        (b"\x03a=1\x03a=2", {"a": "1"}),
        (b"\x02=1\x03a=1", {"a": "1"}),
        (b"\x03a=\xff", {"a": "\ufffd"}),
        (b"\x03a=1\x04b=2", {"a": "1"}),
        (b"\x03a=1\xff", {"a": "1"}),
    ],
)
def test_record_as_dns_carries_it(data: bytes, record: dict[str, str]) -> None:
    assert parse_record(data) == record


def test_record_beyond_its_limit_is_cut_off() -> None:
    long = b"".join(b"\x05%04d=" % number for number in range(10_000))

    assert len(parse_record(long)) == MAX_RECORD_BYTES // 6


@given(st.binary(max_size=2000))
def test_no_record_is_an_error(data: bytes) -> None:
    record = parse_record(data)

    assert all(record)
    assert len("".join(record.values()).encode()) <= 3 * len(data)
