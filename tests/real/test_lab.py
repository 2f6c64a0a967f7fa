"""The lab itself: receivers start, lose packets and die; captures compare."""

from dataclasses import dataclass
from pathlib import Path
import socket

import numpy as np
import pytest

from .clicks import BUFFER_S, RATE, Track, heard_clicks, measure, sounds_from_s
from .compare import Frames, compare, frames
from .conftest import StartShairport
from .shairport_lab import Lab, Statistics, parse_statistics

OPTIONS = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"


@pytest.fixture(scope="module")
def song() -> Frames:
    """Two seconds of noise."""
    noise = np.random.default_rng(3).integers(0, 256, 4 * 88_200, np.uint8)
    return frames(noise.tobytes())


def silence(count: int) -> Frames:
    """Return silent frames."""
    return np.zeros(count, np.uint32)


def test_capture_with_silence_around_it_is_exact(song: Frames) -> None:
    result = compare(song, np.concatenate([silence(700), song, silence(99)]))

    assert result.is_exact
    assert result.frames_compared == len(song)


def test_cut_off_start_shows_in_the_first_offset(song: Frames) -> None:
    result = compare(song, song[1000:])

    assert (result.first_offset, result.missing) == (1000, 0)
    assert not result.is_exact


def test_lost_packet_is_missing_whether_or_not_silence_is_in_its_place(
    song: Frames,
) -> None:
    left_out = compare(song, np.concatenate([song[:35_200], song[35_552:]]))
    silenced = song.copy()
    silenced[35_200:35_552] = 0

    assert left_out.missing == compare(song, silenced).missing == 352


def test_frame_too_many_is_not_exact(song: Frames) -> None:
    result = compare(song, np.concatenate([song[:500], song[499:]]))

    assert result.missing == 0
    assert result.frames_compared == result.frames_equal + 1
    assert not result.is_exact


def test_different_sound_is_not_equal(song: Frames) -> None:
    result = compare(song, song[::-1])

    assert result.frames_equal == 0
    assert result.missing == len(song)


def test_statistics_of_both_versions_are_read() -> None:
    new = (
        '   8.005 "player.c:4125" Missing |   Late | Too Late | Resend Reqs | Max\n'
        '   8.005 "player.c:4125"       1       92          3            95   257\n'
        '   4.425 "player.c:3357" Connection 1: Playback stopped.\n'
    )
    old = (
        "total packets, missing packets, late packets, too late packets, "
        "resend requests, min buffer occupancy\n"
        "        2006,      1,     92,      3,     95,  255\n"
    )

    assert parse_statistics(new) == parse_statistics(old) == Statistics(1, 92, 3, 95)


@dataclass(frozen=True)
class FakeRecording:
    """The recording that a receiver would have made."""

    pcm_path: Path
    index_path: Path


def write_recording(
    folder: Path, track: Track, line_s: float, off_s: float, seed: int
) -> FakeRecording:
    """Play a track that much too late; each block comes up to 5 ms later still."""
    random = np.random.default_rng(seed)
    recording = FakeRecording(folder / f"{seed}.pcm", folder / f"{seed}.idx")
    with track.path.open("rb") as wav:
        pcm = wav.read()[44:]
    recording.pcm_path.write_bytes(pcm)
    rows = []
    for place in range(0, len(pcm), 1408):
        due_s = line_s - BUFFER_S + off_s + place / 4 / RATE
        at_ns = round((due_s + random.uniform(0, 0.005)) * 1e9)
        rows.append(f"{at_ns} {place} {len(pcm[place : place + 1408])}\n")
    recording.index_path.write_text("".join(rows))
    return recording


def test_spread_of_receivers_follows_from_their_earliest_blocks(
    tmp_path: Path,
) -> None:
    track = Track.write(tmp_path / "clicks.wav", 30)
    recordings = [
        write_recording(tmp_path, track, 100, off_s, seed)
        for seed, off_s in enumerate((0, 0.002), 1)
    ]

    found = measure([heard_clicks(each, track) for each in recordings], 100, settle_s=1)

    assert found.clicks == 29
    assert found.spread.p50_ms == pytest.approx(2, abs=0.2)
    assert found.line.max_ms == pytest.approx(2.2, abs=0.6)
    assert found.blocks.p99_ms == pytest.approx(4.8, abs=0.5)
    assert 0 < found.resolution.p50_ms < 1
    assert sounds_from_s(recordings[1], 110) == pytest.approx(110.007, abs=0.011)


@pytest.mark.usefixtures("sender_namespace")
@pytest.mark.parametrize(
    ("mode", "options", "status"),
    [
        ("ap1", {}, b"200"),
        ("ap1mid", {}, b"200"),
        ("ap1mid", {"password": "secret"}, b"401"),
        ("ap1old", {"port": 5050}, b"200"),
        ("ap1old", {"password": "secret"}, b"401"),
        ("shairplay", {"port": 5050}, b"200"),
        ("nodetunes", {}, b"200"),
    ],
)
def test_receivers_answer(
    shairport: StartShairport, mode: str, options: dict[str, object], status: bytes
) -> None:
    receiver = shairport(mode, **options)

    with socket.create_connection((receiver.host, receiver.port), 5) as connection:
        connection.sendall(OPTIONS)
        assert connection.recv(1000).split()[1] == status


def test_killed_receiver_refuses_until_it_is_restarted(
    lab: Lab, shairport: StartShairport
) -> None:
    receiver = shairport("ap1", name="Kitchen")
    knock = ["bash", "-c", f"exec 3<>/dev/tcp/{receiver.host}/{receiver.port}"]

    receiver.kill()
    assert lab.run_in_sender_namespace(knock).returncode
    receiver.restart()
    assert not lab.run_in_sender_namespace(knock).returncode
