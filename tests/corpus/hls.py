"""HLS presentations, as files beside their playlist (RFC 8216)."""

from collections.abc import Callable, Mapping
from functools import cache, partial
import re

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from .judge import Plays
from .workshop import Encoding, Workshop

PLAYLIST = "p.m3u8"
_SECONDS = 4.0
_SOURCE = Encoding("pcm_s16le", "wav", seconds=_SECONDS)
_OTHER = Encoding("pcm_s16le", "wav", seconds=_SECONDS, seed=2)
_SLOW = Encoding("pcm_s16le", "wav", 48000, seconds=_SECONDS, seed=2)
# What ffmpeg must be allowed, as a browser does.
_OPTIONS = ("-allowed_extensions", "ALL", "-extension_picky", "0")


type Files = dict[str, bytes]


@cache
def presentation(
    workshop: Workshop,
    codec: str = "aac",
    segments: str = "s%d.ts",
    source: Encoding = _SOURCE,
    options: tuple[str, ...] = (),
) -> Files:
    """Return a playlist of segments of a second each, and the segments.

    Rows share them, and change copies.
    """
    exact = ("-aac_pns", "0") if codec == "aac" else ()
    kind = ("-hls_segment_type", "fmp4") if segments.endswith((".m4s", ".mp4")) else ()
    return workshop.convert(
        {"in.wav": workshop.encode(source)},
        *("-i", "in.wav", "-c:a", codec, *exact, "-strict", "experimental"),
        *("-f", "hls", "-hls_time", "1"),
        *("-hls_list_size", "0", "-hls_playlist_type", "vod", *kind),
        *("-hls_segment_filename", segments, *options),
        out=PLAYLIST,
    )


@cache
def packets(workshop: Workshop, codec: str, muxer: str) -> Files:
    """Return a playlist of segments that are bare packets of a codec."""
    exact = ("-aac_pns", "0") if codec == "aac" else ()
    return workshop.convert(
        {"in.wav": workshop.encode(_SOURCE)},
        *("-i", "in.wav", "-c:a", codec, *exact, "-f", "segment"),
        *("-segment_format", muxer, "-segment_time", "1"),
        *("-segment_list_size", "0", "-segment_list", PLAYLIST),
        out=f"s%d.{'aac' if muxer == 'adts' else muxer}",
    )


def renamed(files: Files, old: str, new: str) -> Files:
    """Return files whose names, and the lines about them, are different."""
    text = files[PLAYLIST].decode()
    names = {name: re.sub(old, new, name) for name in files if name != PLAYLIST}
    for name, other in names.items():
        text = text.replace(name, other)
    return {PLAYLIST: text.encode()} | {
        other: files[name] for name, other in names.items()
    }


def edited(files: Files, edit: Callable[[str], str]) -> Files:
    """Return files with another text of the playlist."""
    return files | {PLAYLIST: edit(files[PLAYLIST].decode()).encode()}


def named(files: Files, name: str, content: str) -> Files:
    """Return files behind a playlist that leads to the other one."""
    return {name: content.encode(), **files}


def joined(first: Files, second: Files) -> Files:
    """Return a presentation that changes to another one, with a discontinuity."""
    other = renamed(second, "^", "b_")
    text = first[PLAYLIST].decode().replace("#EXT-X-ENDLIST", "#EXT-X-DISCONTINUITY")
    lines = other.pop(PLAYLIST).decode().splitlines()
    heads = ("#EXTINF", "#EXT-X-MAP", "#EXT-X-ENDLIST")
    kept = [line for line in lines if line.startswith(heads) or line[:1] != "#"]
    return first | other | {PLAYLIST: f"{text}{'\n'.join(kept)}\n".encode()}


def encrypted(files: Files) -> Files:
    """Return a presentation of encrypted segments (AES-128), and their key."""
    key, start = bytes(range(16)), bytes(16)

    def sealed(content: bytes) -> bytes:
        padder = PKCS7(128).padder()
        padded = padder.update(content) + padder.finalize()
        encryptor = Cipher(AES(key), CBC(start)).encryptor()
        return encryptor.update(padded) + encryptor.finalize()

    line = f'#EXT-X-KEY:METHOD=AES-128,URI="key.bin",IV=0x{start.hex()}\n#EXTINF'
    made = edited(files, lambda text: text.replace("#EXTINF", line, 1))
    for name in files:
        if name != PLAYLIST:
            made[name] = sealed(files[name])
    return made | {"key.bin": key}


def in_one_file(files: Mapping[str, bytes]) -> Files:
    """Return a presentation whose segments are ranges of one file."""
    lines, whole, at = [], bytearray(), 0
    for line in files[PLAYLIST].decode().splitlines():
        if line in files:
            whole += files[line]
            lines += [f"#EXT-X-BYTERANGE:{len(files[line])}@{at}", "all.ts"]
            at = len(whole)
        else:
            lines.append(line)
    return {PLAYLIST: "\n".join(lines).encode(), "all.ts": bytes(whole)}


def master(*variants: str) -> str:
    """Return a master playlist of variants, each with more bits than the one before."""
    lines = ["#EXTM3U"]
    for number, variant in enumerate(variants, 1):
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={number * 64000}", variant]
    return "\n".join([*lines, ""])


def _begun(files: Files, before: str) -> Files:
    """Return files behind a playlist that begins with something else."""
    return named(files, "odd.m3u8", before + files[PLAYLIST].decode())


_ALTERNATE = (
    '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="p.m3u8"\n'
    '#EXT-X-STREAM-INF:BANDWIDTH=64000,AUDIO="a"\np.m3u8\n'
)

# By name, each of a workshop.
PRESENTATIONS: dict[str, Callable[[Workshop], Files]] = {
    "ts": presentation,
    "aac": partial(packets, codec="aac", muxer="adts"),
    "mp3": partial(packets, codec="libmp3lame", muxer="mp3"),
    "fmp4": partial(presentation, segments="s%d.m4s"),
    "ac3": partial(presentation, codec="ac3"),
    "ts-mp3": partial(presentation, codec="libmp3lame"),
    "flac-fmp4": partial(presentation, codec="flac", segments="s%d.m4s"),
    "ext_none": lambda workshop: renamed(presentation(workshop), r"\.ts$", ""),
    "ext_php": lambda workshop: renamed(presentation(workshop), r"\.ts$", ".php"),
    "ext_image": lambda workshop: renamed(presentation(workshop), r"\.ts$", ".png"),
    "aac_none": lambda workshop: renamed(
        packets(workshop, "aac", "adts"), r"\.aac$", ""
    ),
    "fmp4_none": lambda workshop: renamed(
        presentation(workshop, segments="s%d.m4s"), r"\.(m4s|mp4)$", ""
    ),
    "bom": lambda workshop: _begun(presentation(workshop), "\ufeff"),
    "blank-first-line": lambda workshop: _begun(presentation(workshop), "\n"),
    "windows-lines": lambda workshop: edited(
        presentation(workshop), lambda text: text.replace("\n", "\r\n")
    ),
    "encrypted": lambda workshop: encrypted(presentation(workshop)),
    "byte-ranges": lambda workshop: in_one_file(presentation(workshop)),
    "without-version": lambda workshop: edited(
        presentation(workshop), lambda text: re.sub(r"#EXT-X-VERSION.*\n", "", text)
    ),
    "sequence-7": lambda workshop: edited(
        presentation(workshop), lambda text: text.replace("SEQUENCE:0", "SEQUENCE:7")
    ),
    "discontinuity": lambda workshop: joined(
        presentation(workshop), presentation(workshop, source=_OTHER)
    ),
    "map": lambda workshop: joined(
        presentation(workshop, segments="s%d.m4s"),
        presentation(workshop, segments="s%d.m4s", source=_OTHER),
    ),
    "other-rate": lambda workshop: joined(
        presentation(workshop), presentation(workshop, source=_SLOW)
    ),
    "master": lambda workshop: named(
        presentation(workshop), "m.m3u8", master("p.m3u8")
    ),
    "master_dead": lambda workshop: named(
        presentation(workshop), "m.m3u8", master("missing.m3u8", "p.m3u8")
    ),
    "master_dead_last": lambda workshop: named(
        presentation(workshop), "m.m3u8", master("p.m3u8", "missing.m3u8")
    ),
    "alternate": lambda workshop: named(presentation(workshop), "m.m3u8", _ALTERNATE),
    "in-a-list": lambda workshop: named(presentation(workshop), "l.m3u", "p.m3u8\n"),
}
# The lists that ffmpeg 5 cannot read are judged by what they lead to.
LEADING = {
    "bom",
    "blank-first-line",
    "master",
    "master_dead",
    "master_dead_last",
    "alternate",
    "in-a-list",
}


def right_of(name: str) -> Plays:
    """Return what is right for a presentation."""
    of = (PLAYLIST,) if name in LEADING else ()
    return Plays(options=_OPTIONS, of=of)
