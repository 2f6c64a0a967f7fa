"""The sound of one timeline."""

from hypothesis import given, settings, strategies as st
import numpy as np

from custom_components.airplay.raop.engine.pacing.feed import Pcm, PcmFeed
from custom_components.airplay.raop.wire.rtp import SAMPLE_RATE
from tests.raop.engine.fakes import FakeSource, sound

REFILL = SAMPLE_RATE // 2


def silence(frames: int) -> bytes:
    return bytes(frames * 4)


def at(feed: PcmFeed, frame: int) -> tuple[int, bool]:
    """Return the media frame that a timeline frame holds, and whether it sounds."""
    segment = feed.segment_at(frame)
    return segment.position_at(frame), segment.sounds


def ignore(_source: Pcm) -> None:
    """Note a source that follows."""


def cued(source: FakeSource, start: int = 1000, position: int = 0) -> PcmFeed:
    feed = PcmFeed(ignore)
    feed.cue(source, start, position)
    return feed


def test_a_timeline_without_a_source_is_silent() -> None:
    feed = PcmFeed(ignore)

    assert feed.read(5, 100) == silence(100)
    assert at(feed, 50) == (0, False)
    assert feed.end_frame is None


def test_a_source_begins_at_its_very_frame() -> None:
    pcm = sound(500)
    feed = cued(FakeSource(pcm, is_whole=False), start=1100)

    assert feed.read(1000, 50) == silence(50)
    assert feed.read(1050, 150) == silence(50) + pcm[: 100 * 4]
    assert feed.read(1200, 400) == pcm[100 * 4 :]


def test_nothing_is_read_before_the_source_is_due() -> None:
    source = FakeSource(sound(10))
    feed = cued(source, start=2000)

    feed.read(1000, 1000)

    assert source.reads == 0
    assert feed.end_frame is None


def test_the_end_is_the_frame_behind_the_last_one() -> None:
    feed = cued(FakeSource(sound(150)))

    ends: list[int | None] = []
    heard = b""
    for frame in (1000, 1100, 1200):
        heard += feed.read(frame, 100)
        ends.append(feed.end_frame)

    assert heard == sound(150) + silence(150)
    assert ends == [None, 1150, 1150]
    assert feed.silence_frames == 0


def test_a_source_that_ends_with_a_batch_is_noticed_with_the_next_one() -> None:
    feed = cued(FakeSource(sound(100)))

    feed.read(1000, 100)
    assert feed.end_frame is None
    assert feed.read(1100, 100) == silence(100)

    assert feed.end_frame == 1100


def test_an_empty_source_ends_at_its_beginning() -> None:
    feed = cued(FakeSource())

    assert feed.read(900, 300) == silence(300)

    assert feed.end_frame == 1000


def test_a_source_that_runs_dry_is_padded_on_the_same_timeline() -> None:
    source = FakeSource(sound(150), is_whole=False)
    feed = cued(source)

    assert feed.read(1000, 200) == sound(150) + silence(50)
    assert feed.read(1200, 200) == silence(200)

    assert feed.silence_frames == 250
    assert feed.end_frame is None
    more = sound(REFILL, seed=2)
    source.put(more)
    assert feed.read(1400, 100) == more[:400]
    assert feed.silence_frames == 250


def test_a_dry_source_resumes_once_half_a_second_is_buffered() -> None:
    source = FakeSource(is_whole=False)
    feed = cued(source)
    feed.read(1000, 10)

    source.put(sound(REFILL - 1))
    assert feed.read(1010, 10) == silence(10)

    source.put(sound(1))
    assert feed.read(1020, 10) == sound(REFILL)[:40]


def test_a_dry_source_that_ends_plays_its_rest() -> None:
    source = FakeSource(sound(10), is_whole=False)
    feed = cued(source)
    feed.read(1000, 20)
    source.put(sound(30, seed=3))
    assert feed.read(1020, 20) == silence(20)

    source.is_whole = True
    # The end cannot be foreseen: the rest waits for its half second.
    source.put(sound(REFILL, seed=4))

    assert feed.read(1040, 30) == sound(30, seed=3)
    assert feed.end_frame is None


def test_a_dry_source_that_ends_without_another_frame_ends() -> None:
    source = FakeSource(sound(10), is_whole=False)
    feed = cued(source)
    feed.read(1000, 20)

    source.is_whole = True
    feed.read(1020, 20)

    assert feed.end_frame == 1020
    assert at(feed, 1030) == (10, False)


def test_a_short_rest_after_a_dry_spell_plays_once_the_source_has_ended() -> None:
    source = FakeSource(sound(10), is_whole=False)
    feed = cued(source)
    feed.read(1000, 20)

    source.put(sound(30, seed=3))
    source.is_whole = True
    heard = feed.read(1020, 100) + feed.read(1120, 100)

    assert heard.startswith(sound(30, seed=3))
    assert feed.end_frame == 1050


def test_positions_follow_the_audible_frame() -> None:
    source = FakeSource(sound(100), is_whole=False)
    feed = cued(source, start=1000, position=5000)
    feed.read(900, 200)
    feed.read(1100, 60)
    source.put(sound(REFILL))
    feed.read(1160, 100)

    assert at(feed, 999) == (5000, False)
    assert at(feed, 1000) == (5000, True)
    assert at(feed, 1099) == (5099, True)
    assert at(feed, 1100) == (5100, False)
    assert at(feed, 1159) == (5100, False)
    assert at(feed, 1160) == (5100, True)
    assert at(feed, 1200) == (5140, True)


def test_new_media_is_at_its_own_position_from_the_moment_it_is_cued() -> None:
    feed = cued(FakeSource(sound(5000)), start=1000, position=0)
    feed.read(1000, 3000)

    feed.cue(FakeSource(sound(10)), 8448, 700)

    # The frames between were flushed: the old media no longer plays.
    assert at(feed, 4000) == (700, False)
    assert at(feed, 8447) == (700, False)
    assert at(feed, 8448) == (700, True)
    assert at(feed, 8458) == (710, True)


def test_new_media_plays_after_media_that_ended() -> None:
    feed = cued(FakeSource(sound(10)), start=0)
    feed.read(0, 100)

    feed.cue(FakeSource(sound(20, seed=2)), 200, 0)

    assert feed.end_frame is None
    assert feed.read(100, 120) == silence(100) + sound(20, seed=2)


def test_the_next_source_follows_without_a_frame_between() -> None:
    switched: list[Pcm] = []
    feed = PcmFeed(switched.append)
    first, second = FakeSource(sound(150)), FakeSource(sound(90, seed=2))
    feed.cue(first, 0, 0)
    feed.follow(second, position_frames=44_100)

    heard = feed.read(0, 100) + feed.read(100, 100) + feed.read(200, 100)

    assert heard == sound(150) + sound(90, seed=2) + silence(60)
    assert switched == [second]
    assert at(feed, 149) == (149, True)
    assert at(feed, 150) == (44_100, True)
    assert feed.end_frame == 240


def test_a_source_that_is_being_opened_is_waited_for() -> None:
    source = FakeSource(sound(10))
    feed = cued(source, start=0)
    feed.expect()
    assert feed.read(0, 100) == sound(10) + silence(90)
    assert feed.end_frame is None

    late = FakeSource(sound(REFILL, seed=2))
    feed.follow(late)

    assert feed.read(100, 50) == sound(50, seed=2)


def test_discarded_frames_play_again_from_the_frame_of_the_pause() -> None:
    source = FakeSource(sound(1000))
    feed = cued(source, start=0)
    made = feed.read(0, 600)

    feed.rewind(352, made[352 * 4 :])
    feed.hold(352)
    assert feed.paused_position == 352
    feed.resume(5000)

    assert feed.read(4900, 100) == silence(100)
    assert feed.read(5000, 648) == sound(1000)[352 * 4 :]
    assert at(feed, 5000) == (352, True)
    assert at(feed, 5100) == (452, True)


def test_a_source_that_stutters_for_hours_fills_no_memory() -> None:
    source = FakeSource(is_whole=False)
    feed = cued(source, start=0)
    frame = 0
    for _ in range(1000):
        source.put(sound(1) * REFILL)
        for frames in (REFILL, 10):
            feed.read(frame, frames)
            frame += frames

    assert len(feed._segments) < 600
    assert at(feed, frame) == (1000 * REFILL, False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 3000), min_size=1, max_size=30),
    st.lists(st.sampled_from([0, 1, 352, 5000, REFILL - 1, REFILL]), max_size=8),
    st.integers(0, 5000),
)
def test_every_frame_comes_once_and_in_order(
    reads: list[int], deliveries: list[int], start: int
) -> None:
    whole = np.arange(1, sum(deliveries) + 1, dtype=np.uint32)
    source = FakeSource(is_whole=False)
    feed = cued(source, start=start)
    heard: list[bytes] = []
    frame = delivered = 0

    def take(frames: int) -> None:
        nonlocal frame
        heard.append(feed.read(frame, frames))
        assert len(heard[-1]) == frames * 4
        frame += frames

    for number, frames in enumerate(reads):
        if number < len(deliveries):
            until = delivered + deliveries[number]
            source.put(whole[delivered:until].tobytes())
            delivered = until
        take(frames)
    source.is_whole = True
    while feed.end_frame is None:
        take(20_000)

    # Each frame is its own number, and no number means silence.
    played = np.frombuffer(b"".join(heard), np.uint32)
    assert np.array_equal(played[played > 0], whole[:delivered])
    for place in [*range(0, frame, 997), frame - 1]:
        position, sounds = at(feed, place)
        assert sounds == bool(played[place])
        assert position == np.count_nonzero(played[:place])
