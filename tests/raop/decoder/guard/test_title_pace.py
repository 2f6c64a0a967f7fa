"""Titles change at most once a second, and the last one is shown."""

from itertools import pairwise

from custom_components.airplay.raop.audio.events import Retitled
from custom_components.airplay.raop.decoder.guard.title_pace import TitlePace
from custom_components.airplay.raop.messages import Tags
from tests.raop.audio.conftest import Play
from tests.raop.audio.media import RATE, encode, noise
from tests.raop.audio.web_server import WebServer, radio, with_titles

INTERVAL = 1200  # 20 titles a second at 192 kbit/s.


def test_a_radio_that_sends_titles_without_end_changes_them_once_a_second(
    web: WebServer, play: Play
) -> None:
    mp3 = encode("mp3", "libmp3lame", noise(8 * RATE))
    last = len(mp3) // INTERVAL - 40
    titles = {number: b"Title %d" % number for number in range(last)}
    stream = with_titles(mp3, INTERVAL, titles | {last: b"The last one"})

    played = play(
        web.serve("/live", radio(stream, 60, interval=INTERVAL)), ahead_frames=60 * RATE
    )

    seen: list[Retitled] = []
    while not seen or seen[-1].tags.title != "The last one":
        seen.append(played.heard.wait_for(Retitled, len(seen) + 1))
    starts = [event.at_frame for event in seen]
    assert 4 <= len(seen) <= 8
    gaps = [later - sooner for sooner, later in pairwise(starts)]
    assert min(gaps) >= RATE
    assert len({event.tags for event in seen}) == len(seen)
    played.close()


def test_the_first_title_is_shown_at_once_and_the_latest_after_a_second() -> None:
    pace = TitlePace()
    one, two, three = (Tags(title=title) for title in ("One", "Two", "Three"))

    assert pace.shown(one, 0) == one
    assert pace.shown(two, RATE - 1) == one
    assert pace.shown(three, RATE) == three
    assert pace.shown(two, RATE + 1) == three
    assert pace.shown(three, 3 * RATE) == three
    assert pace.shown(two, 3 * RATE) == two
