"""The TXT records with which a receiver announces its features."""

from collections.abc import Mapping
import plistlib

# shairport-sync's classic build (bonjour_strings.c); without its `ek` and the
# 1 of `et`, which make a sender encrypt
_RAOP = {
    "txtvers": "1",
    "ch": "2",
    "cn": "0,1",
    "da": "true",
    "et": "0",
    "md": "0,1,2",
    "pw": "false",
    "sf": "0x4",
    "sm": "false",
    "sr": "44100",
    "ss": "16",
    "sv": "false",
    "tp": "TCP,UDP",
    "vn": "65537",
    "vs": "105.1",
    "am": "ShairportSync",
    "fv": "5.1",
}


def raop_txt(
    changes: Mapping[str, str | None],
    password: str | None,
    *,
    is_keyed: bool,
    is_gated: bool = False,
) -> dict[str, str]:
    """Return the record of `_raop._tcp`; a change to None removes a key."""
    record: dict[str, str | None] = dict(_RAOP)
    if is_keyed:
        record |= {"et": "0,1", "ek": "1"}
    if password is not None:
        record["pw"] = "true"
    if is_gated:
        record["sf"] = "0x204"
    record |= changes
    return {key: value for key, value in record.items() if value is not None}


def info(txt: Mapping[str, str], receiver_id: str) -> bytes:
    """Return the answer of a receiver with such a record to GET /info."""
    words = [int(word, 16) for word in txt.get("ft", "0x0").split(",")]
    told = {
        "deviceID": ":".join(receiver_id[at : at + 2] for at in range(0, 12, 2)),
        "features": sum(word << 32 * at for at, word in enumerate(words)),
        "model": txt["am"],
        "statusFlags": int(txt["sf"], 16),
    }
    return plistlib.dumps(told, fmt=plistlib.FMT_BINARY)


def airplay_txt(receiver_id: str, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return a record of `_airplay._tcp` for a receiver of AirPlay 1."""
    pairs = [receiver_id[at : at + 2] for at in range(0, 12, 2)]
    record: dict[str, str | None] = {
        "deviceid": ":".join(pairs),
        "features": "0x445C0A00",
        "flags": "0x4",
        "model": "ShairportSync",
        "srcvers": "105.1",
        **changes,
    }
    return {key: value for key, value in record.items() if value is not None}
