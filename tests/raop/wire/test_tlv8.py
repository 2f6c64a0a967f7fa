"""Items of pairing messages, there and back."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.tlv8 import (
    MAX_MESSAGE_BYTES,
    Tag,
    decode,
    encode,
)
from tests.raop.vectors import octets


def test_first_messages_are_those_of_the_field() -> None:
    assert decode(octets("tlv_m1_normal")) == {Tag.METHOD: b"\0", Tag.STATE: b"\1"}
    assert decode(octets("tlv_m1_transient")) == {
        Tag.METHOD: b"\0",
        Tag.STATE: b"\1",
        Tag.FLAGS: b"\x10",
    }
    assert encode({Tag.STATE: b"\1", Tag.METHOD: b"\0"}) == octets("tlv_m1_normal")


def test_a_long_value_is_written_in_parts() -> None:
    key = bytes(range(256)) + bytes(128)

    written = encode({Tag.PUBLIC_KEY: key})

    assert len(written) == 388
    assert written.startswith(octets("tlv_fragment_384", "first"))
    assert written[257:259] == octets("tlv_fragment_384", "second_header")
    assert decode(written) == {Tag.PUBLIC_KEY: key}


@given(st.dictionaries(st.sampled_from(Tag), st.binary(max_size=600)))
def test_written_items_read_back(items: dict[Tag, bytes]) -> None:
    assert decode(encode(items)) == items


@given(st.binary(max_size=600))
def test_any_bytes_are_items_or_an_error(data: bytes) -> None:
    try:
        decode(data)
    except ReceiverProtocolError:
        return


@pytest.mark.parametrize("data", [b"\6", b"\6\1", b"\3\xff" + bytes(254)])
def test_a_message_that_is_cut_off_is_an_error(data: bytes) -> None:
    with pytest.raises(ReceiverProtocolError):
        decode(data)


def test_a_message_that_is_too_long_is_an_error() -> None:
    longest = encode({Tag.PUBLIC_KEY: bytes(MAX_MESSAGE_BYTES)})[:MAX_MESSAGE_BYTES]

    assert len(decode(longest[: MAX_MESSAGE_BYTES // 257 * 257])) == 1
    with pytest.raises(ReceiverProtocolError, match="too long"):
        decode(longest + b"\0")
