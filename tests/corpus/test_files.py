"""Each file of the corpus plays as ffmpeg decodes it, or gives its one error."""

from tests.raop.audio.conftest import Play

from .files.table import FILES
from .listening import check
from .row import Row, third
from .workshop import Workshop


def test_a_file_plays_as_ffmpeg_decodes_it(
    file: Row, workshop: Workshop, play: Play
) -> None:
    first = workshop.place(file.name, file.build(workshop))
    folder = workshop.folder_of(file.name)

    check(file, first.as_uri() if file.is_url else str(first), folder, first, play)


def test_rows_are_many_and_have_names_of_their_own() -> None:
    assert len({row.name for row in FILES}) == len(FILES) >= 250


def test_the_third_has_all_kinds_and_stays_the_same() -> None:
    chosen = third(FILES)

    assert {row.kind for row in chosen} == {row.kind for row in FILES}
    assert 0.3 < len(chosen) / len(FILES) < 0.4
    assert third(FILES) == chosen
