"""A minute of sound, played by the command line, arrives bit by bit."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import json
from pathlib import Path
import subprocess
import wave

import numpy as np
import pytest

from tests.program import RAOP

from .compare import compare, read_pcm, read_wav
from .conftest import StartShairport
from .network import Lab, Shairport

_SECONDS = 60
_RATE = 44_100
_PLAIN = {"et": "0,1", "cn": "0,1"}
_ENCRYPTED = _PLAIN | {"ek": "1"}


@dataclass(frozen=True)
class Case:
    """How one of the receivers is set up and played to."""

    mode: str
    txt: dict[str, str]
    password: str | None = None
    loss_percent: float = 0


CASES = {
    "5.x plain": Case("ap1", _PLAIN),
    "5.x encrypted": Case("ap1", _ENCRYPTED),
    "5.x losing 1 %": Case("ap1", _PLAIN, loss_percent=1),
    "5.x encrypted losing 5 %": Case("ap1", _ENCRYPTED, loss_percent=5),
    "3.3.8 plain": Case("ap1old", _PLAIN),
    "3.3.8 encrypted": Case("ap1old", _ENCRYPTED),
    "3.3.8 with a password": Case("ap1old", _ENCRYPTED, password="secret"),
    "3.3.8 losing 5 %": Case("ap1old", _PLAIN, loss_percent=5),
}


@dataclass(frozen=True)
class Played:
    """One case, played."""

    receiver: Shairport
    exit_code: int
    events: list[dict[str, object]]


def make_song(path: Path, seconds: int) -> None:
    """Write tones under noise, no two places alike."""
    random = np.random.default_rng(7)
    time = np.arange(seconds * _RATE)[:, None] / _RATE
    tones = 6000 * np.sin(2 * np.pi * np.array([220.0, 331.0]) * (1 + time / 90) * time)
    song = np.rint(tones + random.normal(0, 900, tones.shape)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(song.tobytes())


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a minute of sound that can be told from itself at any place."""
    path = tmp_path_factory.mktemp("song") / "song.wav"
    make_song(path, _SECONDS)
    return path


def raop(lab: Lab, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line on the sender's side."""
    return lab.run_in_sender_namespace([*RAOP, *arguments], timeout=_SECONDS + 30)


def play(lab: Lab, receiver: Shairport, case: Case, song: Path) -> Played:
    """Play the song to one receiver."""
    arguments = ["play", str(song), "--receiver", receiver.address, "--json"]
    for key, value in case.txt.items():
        arguments += ["--txt", f"{key}={value}"]
    if case.password:
        arguments += ["--password", case.password]
    receiver.set_loss(case.loss_percent)
    done = raop(lab, *arguments)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return Played(receiver, done.returncode, events)


@pytest.fixture(scope="module")
def played(lab: Lab, song: Path) -> dict[str, Played]:
    """Play to all of them at the same time: the minute is spent once."""
    receivers = {}
    for name, case in CASES.items():
        options = {"password": case.password} if case.password else {}
        receivers[name] = lab.start(case.mode, dict(options))
    with ThreadPoolExecutor(len(CASES)) as pool:
        plays = {
            name: pool.submit(play, lab, receivers[name], case, song)
            for name, case in CASES.items()
        }
        results = {name: each.result() for name, each in plays.items()}
    for receiver in receivers.values():
        receiver.set_loss(0)
        receiver.kill()
    return results


@pytest.mark.parametrize("name", CASES)
def test_every_frame_arrives_bit_by_bit(
    played: dict[str, Played], song: Path, name: str
) -> None:
    one = played[name]

    heard = compare(read_wav(song), read_pcm(one.receiver.pcm_path))

    assert one.exit_code == 0, one.events[-1:]
    assert heard.is_exact, heard
    assert heard.frames_equal == _SECONDS * _RATE
    assert one.receiver.statistics().missing == 0


def test_lost_packets_were_asked_for_again(played: dict[str, Played]) -> None:
    resends = [
        event["resent"]
        for name, one in played.items()
        if CASES[name].loss_percent == 5
        for event in one.events
        if event["event"] == "ended"
    ]

    assert len(resends) == 2
    assert all(isinstance(count, int) and count > 100 for count in resends)


def test_wrong_password_ends_with_one_line_and_its_own_code(
    lab: Lab, shairport: StartShairport, song: Path
) -> None:
    receiver = shairport("ap1old", password="secret")

    wrong = raop(
        lab, "play", song, "--receiver", receiver.address, "--password", "guess"
    )

    assert wrong.returncode == 4
    assert wrong.stderr.splitlines()[-1] == "the receiver refused the password"
    assert not receiver.pcm_path.exists() or not receiver.pcm_path.stat().st_size


@pytest.mark.parametrize("mode", ["ap1", "ap1old"])
def test_ten_pieces_in_a_row_are_heard_as_the_whole(
    lab: Lab, shairport: StartShairport, tmp_path: Path, mode: str
) -> None:
    receiver = shairport(mode)
    make_song(tmp_path / "whole.wav", 20)
    with wave.open(str(tmp_path / "whole.wav")) as whole:
        settings, pcm = whole.getparams(), whole.readframes(whole.getnframes())
    # No piece is a whole number of packets, so every seam is inside of one.
    edges = [at * (2 * _RATE + 17) * 4 for at in range(10)] + [len(pcm)]
    pieces = [tmp_path / f"{at}.wav" for at in range(10)]
    for piece, start, end in zip(pieces, edges[:-1], edges[1:], strict=True):
        with wave.open(str(piece), "wb") as file:
            file.setparams(settings)
            file.writeframes(pcm[start:end])

    played = raop(lab, "play", *pieces, "--receiver", receiver.address)

    assert played.returncode == 0, played.stderr
    heard = compare(read_wav(tmp_path / "whole.wav"), read_pcm(receiver.pcm_path))
    assert heard.is_exact, heard
