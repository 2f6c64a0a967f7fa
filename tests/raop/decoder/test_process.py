"""A decoder process without its process: what it answers to a job."""

from collections.abc import Iterator
import os
from pathlib import Path
import resource
import signal
import socket
import sys
import threading
from typing import Any

import pytest

from custom_components.airplay.raop.audio.decoder_link import (
    FrameKind,
    FrameReader,
    Job,
    decode_event,
    encode_event,
    encode_job,
)
from custom_components.airplay.raop.audio.events import Ended, Failure
from custom_components.airplay.raop.decoder import decoding, process
from custom_components.airplay.raop.decoder.track import Track, open_track

from ..audio.conftest import Keep
from ..audio.media import RATE, noise, wav

SONG = noise(3 * RATE)


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this process without a limit of its processor time."""
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)


def answers(job: bytes) -> list[tuple[FrameKind, bytes]]:
    """Return what is answered to a job."""
    ours, theirs = socket.socketpair()
    worker = threading.Thread(target=_run, args=(theirs,))
    worker.start()
    reader = FrameReader()
    found: list[tuple[FrameKind, bytes]] = []
    with ours:
        ours.sendall(job)
        while octets := ours.recv(1 << 16):
            found += reader.feed(octets)
    worker.join(10)
    return found


def _run(sock: socket.socket) -> None:
    with sock:
        process.run(sock)


def events_of(frames: list[tuple[FrameKind, bytes]]) -> list[object]:
    """Return the events among frames."""
    return [decode_event(each) for kind, each in frames if kind is FrameKind.EVENT]


def test_a_song_comes_whole_and_in_pieces(keep: Keep) -> None:
    frames = answers(encode_job(Job(url=keep("song.wav", wav(SONG)))))

    pieces = [content for kind, content in frames if kind is FrameKind.PCM]
    assert b"".join(pieces) == SONG.tobytes()
    # The reader wakes for each.
    assert len(pieces) < 40
    assert events_of(frames)[-1] == Ended()


def test_a_disk_that_fails_in_the_middle_is_reported(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_behind(blocks: Iterator[bytes]) -> Iterator[bytes]:
        yield next(blocks)
        raise OSError

    def open_failing(*arguments: Any) -> Track:
        track = open_track(*arguments)
        track.blocks = fail_behind(track.blocks)
        return track

    monkeypatch.setattr(decoding, "open_track", open_failing)

    frames = answers(encode_job(Job(url=keep("song.wav", wav(SONG)))))

    assert FrameKind.PCM in [kind for kind, _ in frames]
    assert events_of(frames)[-1] == Failure(
        "media_unreachable", "it can no longer be read"
    )


def test_a_file_that_may_not_be_read_is_forbidden(
    keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    path = keep("song.wav", wav(SONG))
    monkeypatch.setattr(Path, "open", refuse)

    (failure,) = events_of(answers(encode_job(Job(url=path))))

    assert failure == Failure("media_forbidden", "the file may not be read")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ZeroDivisionError("secret"), "decoding failed"),
        (MemoryError(), "it needs too much memory"),
    ],
)
def test_an_unexpected_error_still_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    reason: str,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(decoding, "open_track", fail)

    frames = answers(encode_job(Job(url="http://host/secret.mp3")))

    assert events_of(frames) == [Failure("media_failed", reason)]
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "job", [encode_event(Ended()), b"\x01\x00\x00\x00\x00", b"\xff" * 9]
)
def test_what_is_no_job_is_not_answered(job: bytes) -> None:
    assert answers(job) == []


def test_it_ends_when_nobody_reads(keep: Keep) -> None:
    ours, theirs = socket.socketpair()
    worker = threading.Thread(target=_run, args=(theirs,))
    worker.start()
    ours.sendall(encode_job(Job(url=keep("long.wav", wav(noise(20 * RATE))))))
    assert ours.recv(1)

    ours.close()

    worker.join(10)
    assert not worker.is_alive()


@pytest.mark.parametrize(
    ("platform", "hard", "memory"),
    [
        ("linux", resource.RLIM_INFINITY, 512 << 20),
        ("linux", 300 << 20, 300 << 20),
        ("darwin", resource.RLIM_INFINITY, None),
    ],
)
def test_limits_are_those_that_the_system_accepts(
    monkeypatch: pytest.MonkeyPatch, platform: str, hard: int, memory: int | None
) -> None:
    found: dict[int, int] = {}
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(os, "nice", lambda _: None)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (hard, hard))
    monkeypatch.setattr(
        resource, "setrlimit", lambda kind, most: found.update({kind: most[0]})
    )

    process.limit()

    assert found.get(resource.RLIMIT_AS) == memory
    assert found[resource.RLIMIT_NOFILE] == 64
