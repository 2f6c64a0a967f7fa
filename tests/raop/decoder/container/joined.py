"""Media of each kind that can be joined as bytes, without anything of an encoder's own."""

from functools import cache

from tests.raop.audio.media import RATE, encode, noise

# Otherwise a frame at the beginning tells how long the first part is.
PLAIN_MP3 = {"write_xing": "0", "id3v2_version": "0"}
RATES = {"opus": 48000, "mp3 mono": 48000, "flac 24": 96000, "ogg flac 24": 48000}


@cache
def media(kind: str, seconds: float = 1.0, seed: int = 1) -> bytes:
    """Return media of a kind."""
    rate = RATES.get(kind, RATE)
    frames = round(seconds * rate)
    stereo, mono = noise(frames, seed=seed), noise(frames, channels=1, seed=seed)
    match kind:
        case "mp3":
            return encode("mp3", "libmp3lame", stereo, options=PLAIN_MP3)
        case "mp3 mono":
            return encode(
                "mp3", "libmp3lame", mono, rate=rate, layout="mono", options=PLAIN_MP3
            )
        case "aac":
            return encode("adts", "aac", stereo, codec_options={"aac_pns": "0"})
        case "flac" | "ogg flac":
            return encode(
                kind.split(maxsplit=1)[0], "flac", stereo, sample_format="s16"
            )
        case "flac 24" | "ogg flac 24":
            return encode(
                kind.split(maxsplit=1)[0],
                "flac",
                stereo,
                rate=rate,
                sample_format="s32",
            )
        case "ogg flac mono":
            return encode("ogg", "flac", mono, layout="mono", sample_format="s16")
        case "vorbis":
            return encode(
                "ogg",
                "vorbis",
                stereo,
                codec_options={"strict": "-2"},
                sample_format="fltp",
            )
    return encode("opus", "libopus", stereo, rate=rate, sample_format="flt")
