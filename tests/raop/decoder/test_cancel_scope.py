"""Limits, deadlines, retries, abandonment."""

from collections.abc import Callable
import errno

import av
import pytest

from custom_components.airplay.raop.audio.decoder_link import Limits
from custom_components.airplay.raop.decoder.cancel_scope import CancelScope, Retries
from custom_components.airplay.raop.decoder.media_errors import (
    AbandonedError,
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


def test_without_a_deadline_an_operation_has_its_own_time() -> None:
    assert CancelScope(Limits()).timeout_s(5.0) == 5.0


def test_within_a_deadline_operations_end_in_the_remaining_time() -> None:
    link = CancelScope(Limits())

    with link.deadline(1.0):
        assert 0 < link.timeout_s(5.0) <= 1.0
        assert link.timeout_s(0.01) == 0.01
    assert link.timeout_s(5.0) == 5.0


def test_after_a_deadline_nothing_begins() -> None:
    link = CancelScope(Limits())

    with link.deadline(0), pytest.raises(DeadlineError):
        link.check()


def test_closing_releases_what_is_attached_and_ends_pauses() -> None:
    link = CancelScope(Limits())
    released: list[int] = []
    link.add_release(lambda: released.append(1))
    detached: Callable[[], None] = lambda: released.append(2)  # noqa: E731
    link.add_release(detached)
    link.remove_release(detached)
    with link.released_by(lambda: released.append(3)):
        pass

    link.close()
    link.add_release(lambda: released.append(4))

    assert released == [1, 4]
    assert link.is_closed
    with pytest.raises(AbandonedError):
        link.pause(60)


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
