"""Files of codecs that lose a little."""

from collections.abc import Iterator
from dataclasses import replace

from ..judge import Loose
from ..row import Row, encoded, right_of
from ..workshop import Encoding

_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_MP3_OPTIONS: dict[str, tuple[str, ...]] = {
    "32k": ("-b:a", "32k"),
    "320k": ("-b:a", "320k"),
    "vbr0": ("-q:a", "0"),
    "vbr9": ("-q:a", "9"),
    "abr": ("-abr", "1", "-b:a", "160k"),
    "without-reservoir": ("-reservoir", "0"),
    "without-joint": ("-joint_stereo", "0"),
    "without-xing": ("-write_xing", "0"),
    "without-id3": ("-id3v2_version", "0"),
}
_AAC_CONTAINERS = (
    ("aac", "adts"),
    ("m4a", "ipod"),
    ("mp4", "mp4"),
    ("mov", "mov"),
    ("mka", "matroska"),
    ("ts", "mpegts"),
    ("3gp", "3gp"),
    ("flv", "flv"),
    ("nut", "nut"),
)
_AAC_RATES = (8000, 11025, 16000, 22050, 24000, 32000, 48000, 64000, 88200, 96000)
_MP4_OPTIONS: dict[str, tuple[str, ...]] = {
    "faststart": ("-movflags", "+faststart"),
    "fragmented": ("-movflags", "+frag_keyframe+empty_moov"),
    "fragments-of-half-a-second": (
        *("-movflags", "+empty_moov+default_base_moof"),
        *("-frag_duration", "500000"),
    ),
    "without-edit-list": ("-use_editlist", "0"),
    "dash": ("-movflags", "+dash"),
}
_PADDED: dict[str, int | None] = {
    "without-edit-list": 66227 + 1024,
    "fragmented": None,
    "fragments-of-half-a-second": None,
    "dash": None,
}
_WRONG_BANDS = Loose("ffmpeg 5 has the wrong bands for MPEG-2 at 24 kHz", 0, 0.98)
_LOOSE = {
    ("wav", "adpcm_ima_wav"): Loose("ffmpeg 5 rounds each step down", 0, 0.9999),
    ("mp4", "ac3"): Loose("its end is in milliseconds", 48, 0.9999),
}
# Extension, muxer, codec, rates, layout.
_OTHERS = (
    ("mp2", "mp2", "mp2", (32000, 44100, 48000), "stereo"),
    ("mp2", "mp2", "libtwolame", (44100,), "mono"),
    ("mpg", "mpeg", "mp2", (48000,), "stereo"),
    ("vob", "vob", "ac3", (48000,), "stereo"),
    ("ts", "mpegts", "mp2", (48000,), "stereo"),
    ("ts", "mpegts", "libmp3lame", (44100,), "stereo"),
    ("ts", "mpegts", "ac3", (48000,), "stereo"),
    ("ts", "mpegts", "libopus", (48000,), "stereo"),
    ("m2ts", "mpegts", "s302m", (48000,), "stereo"),
    ("mka", "matroska", "libmp3lame", (44100,), "stereo"),
    ("mka", "matroska", "ac3", (48000,), "5.1"),
    ("mp4", "mp4", "libmp3lame", (44100,), "stereo"),
    ("mp4", "mp4", "ac3", (48000,), "stereo"),
    ("mp4", "mp4", "libopus", (48000,), "stereo"),
    ("avi", "avi", "libmp3lame", (44100,), "stereo"),
    ("avi", "avi", "ac3", (48000,), "stereo"),
    ("wav", "wav", "libmp3lame", (44100,), "stereo"),
    ("flv", "flv", "libmp3lame", (44100,), "stereo"),
    ("ac3", "ac3", "ac3", (32000, 44100, 48000), "stereo"),
    ("ac3", "ac3", "ac3", (48000,), "5.1(side)"),
    ("ac3", "ac3", "ac3", (48000,), "mono"),
    ("eac3", "eac3", "eac3", (44100, 48000), "stereo"),
    ("eac3", "eac3", "eac3", (48000,), "5.1(side)"),
    ("dts", "dts", "dca", (44100, 48000), "stereo"),
    ("dts", "dts", "dca", (48000,), "5.1(side)"),
    ("spdif.wav", "wav", "ac3", (48000,), "stereo"),
    ("ogg", "ogg", "libspeex", (8000, 16000, 32000), "mono"),
    ("wma", "asf", "wmav1", (44100,), "stereo"),
    ("wma", "asf", "wmav2", (22050, 44100, 48000), "stereo"),
    ("wma", "asf", "wmav2", (44100,), "mono"),
    ("wav", "wav", "wmav2", (44100,), "stereo"),
    ("rm", "rm", "ac3", (44100,), "stereo"),
    ("ra", "rm", "real_144", (8000,), "mono"),
    ("wav", "wav", "adpcm_ima_wav", (22050, 44100), "stereo"),
    ("wav", "wav", "adpcm_ms", (22050, 44100), "stereo"),
    ("wav", "wav", "adpcm_yamaha", (44100,), "stereo"),
    ("wav", "wav", "g722", (16000,), "mono"),
    ("wav", "wav", "g726", (8000,), "mono"),
    ("wav", "wav", "libgsm_ms", (8000,), "mono"),
    ("aiff", "aiff", "adpcm_ima_qt", (44100,), "stereo"),
    ("gsm", "gsm", "libgsm", (8000,), "mono"),
    ("flv", "flv", "adpcm_swf", (44100,), "stereo"),
    ("flv", "flv", "nellymoser", (22050,), "mono"),
    ("sbc", "sbc", "sbc", (44100,), "stereo"),
)


def rows() -> Iterator[Row]:
    """Yield the rows of this kind."""
    yield from _mp3()
    yield from _aac()
    yield from _xiph()
    for extension, muxer, codec, rates, layout in _OTHERS:
        for rate in rates:
            name = f"{extension}-{codec}-{rate}-{layout}"
            wanted = Encoding(codec, muxer, rate, layout)
            right = replace(right_of(wanted), loose=_LOOSE.get((muxer, codec)))
            yield encoded(name, "lossy", extension.rpartition(".")[2], wanted, right)


def _mp3() -> Iterator[Row]:
    for rate in _MP3_RATES:
        for layout in ("stereo", "mono"):
            wanted = Encoding("libmp3lame", "mp3", rate, layout)
            loose = _WRONG_BANDS if rate == 24000 else None
            right = replace(right_of(wanted), loose=loose)
            yield encoded(f"mp3-{rate}-{layout}", "mp3", "mp3", wanted, right)
    for name, options in _MP3_OPTIONS.items():
        wanted = Encoding("libmp3lame", "mp3", options=options)
        yield encoded(f"mp3-{name}", "mp3", "mp3", wanted)
    yield encoded("mp3-shine", "mp3", "mp3", Encoding("libshine", "mp3"))


def _aac() -> Iterator[Row]:
    # Otherwise noise is replaced by random noise, of which no two decoders make the same.
    exact: tuple[str, ...] = ("-aac_pns", "0")
    for extension, muxer in _AAC_CONTAINERS:
        wanted = Encoding("aac", muxer, options=exact)
        yield encoded(f"{extension}-aac", "aac", extension, wanted)
    for rate in _AAC_RATES:
        for extension, muxer in _AAC_CONTAINERS[:2]:
            wanted = Encoding("aac", muxer, rate, options=exact)
            yield encoded(f"{extension}-aac-{rate}", "aac", extension, wanted)
    for layout in ("mono", "3.0", "4.0", "5.0", "5.1", "7.1"):
        wanted = Encoding("aac", "ipod", 48000, layout, options=exact)
        yield encoded(f"m4a-aac-{layout}", "aac", "m4a", wanted)
    for name, options in _MP4_OPTIONS.items():
        wanted = Encoding("aac", "mp4", options=exact + options)
        right = right_of(wanted)
        if name in _PADDED:
            # Nothing says where the sound begins, or where it ends.
            right = replace(right, most_frames=_PADDED[name])
        yield encoded(f"mp4-aac-{name}", "aac", "mp4", wanted, right)
    latm = Encoding("aac", "latm", options=exact)
    yield encoded("latm-aac", "aac", "latm", latm)


def _xiph() -> Iterator[Row]:
    vorbis = (("ogg", "ogg"), ("mka", "matroska"), ("webm", "webm"))
    for extension, muxer in vorbis:
        for rate, layout in ((44100, "stereo"), (22050, "mono"), (48000, "5.1")):
            wanted = Encoding("libvorbis", muxer, rate, layout)
            name = f"{extension}-vorbis-{rate}-{layout}"
            yield encoded(name, "xiph", extension, wanted)
    for quality in ("-1", "10"):
        wanted = Encoding("libvorbis", "ogg", options=("-q:a", quality))
        yield encoded(f"ogg-vorbis-quality-{quality}", "xiph", "ogg", wanted)
    opus = (("opus", "opus"), ("webm", "webm"), ("mka", "matroska"))
    for extension, muxer in opus:
        for layout in ("mono", "stereo", "5.1", "7.1"):
            wanted = Encoding("libopus", muxer, 48000, layout)
            yield encoded(f"{extension}-opus-{layout}", "xiph", extension, wanted)
    for duration in ("2.5", "5", "10", "40", "60", "120"):
        options = ("-frame_duration", duration)
        wanted = Encoding("libopus", "opus", 48000, options=options)
        yield encoded(f"opus-frames-of-{duration}-ms", "xiph", "opus", wanted)
    for rate in (8000, 12000, 16000, 24000):
        for use in ("voip", "audio"):
            kind = ("-application", use, "-b:a", "24k")
            wanted = Encoding("libopus", "opus", rate, "mono", options=kind)
            yield encoded(f"opus-{use}-{rate}", "xiph", "opus", wanted)
