"""The channels that a speaker plays: both, one side, or both mixed to one."""

from ..commands import Channel


def pick(pcm: bytes, channel: Channel) -> bytes:
    """Return s16le stereo unchanged, or with the same audio on both sides."""
    if channel is Channel.STEREO:
        return pcm
    import numpy as np

    frames = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    match channel:
        case Channel.LEFT:
            one = frames[:, 0]
        case Channel.RIGHT:
            one = frames[:, 1]
        case _:
            both = frames.sum(axis=1, dtype=np.int32)
            one = (both >> 1).astype("<i2")
    return np.repeat(one, 2).tobytes()
