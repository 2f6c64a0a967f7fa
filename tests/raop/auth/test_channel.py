"""Frames of an encrypted connection."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.auth.channel import ChannelKeys, EncryptedChannel
from custom_components.airplay.raop.errors import ReceiverProtocolError
from tests.raop.vectors import octets
from tests.virtual_receiver.pairing import SecureChannel

SECRET = bytes(range(64))


def test_keys_and_frames_are_the_published_ones() -> None:
    keys = ChannelKeys.control(octets("srp_hap_3939", "K"))
    assert keys.write == octets("hkdf_from_srp_K", "control_write")
    assert keys.read == octets("hkdf_from_srp_K", "control_read")

    channel = EncryptedChannel(keys)

    plain = octets("hap_frame_counter0", "plain")
    assert channel.encrypt(plain) == octets("hap_frame_counter0", "frame")
    assert channel.encrypt(plain) == octets("hap_frame_counter1", "frame")


def test_the_event_channels_keys_are_the_published_ones() -> None:
    keys = ChannelKeys.events(octets("srp_hap_3939", "K"))

    # We answer requests there, so the receiver's read key is ours.
    assert keys.write == octets("hkdf_from_srp_K", "events_read")
    assert keys.read == octets("hkdf_from_srp_K", "events_write")


@given(st.lists(st.binary(max_size=3000), max_size=4), st.integers(1, 700))
def test_both_ends_understand_each_other_in_any_pieces(
    texts: list[bytes], size: int
) -> None:
    sender, receiver = (
        EncryptedChannel(ChannelKeys.control(SECRET)),
        SecureChannel(SECRET),
    )
    said = b"".join(sender.encrypt(text) for text in texts)
    answered = b"".join(receiver.seal(text) for text in texts)

    heard = b"".join(
        receiver.open(said[at : at + size]) for at in range(0, len(said), size)
    )
    read = b"".join(
        sender.feed(answered[at : at + size]) for at in range(0, len(answered), size)
    )

    assert heard == read == b"".join(texts)


@pytest.mark.parametrize("frame", [b"\1\4", bytes(18), b"\2\0" + bytes(18)])
def test_invalid_frame_is_an_error(frame: bytes) -> None:
    with pytest.raises(ReceiverProtocolError):
        EncryptedChannel(ChannelKeys.control(SECRET)).feed(frame)


def test_keys_are_not_written_into_logs() -> None:
    keys = ChannelKeys.control(SECRET)

    assert repr(keys.write)[2:-1] not in repr(keys)
