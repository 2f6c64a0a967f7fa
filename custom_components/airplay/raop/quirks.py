"""Known properties of certain models beyond those that they announce."""

import re

from .wire.txt import parse_major

_APPLE_MODEL = re.compile(
    r"(appletv|audioaccessory(single)?|airport|(i|virtual)?mac(book(air|pro)?|mini|pro)?)"
    r"\d+,\d+",
    re.ASCII | re.IGNORECASE,
)


def is_apples(model: str) -> bool:
    """Whether a model is one of Apple's."""
    return _APPLE_MODEL.fullmatch(model) is not None


def is_silent_homepod(model: str, software: str, airplay: str) -> bool:
    """Whether it accepts RAOP sessions but plays nothing: HomePod software 27.

    If the software version is not announced, that of AirPlay decides.
    """
    if not model.lower().startswith("audioaccessory"):
        return False
    return parse_major(software) >= 27 if software else parse_major(airplay) >= 980


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
