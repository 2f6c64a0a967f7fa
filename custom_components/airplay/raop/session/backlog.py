"""The packets of one timeline: made once, kept for resends and late members."""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from ..auth.aes import PacketCipher
from ..auth.packet_seal import SEAL_BYTES, PacketSeal
from ..commands import Channel
from ..wire import alac, l16
from ..wire.codec import Codec
from ..wire.rtp import (
    BYTES_PER_FRAME,
    FRAMES_PER_PACKET,
    LENGTH_BYTES,
    PACKET_BYTES,
    audio_header,
    buffered_header,
    framed,
)
from .channels import pick

# 1024 packets are 8.2 s, the size of shairport-sync's own buffer.
CAPACITY = 1024
ENCODED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class AudioKey:
    """An AES key and IV; the sender chooses them, so a group can share them."""

    key: bytes
    iv: bytes


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Format:
    """The packet format of a member: receivers with equal formats share datagrams.

    Without an `ssrc` that of the timeline is used; buffered packets are sent by TCP.
    """

    codec: Codec = Codec.ALAC
    key: AudioKey | PacketSeal | None = None
    channel: Channel = Channel.STEREO
    ssrc: int | None = None
    is_buffered: bool = False

    @property
    def datagram_bytes(self) -> int:
        """The size of every datagram in this format."""
        sealed = SEAL_BYTES if isinstance(self.key, PacketSeal) else 0
        length = LENGTH_BYTES if self.is_buffered else 0
        return length + 12 + len(_SILENCE[self.codec]) + sealed


def shared(shape: Format) -> Format:
    """Return the one object for all formats that are equal, which is found faster."""
    return _SHARED.setdefault(shape, shape)


_SHARED: WeakValueDictionary[Format, Format] = WeakValueDictionary()
_SILENCE = {Codec.ALAC: alac.SILENT_FRAME, Codec.L16: l16.SILENT_FRAME}


class Backlog:
    """A ring of packets by sequence number, in all requested formats.

    Sequence numbers never wrap; `first_frame` belongs to `first_sequence` and every
    packet has 352 frames, so one follows from the other.
    """

    def __init__(self, first_sequence: int, first_frame: int, ssrc: int) -> None:
        self.next_sequence = first_sequence
        self._origin_sequence = first_sequence
        self._origin_frame = first_frame
        self.ssrc = ssrc
        self._pcm: list[bytes] = [b""] * CAPACITY
        self._music: list[bytes] = [b""] * CAPACITY
        self._rings: dict[Format, list[tuple[int, bytes]]] = {}
        self._encoders: dict[Format, Callable[[bytes], list[bytes]]] = {}

    def frame_of(self, sequence: int) -> int:
        """Return the first frame of a packet."""
        packets = sequence - self._origin_sequence
        return self._origin_frame + packets * FRAMES_PER_PACKET

    def sequence_from(self, frame: int) -> int:
        """Return the first packet that begins at or after a frame."""
        packets = -(-(frame - self._origin_frame) // FRAMES_PER_PACKET)
        return self._origin_sequence + packets

    @property
    def oldest_sequence(self) -> int:
        """The oldest packet that is kept."""
        return max(self._origin_sequence, self.next_sequence - CAPACITY)

    def append(self, pcm: bytes, music: bytes | None = None) -> None:
        """Append the next frames: any whole number of packets of s16le stereo.

        `music` is the same without a voice, to be played again; by default all of it.
        """
        for start in range(0, len(pcm), PACKET_BYTES):
            index, stop = self.next_sequence % CAPACITY, start + PACKET_BYTES
            self._pcm[index] = self._music[index] = pcm[start:stop]
            if music is not None and music is not pcm:
                self._music[index] = music[start:stop]
            self.next_sequence += 1

    def take_back(self, sequence: int) -> None:
        """Remove the newest packets, from one on, as if they had not been made."""
        for ring in self._rings.values():
            for number in range(sequence, self.next_sequence):
                ring[number % CAPACITY] = (-1, b"")
        self.next_sequence = min(sequence, self.next_sequence)

    def music_from(self, frame: int) -> bytes:
        """Return the music of all packets from a frame on, which must be kept."""
        packets, skipped = divmod(frame - self._origin_frame, FRAMES_PER_PACKET)
        first = self._origin_sequence + packets
        pcm = b"".join(
            self._music[n % CAPACITY] for n in range(first, self.next_sequence)
        )
        return pcm[skipped * BYTES_PER_FRAME :]

    def datagrams(self, shape: Format, first: int, count: int) -> list[bytes]:
        """Return packets that exist, in order; those too old are omitted."""
        ring = self._rings.setdefault(shape, [(-1, b"")] * CAPACITY)
        start = max(first, self.oldest_sequence)
        stop = min(first + count, self.next_sequence)
        missing = [n for n in range(start, stop) if ring[n % CAPACITY][0] != n]
        if missing:
            # Encoding many packets in one call costs little more than encoding a few.
            ahead = min(missing[0] + ENCODED_AT_ONCE, self.next_sequence)
            self._encode(shape, ring, missing[0], max(missing[-1] + 1, ahead))
        return [ring[n % CAPACITY][1] for n in range(start, stop)]

    def packet_for(self, sequence: int) -> int | None:
        """Return the packet of a 16-bit sequence number, if it is kept."""
        behind = (self.next_sequence - 1 - sequence) & 0xFFFF
        found = self.next_sequence - 1 - behind
        return found if found >= self.oldest_sequence else None

    def _encode(
        self, shape: Format, ring: list[tuple[int, bytes]], first: int, stop: int
    ) -> None:
        pcm = b"".join(self._pcm[n % CAPACITY] for n in range(first, stop))
        for sequence, payload in enumerate(self._encoder(shape)(pcm), first):
            packet = self._packet(shape, sequence, payload)
            ring[sequence % CAPACITY] = (sequence, packet)

    def _packet(self, shape: Format, sequence: int, payload: bytes) -> bytes:
        frame = self.frame_of(sequence)
        ssrc = self.ssrc if shape.ssrc is None else shape.ssrc
        build = buffered_header if shape.is_buffered else audio_header
        header = build(sequence, frame, ssrc)
        if isinstance(shape.key, PacketSeal):
            packet = shape.key(header, payload)
        else:
            packet = header + payload
        return framed(packet) if shape.is_buffered else packet

    def _encoder(self, shape: Format) -> Callable[[bytes], list[bytes]]:
        if shape not in self._encoders:
            encode = alac.encode if shape.codec is Codec.ALAC else l16.encode
            self._encoders[shape] = _encrypted(
                lambda pcm: encode(pick(pcm, shape.channel)), shape.key
            )
        return self._encoders[shape]


def _encrypted(
    encode: Callable[[bytes], list[bytes]], key: AudioKey | PacketSeal | None
) -> Callable[[bytes], list[bytes]]:
    if not isinstance(key, AudioKey):
        return encode
    cipher = PacketCipher(key.key, key.iv)
    return lambda pcm: [cipher(payload) for payload in encode(pcm)]
