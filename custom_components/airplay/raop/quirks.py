"""Known properties of certain models beyond those that they announce."""

from .wire.txt import parse_major

_BRIDGES = ("aircast", "airupnp")
# Bits 33 to 35, which every Apple TV with that software announces.
_FEATURES_VIDEO_QUEUE = 0b111 << 33


def is_silent_homepod(model: str, software: str, airplay: str) -> bool:
    """Whether it accepts RAOP sessions but plays nothing: HomePod software 27.

    If the software version is not announced, that of AirPlay decides.
    """
    if not model.lower().startswith("audioaccessory"):
        return False
    return parse_major(software) >= 27 if software else parse_major(airplay) >= 980


def only_mirrors(model: str, airplay: str, features: int | None) -> bool:
    """Whether it plays audio only as part of a mirrored screen (UxPlay, RPiPlay).

    They call themselves the last software of an old Apple TV, and decrypt audio by
    FairPlay only. That software ran on the third generation, which has more features.
    """
    model = model.lower()
    if airplay != "220.68" or features is None:
        return False
    is_third = model.startswith("appletv3,")
    lacks_video_queue = not features & _FEATURES_VIDEO_QUEUE
    return model.startswith("appletv2,") or (is_third and lacks_video_queue)


def is_bridge(model: str) -> bool:
    """Whether it passes audio on to speakers of another system (AirConnect)."""
    return model.lower() in _BRIDGES


def insists_on_rsa(model: str) -> bool:
    """Whether it requires encrypted audio although it lists unencrypted audio too.

    The first two AirPort Express do.
    """
    return model.lower().startswith("airport4,")


def ignores_rsa(model: str) -> bool:
    """Whether it lists RSA but refuses or ignores a stream that uses it.

    Apple's receivers after the second AirPort Express do.
    """
    return model.lower().startswith(("appletv", "airport"))
