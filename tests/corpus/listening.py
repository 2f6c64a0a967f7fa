"""Play a row of the corpus through the product's decoder processes, and compare."""

from collections.abc import Sequence
from pathlib import Path
import threading
import time

import numpy as np

from custom_components.airplay.raop.audio.events import Ended, Failed, Opened, Retitled
from tests.raop.audio.conftest import Play
from tests.raop.audio.recorder import Played

from .judge import RATE, Fails, GoesOn, Pcm, Plays, decoded, difference, without_padding
from .row import Row

_PATIENCE_S = 20.0
_FRAME_BYTES = 4
# What goes on for longer than it should has begun again.
_SURPLUS_FRAMES = RATE
_HELD_FRAMES = RATE // 4


def check(row: Row, address: str, folder: Path, first: Path, play: Play) -> None:
    """Play a row at an address, and assert that what is right happens.

    `first` is the first of its files in the folder, as ffmpeg decodes it.
    """
    right = row.right
    if isinstance(right, Fails):
        _check_failure(play(address), right)
        return
    of = [folder / each for each in right.of] or [first]
    wanted = decoded(of, right)
    frames = sum(map(len, wanted))
    start_ms = right.start_ms if isinstance(right, Plays) else 0
    played = play(address, position_ms=start_ms)
    if isinstance(right, GoesOn):
        _check_live(played, wanted, right)
        return
    heard = _heard(played, frames + _SURPLUS_FRAMES)
    failed = played.heard.of(Failed)
    assert not failed, f"{failed[0].error!r} after {len(heard)} of {frames} frames"
    _assert_alike(heard, wanted, right)
    assert played.heard.of(Ended), f"{len(heard)} frames, and no end"
    tags = played.heard.wait_for(Opened).tags
    found = {key: getattr(tags, key) for key in right.tags}
    assert found == right.tags, f"its tags are {found}"


def _check_failure(played: Played, right: Fails) -> None:
    heard = _heard(played, _SURPLUS_FRAMES)
    failed = played.heard.of(Failed)
    assert failed, f"{len(heard)} frames play"
    [failure] = failed
    is_right = type(failure.error) is right.error
    assert is_right, f"{failure.error!r} instead of {right}"
    text = f"Cannot play the song: {right.reason}"
    assert str(failure.error) == text, f"{failure.error!r} instead of {right}"
    assert not len(heard), f"{len(heard)} frames play before it"


def _check_live(played: Played, wanted: list[Pcm], right: GoesOn) -> None:
    # The last blocks come when more follow.
    wanted[-1] = wanted[-1][:-_HELD_FRAMES]
    frames = sum(map(len, wanted))
    heard = _heard(played, frames)[:frames]
    _assert_alike(heard, wanted, right)
    assert not played.heard.of(Ended), "it has ended"
    assert not played.heard.of(Failed), f"{played.failure().error!r}"
    opened = played.heard.wait_for(Opened)
    titles = [opened.tags.title, *(e.tags.title for e in played.heard.of(Retitled))]
    shown = [each for each in titles if each][: len(right.titles)]
    assert shown == [*right.titles], f"its titles are {shown}"


def _assert_alike(heard: Pcm, wanted: list[Pcm], right: Plays | GoesOn) -> None:
    parts: Sequence[Pcm] = wanted
    if isinstance(right, Plays) and right.most_frames:
        heard, parts = without_padding(heard, wanted, right.most_frames)
    apart = difference(heard, parts, right.loose)
    assert not apart, apart


def _heard(played: Played, most_frames: int) -> Pcm:
    """Return the sound until it ends or fails, or up to so many frames."""
    pieces = bytearray()
    idle = threading.Event()
    until = time.monotonic() + _PATIENCE_S
    while not played.source.is_exhausted and len(pieces) < most_frames * _FRAME_BYTES:
        assert time.monotonic() < until, (
            f"{len(pieces) // _FRAME_BYTES} frames, then neither an end nor an error"
        )
        if piece := played.source.read(8192):
            pieces += piece
        else:
            idle.wait(0.001)
    return np.frombuffer(bytes(pieces), "<i2").reshape(-1, 2)
