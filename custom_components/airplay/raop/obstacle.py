"""Why a receiver cannot be played to."""

from enum import StrEnum


class Obstacle(StrEnum):
    """The reason why a receiver cannot be played to."""

    NO_AUDIO = "no_audio"
    TCP_ONLY = "tcp_only"
    ENCRYPTION = "encryption"
    HOME_ONLY = "home_only"
    AIRPLAY2_ONLY = "airplay2_only"
    MIRRORING_ONLY = "mirroring_only"
    NO_PROTOCOL = "no_protocol"
