"""Whether a receiver is one of Apple's, by its records."""

import re

from .receiver_records import AirPlayRecord, RaopRecord

_APPLE_ENCRYPTIONS = frozenset((0, 3, 5))
# The last version of the Apple TV 3.
_IMITATED_VERSION = "220.68"
_APPLE_MODEL = re.compile(
    r"(appletv|audioaccessory(single)?|airport|(i|virtual)?mac(book(air|pro)?|mini|pro)?)"
    r"\d+,\d+",
    re.ASCII | re.IGNORECASE,
)

# How Apple names every model; shairport-sync has the keys of one, but not the name.
_APPLE_FORM = re.compile(r"[A-Za-z]+\d+,\d+", re.ASCII)


def is_apples(raop: RaopRecord, airplay: AirPlayRecord) -> bool:
    """Whether a receiver is one of Apple's, by the keys of its records or its model.

    New models cannot be in a list. Only Apple's have both `psi` and `fex`, and no
    manufacturer or firmware of their own.
    """
    if raop.real_model or airplay.real_model:
        return False
    model = airplay.model or raop.model
    is_form = not model or _APPLE_FORM.fullmatch(model) is not None
    is_foreign = airplay.manufacturer or airplay.firmware or raop.firmware
    is_own = is_form and not is_foreign
    is_open = raop.encryptions in (frozenset(), _APPLE_ENCRYPTIONS)
    if is_own and is_open and airplay.has_system_keys:
        return True
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
