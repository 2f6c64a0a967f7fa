"""The codecs of audio packets, by the names that sessions use."""

from enum import StrEnum


class Codec(StrEnum):
    """A codec of audio packets."""

    ALAC = "alac"
    L16 = "l16"
