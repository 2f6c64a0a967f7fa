"""The codecs of audio packets, as sessions name them."""

from enum import StrEnum


class Codec(StrEnum):
    """How audio is put into packets."""

    ALAC = "alac"
    L16 = "l16"
