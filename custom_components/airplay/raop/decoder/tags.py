"""Tags and covers of containers, converted to this package's types."""

from collections.abc import Mapping
import math
import re

from ..audio.events import Cover
from ..media import MAX_PICTURE_BYTES, Loudness, Tags, picture_type

# The cover must fit one line to the owner of the process.
MAX_COVER_BYTES = MAX_PICTURE_BYTES
_MAX_TEXT = 1000
# Cleaning shortens a text; nobody reads what is left of a longer one.
_MAX_RAW_TEXT = 8 * _MAX_TEXT
_TRACK = re.compile(r"\s*(\d{1,6})")
_GAIN = re.compile(r"([+-]?\d{1,2}(?:\.\d{1,9})?)\s*+(?:dB)?", re.IGNORECASE)
_PEAK = re.compile(r"(\d{1,2}(?:\.\d{1,9})?)")
_R128_GAIN = re.compile(r"([+-]?\d{1,5})")
# R128 tags count in 1/256 dB from -23 LUFS (RFC 7845, 5.2.1), ReplayGain 2 from -18 LUFS.
_R128_STEPS = 256
_R128_OFFSET_DB = 5.0


def tags_from(*dictionaries: Mapping[str, str]) -> Tags:
    """Parse tags of any spelling; the first value in the dictionaries wins."""
    words: dict[str, str] = {}
    for dictionary in dictionaries:
        for key, value in dictionary.items():
            if text := _clean(value):
                words.setdefault(_key(key), text)
    return Tags(
        title=words.get("title"),
        artist=words.get("artist"),
        album=words.get("album"),
        album_artist=words.get("albumartist"),
        track=_track(words.get("track") or words.get("tracknumber")),
    )


def factor_from(loudness: Loudness, *dictionaries: Mapping[str, str]) -> float:
    """Return the factor to which loudness tags amount, which never makes sound clip.

    Without those of the album, those of the track count, and the other way around. If
    the peak is unknown, nothing gets louder.
    """
    if loudness is Loudness.OFF:
        return 1.0
    words = {
        _key(key): value[:_MAX_TEXT]
        for dictionary in reversed(dictionaries)
        for key, value in dictionary.items()
    }
    order = ["album", "track"] if loudness is Loudness.ALBUM else ["track", "album"]
    for scope in order:
        if (gain_db := _gain_db(words, scope)) is not None:
            peak = _number(_PEAK, words.get(f"replaygain{scope}peak"))
            # A peak of nothing is that of an empty tag.
            most = 1.0 / peak if peak else 1.0
            return min(math.pow(10.0, gain_db / 20.0), most)
    return 1.0


def _gain_db(words: Mapping[str, str], scope: str) -> float | None:
    gain_db = _number(_GAIN, words.get(f"replaygain{scope}gain"))
    if gain_db is not None:
        return gain_db
    # Keys are compared without digits.
    steps = _number(_R128_GAIN, words.get(f"r{scope}gain"))
    return None if steps is None else steps / _R128_STEPS + _R128_OFFSET_DB


def _number(pattern: re.Pattern[str], text: str | None) -> float | None:
    found = pattern.fullmatch((text or "").strip())
    return float(found[1]) if found else None


def tags_from_title(title: str) -> Tags:
    """Parse a radio's title, which most stations write as artist - title."""
    title = _clean(title)
    artist, dash, song = title.partition(" - ")
    if dash and artist.strip() and song.strip():
        return Tags(title=song.strip(), artist=artist.strip())
    return Tags(title=title or None)


def cover_from(picture: bytes) -> Cover | None:
    """Return the cover for a picture of a known kind that is not too big."""
    if not picture or len(picture) > MAX_COVER_BYTES:
        return None
    content_type = picture_type(picture)
    return Cover(picture, content_type) if content_type else None


def _key(key: str) -> str:
    return re.sub(r"[^a-z]", "", key.lower())


def _clean(text: str) -> str:
    # NUL separates several values of one ID3 frame.
    text = text[:_MAX_RAW_TEXT].replace("\0", "; ")
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_MAX_TEXT]


def _track(text: str | None) -> int | None:
    match = _TRACK.match(text or "")
    return int(match[1]) if match else None
