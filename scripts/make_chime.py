"""Make custom_components/airplay/sounds/chime.wav: two soft bells, a fourth apart.

The output is the same every time, so that every change of the chime is in this file.
"""

import math
from pathlib import Path
import struct
import sys
import wave

FILE = (
    Path(__file__).parents[1] / "custom_components" / "airplay" / "sounds" / "chime.wav"
)
RATE = 44100
SECONDS = 0.8
# Below -6 dBFS, about as loud as a voice.
PEAK = 0.4

# Each bell: time of its stroke in seconds, tone in hertz, strength.
BELLS = ((0.0, 587.33, 1.0), (0.2, 783.99, 0.9))
# The partials of a bell: multiple of its tone, strength, and rate of decay.
PARTIALS = ((1.0, 1.0, 6.0), (2.0, 0.32, 9.0), (3.01, 0.12, 14.0))
ATTACK_S = 0.006
RELEASE_S = 0.12


def bell(since_s: float, hertz: float) -> float:
    """Return a bell's sound at a time since its stroke."""
    if since_s < 0:
        return 0.0
    attack = min(1.0, since_s / ATTACK_S)
    return attack * sum(
        strength
        * math.exp(-fading * since_s)
        * math.sin(2 * math.pi * multiple * hertz * since_s)
        for multiple, strength, fading in PARTIALS
    )


def samples() -> list[int]:
    """Return the chime, which begins and ends in silence."""
    total = round(SECONDS * RATE)
    sound = []
    for at in range(total):
        now = at / RATE
        release = min(1.0, (SECONDS - now) / RELEASE_S)
        sound.append(
            release
            * sum(level * bell(now - begin, hertz) for begin, hertz, level in BELLS)
        )
    scale = PEAK * 32767 / max(abs(each) for each in sound)
    return [round(each * scale) for each in sound]


def main() -> None:
    """Write the chime as 16-bit stereo, optionally to a given path."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(target), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"".join(struct.pack("<hh", each, each) for each in samples()))


if __name__ == "__main__":
    main()
