"""What is known of certain makes and models beyond what they say of themselves."""

import re

from .wire.txt import parse_major

# As Music Assistant lists them; all of Samsung's are with them.
_POOR_SONOS = ("era 100", "era 300", "move 2", "roam 2", "arc ultra")
_APPLE_MODEL = re.compile(
    r"(appletv|audioaccessory(single)?|airport|(i|virtual)?mac(book(air|pro)?|mini|pro)?)"
    r"\d+,\d+",
    re.ASCII | re.IGNORECASE,
)


def is_apples(model: str) -> bool:
    """Whether a model is one of Apple's."""
    return _APPLE_MODEL.fullmatch(model) is not None


def is_poor_at_raop(maker: str, model: str) -> bool:
    """Whether it announces RAOP and is known to play it badly or not at all."""
    maker, model = maker.lower(), model.lower()
    return maker == "samsung" or (maker == "sonos" and model in _POOR_SONOS)


def is_silent_homepod(model: str, software: str, airplay: str) -> bool:
    """Whether it takes RAOP sessions and renders nothing: HomePod software 27.

    Where the software's version is not told, that of AirPlay tells it.
    """
    if not model.lower().startswith("audioaccessory"):
        return False
    return parse_major(software) >= 27 if software else parse_major(airplay) >= 980


def insists_on_rsa(model: str) -> bool:
    """Whether it wants encrypted audio even where it lists unencrypted audio too."""
    return model.lower().startswith("airport4,")


def ignores_rsa(model: str) -> bool:
    """Whether it lists RSA, but refuses or ignores a stream that uses it."""
    return model.lower().startswith(("appletv", "airport"))
