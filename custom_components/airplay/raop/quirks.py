"""Known properties of certain models beyond those that they announce."""

import re

from .receiver_records import AirPlayRecord, RaopRecord
from .wire.txt import parse_major

# From Music Assistant's list, which also has all of Samsung's models.
_POOR_SONOS = ("era 100", "era 300", "move 2", "roam 2", "arc ultra")
_APPLE_ENCRYPTIONS = frozenset((0, 3, 5))
# The last version of the Apple TV 3.
_IMITATED_VERSION = "220.68"
_APPLE_MODEL = re.compile(
    r"(appletv|audioaccessory(single)?|airport|(i|virtual)?mac(book(air|pro)?|mini|pro)?)"
    r"\d+,\d+",
    re.ASCII | re.IGNORECASE,
)


def is_apples(raop: RaopRecord, airplay: AirPlayRecord) -> bool:
    """Whether a receiver is one of Apple's, by the keys of its records or its model.

    New models cannot be in a list. Only Apple's have both `psi` and `fex`, and no
    manufacturer or firmware of their own.
    """
    if raop.real_model or airplay.real_model:
        return False
    is_own = not (airplay.manufacturer or airplay.firmware or raop.firmware)
    is_open = raop.encryptions in (frozenset(), _APPLE_ENCRYPTIONS)
    if is_own and is_open and airplay.has_system_keys:
        return True
    model = airplay.model or raop.model
    is_model = _APPLE_MODEL.fullmatch(model) is not None
    return is_model and not _is_imitation(model, raop, airplay)


def _is_imitation(model: str, raop: RaopRecord, airplay: AirPlayRecord) -> bool:
    """Whether a program claims to be an Apple TV 3, or a newer one of that version.

    Their features have none of the bits above 32 that the real one has (UxPlay).
    """
    if (airplay.source_version or raop.source_version) != _IMITATED_VERSION:
        return False
    features = raop.features if airplay.features is None else airplay.features
    is_real = features is None or features >> 32 > 0
    return not (model.lower().startswith("appletv3,") and is_real)


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
