"""A HomePod with software 27 that stands alone, as public reports describe it."""

from typing import Any

from tests.virtual_receiver.quirks import Quirks

from .receiver import AirPlay2Receiver

_MODEL = "AudioAccessory5,1"
_VERSION = "980.77.2"
_PSI = "0A0B0C0D-0000-4000-8000-0A0B0C0D0E01"


def homepod(name: str = "Pod", **details: Any) -> AirPlay2Receiver:
    """Return a HomePod; the details are those of AirPlay2Receiver.

    Its plain answer to /info has neither its software nor its group.
    """
    quirks = Quirks(
        keeps_own_clock=True,
        info_has_txt_on_request=True,
        info_needs_airplay_user_agent=True,
    )
    raop = {"am": _MODEL, "et": "0,3,5", "vs": _VERSION, "ov": "27.0", "fv": None}
    airplay = {
        "model": _MODEL,
        "osvers": "27.0",
        "srcvers": _VERSION,
        "igl": "1",
        "gcgl": "1",
        "psi": _PSI,
        "fex": "AMp/StBLNTwQoa7YDQ",
    }
    known: dict[str, Any] = {"quirks": quirks, "txt": raop, "airplay": airplay}
    return AirPlay2Receiver(name, **known | details)
