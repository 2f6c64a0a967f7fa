"""Known properties of certain models beyond those that they announce."""

import re

from .wire.txt import parse_major

# From Music Assistant's list, which also has all of Samsung's models.
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
    """Whether a model announces RAOP but plays it badly or not at all."""
    maker, model = maker.lower(), model.lower()
    return maker == "samsung" or (maker == "sonos" and model in _POOR_SONOS)


def is_silent_homepod(model: str, software: str, airplay: str) -> bool:
    """Whether it accepts RAOP sessions but plays nothing: HomePod software 27.

    If the software version is not announced, that of AirPlay decides.
    """
    if not model.lower().startswith("audioaccessory"):
        return False
    return parse_major(software) >= 27 if software else parse_major(airplay) >= 980


def insists_on_rsa(model: str) -> bool:
    """Whether it requires encrypted audio although it lists unencrypted audio too."""
    return model.lower().startswith("airport4,")


def ignores_rsa(model: str) -> bool:
    """Whether it lists RSA but refuses or ignores a stream that uses it."""
    return model.lower().startswith(("appletv", "airport"))
