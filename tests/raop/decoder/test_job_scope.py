"""Limits, deadlines, retries."""

import errno
import time

import av
import pytest

from custom_components.airplay.raop.audio.decoder_link import Limits, limits_of
from custom_components.airplay.raop.decoder.job_scope import JobScope, Retries
from custom_components.airplay.raop.decoder.media_errors import (
    BrokenStreamError,
    DeadlineError,
    UnplayableError,
    for_failure,
)
from custom_components.airplay.raop.errors import (
    MediaEmptyError,
    MediaError,
    MediaForbiddenError,
    MediaNotAudioError,
    MediaNotFoundError,
    MediaUnreachableError,
)
from custom_components.airplay.raop.messages import MediaKind


def test_without_a_deadline_an_operation_has_its_own_time() -> None:
    assert JobScope(Limits()).timeout_s(5.0) == 5.0


def test_within_a_deadline_operations_end_in_the_remaining_time() -> None:
    scope = JobScope(Limits())

    with scope.deadline(1.0):
        assert 0 < scope.timeout_s(5.0) <= 1.0
        assert scope.timeout_s(0.01) == 0.01
    assert scope.timeout_s(5.0) == 5.0


def test_after_a_deadline_nothing_begins() -> None:
    scope = JobScope(Limits())

    with scope.deadline(0), pytest.raises(DeadlineError):
        scope.check()


def test_a_deadline_ends_no_later_than_the_one_around_it() -> None:
    scope = JobScope(Limits())

    with scope.deadline(1.0):
        with scope.deadline(5.0):
            assert scope.timeout_s(9.0) <= 1.0
        assert scope.timeout_s(9.0) <= 1.0
    assert scope.timeout_s(9.0) == 9.0


def test_patience_depends_on_the_kind() -> None:
    speech, other, station = (
        limits_of(kind) for kind in (MediaKind.SPEECH, MediaKind.ANY, MediaKind.RADIO)
    )

    assert (speech.first_s, speech.read_s) == (30, 20)
    assert (other.first_s, other.read_s) == (20, 20)
    assert (station.open_s, station.first_s, station.read_s) == (10, 5, 5)
    assert speech.open_s >= speech.first_s + speech.read_s


def test_what_turns_out_to_be_live_is_waited_for_like_a_station() -> None:
    unknown = JobScope(limits_of(MediaKind.ANY))
    voice = JobScope(limits_of(MediaKind.SPEECH), kind=MediaKind.SPEECH)

    unknown.be_live()
    voice.be_live()

    assert (unknown.limits.open_s, unknown.limits.read_s) == (10, 5)
    assert voice.limits == limits_of(MediaKind.SPEECH)


def test_a_pause_ends_with_the_deadline() -> None:
    scope = JobScope(Limits())
    began = time.monotonic()

    with scope.deadline(0.01), pytest.raises(DeadlineError):
        scope.pause(60)
    assert time.monotonic() - began < 30


def test_retries_wait_longer_and_longer_and_end() -> None:
    retries = Retries(Limits(reconnect_s=60))
    assert [retries.next_pause() for _ in range(7)] == [0, 0.5, 1, 2, 5, 5, 5]
    retries.reset()
    assert retries.next_pause() == 0

    hopeless = Retries(Limits(reconnect_s=-1))
    with pytest.raises(UnplayableError, match="did not come back"):
        hopeless.next_pause()


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (av.error.HTTPNotFoundError(1, ""), MediaNotFoundError),
        (av.error.HTTPForbiddenError(1, ""), MediaForbiddenError),
        (av.error.HTTPUnauthorizedError(1, ""), MediaForbiddenError),
        (av.error.HTTPServerError(1, ""), MediaUnreachableError),
        (av.error.HTTPOtherClientError(1, ""), MediaError),
        (av.error.ExitError(1, ""), MediaUnreachableError),
        (av.error.EOFError(1, ""), MediaEmptyError),
        (av.error.FileNotFoundError(1, ""), MediaNotFoundError),
        (av.error.PermissionError(1, ""), MediaForbiddenError),
        (av.error.DecoderNotFoundError(1, ""), MediaNotAudioError),
        (av.error.PatchWelcomeError(1, ""), MediaNotAudioError),
        (av.error.ConnectionRefusedError(1, ""), MediaUnreachableError),
        (av.error.InvalidDataError(1, ""), MediaNotAudioError),
        (av.error.ArgumentError(1, ""), MediaNotAudioError),
        (BrokenStreamError(), MediaUnreachableError),
        (OSError(), MediaUnreachableError),
        (OSError(errno.EHOSTUNREACH, ""), MediaUnreachableError),
        (DeadlineError(), MediaUnreachableError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_every_failure_becomes_an_error_without_its_address(
    failure: Exception, kind: type[MediaError]
) -> None:
    error = for_failure(failure).error("the song")

    assert type(error) is kind
    assert str(error).startswith("Cannot play the song: ")
