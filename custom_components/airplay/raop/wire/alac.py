"""Apple Lossless frames with uncompressed samples, which cost almost no time.

A frame is, first bit first: channel pair (3 bits: 1), instance (4), unused (12), has
size (1), shifted bytes (2), is not compressed (1: 1), the samples (16 bits each), end
tag (3: 111), zeros to the next byte. Layout: Apple's published ALAC sources.
"""

from typing import TYPE_CHECKING

from .rtp import PACKET_BYTES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FRAME_BYTES = PACKET_BYTES + 4

_SAMPLES = PACKET_BYTES // 2
_FIRST_WORD = 0x2000
# The 23 bits of the header shift every sample by 7 bits against the words.
_HEADER_REST = 1 << 9
_END_TAG = 0b111 << 6


class VerbatimEncoder:
    """Encodes PCM as uncompressed ALAC frames; one object per thread."""

    def __init__(self) -> None:
        """Start without buffers; the first call creates them."""
        self._words: npt.NDArray[np.uint16]
        self._carried: npt.NDArray[np.uint16]
        self._frames: npt.NDArray[np.uint16]
        self._packets = 0

    def __call__(self, pcm: bytes) -> list[bytes]:
        """Encode whole packets of signed 16-bit little-endian stereo PCM.

        Raises ValueError: the last packet is incomplete.
        """
        import numpy as np

        packets, rest = divmod(len(pcm), PACKET_BYTES)
        if rest:
            raise ValueError("the PCM ends with an incomplete packet")
        if not packets:
            return []
        if packets != self._packets:
            self._make_buffers(packets)
        samples = np.frombuffer(pcm, "<u2").reshape(packets, _SAMPLES)
        words = self._words
        np.right_shift(samples, 7, out=words[:, :_SAMPLES])
        words[:, _SAMPLES] = _END_TAG
        np.left_shift(samples, 9, out=self._carried[:, 1:])
        np.bitwise_or(words, self._carried, out=words)
        self._frames[:, 1:] = words
        encoded = self._frames.tobytes()
        return [
            encoded[at : at + FRAME_BYTES] for at in range(0, len(encoded), FRAME_BYTES)
        ]

    def _make_buffers(self, packets: int) -> None:
        import numpy as np

        shape = packets, _SAMPLES + 1
        self._packets = packets
        self._words = np.empty(shape, np.uint16)
        self._carried = np.empty(shape, np.uint16)
        self._carried[:, 0] = _HEADER_REST
        self._frames = np.zeros((packets, _SAMPLES + 2), ">u2")
        self._frames[:, 0] = _FIRST_WORD


SILENT_FRAME = b"\x20\x00\x02" + bytes(PACKET_BYTES - 1) + b"\x01\xc0"
