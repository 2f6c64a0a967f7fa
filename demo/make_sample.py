"""Compose the demo's sample and encode it: python -m demo.make_sample."""

import io
from pathlib import Path

import av  # noqa: TID251 - encodes
import numpy as np  # noqa: TID251 - makes samples and plays none
from PIL import Image

RATE = 44_100
SECONDS = 10
SAMPLE = Path(__file__).with_name("Morning light.mp3")
COVER_EDGE = 400
TAGS = {"title": "Morning light", "artist": "AirPlay speakers", "album": "Demo"}

# Notes of four chords as semitones from A4; one chord lasts eight steps.
CHORDS = ((-9, -5, -2, 3), (-14, -9, -5, 0), (-12, -7, -4, 0), (-14, -10, -7, -2))
PATTERN = (0, 2, 3, 1, 2, 3, 1, 2)
STEP_S = 0.28

type Sound = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def pluck(semitones: int, seconds: float) -> Sound:
    """Return a plucked string, each overtone fading faster than the one below."""
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 440 * 2 ** (semitones / 12)
    sound = np.zeros_like(time)
    for overtone in range(1, 6):
        fading = np.exp(-time * (1.6 + 1.4 * overtone))
        sound += np.sin(2 * np.pi * pitch * overtone * time) * fading / overtone**1.7
    plucked: Sound = sound * np.minimum(1, time / 0.004)
    return plucked


def pad(chord: tuple[int, ...], seconds: float) -> Sound:
    """Return a soft chord an octave lower that swells and fades."""
    time = np.arange(int(seconds * RATE)) / RATE
    swell = np.sin(np.pi * time / seconds) ** 2
    tones = [np.sin(2 * np.pi * 220 * 2 ** (note / 12) * time) for note in chord]
    swelling: Sound = np.sum(tones, axis=0) * swell
    return swelling


def compose() -> Sound:
    """Return two channels of music between -1 and 1."""
    music = np.zeros((2, SECONDS * RATE))
    chord_s = STEP_S * len(PATTERN)
    for bar, chord in enumerate(CHORDS):
        add(music, bar * chord_s, pad(chord, chord_s + 0.6) * 0.06, 0.5)
        for step, note in enumerate(PATTERN):
            right = 0.5 + 0.35 * np.sin(step * 1.7)
            start = bar * chord_s + step * STEP_S
            add(music, start, pluck(chord[note], 1.8) * 0.3, right)
    add(music, len(CHORDS) * chord_s, pluck(CHORDS[0][0], 1.8) * 0.4, 0.5)
    fade = np.minimum(1, (SECONDS - np.arange(SECONDS * RATE) / RATE) / 0.8)
    mastered: Sound = music / np.max(np.abs(music)) * 0.6 * fade
    return mastered


def add(music: Sound, start_s: float, sound: Sound, right: float) -> None:
    """Mix a sound in, between the left (0) and the right (1) speaker."""
    begin = int(start_s * RATE)
    room = sound[: music.shape[1] - begin]
    music[0, begin : begin + len(room)] += room * np.cos(right * np.pi / 2)
    music[1, begin : begin + len(room)] += room * np.sin(right * np.pi / 2)


def paint() -> io.BytesIO:
    """Return a cover as PNG: a sun that rises over a hill."""
    down, across = np.mgrid[0:COVER_EDGE, 0:COVER_EDGE] / COVER_EDGE
    night, dawn = np.array([38, 70, 120]), np.array([250, 190, 120])
    picture = night + (dawn - night) * down[..., None] ** 0.8
    from_sun = np.hypot(across - 0.5, down - 0.66)
    glow = np.exp(-((from_sun / 0.25) ** 2))[..., None] * 0.6
    picture = picture * (1 - glow) + np.array([255, 236, 180]) * glow
    picture[from_sun < 0.16] = (255, 246, 214)
    picture[down > 0.72 + 0.08 * np.sin(across * 4 + 0.6)] = (24, 62, 66)
    file = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).quantize(96).save(file, "PNG")
    file.seek(0)
    return file


def encode(music: Sound, path: Path) -> None:
    """Write an MP3 with tags and a cover."""
    with (
        av.open(str(path), "w", format="mp3") as container,
        av.open(paint(), "r") as cover,
    ):
        container.metadata.update(TAGS)
        stream = container.add_stream("libmp3lame", rate=RATE, layout="stereo")
        stream.bit_rate = 128_000
        picture = container.add_stream_from_template(cover.streams.video[0])
        picture.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(music.astype("f4"), "fltp", "stereo")
        frame.rate = RATE
        packet = next(cover.demux(video=0))
        packet.stream = picture
        container.mux(packet)
        container.mux([*stream.encode(frame), *stream.encode(None)])


if __name__ == "__main__":
    encode(compose(), SAMPLE)
