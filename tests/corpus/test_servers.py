"""Each server of the corpus is played from as it is meant, or gives its one error."""

from tests.raop.audio.conftest import Play
from tests.raop.audio.web_server import WebServer

from .files.table import FILES
from .known_faults import KNOWN_FAULTS
from .listening import check
from .row import Row
from .servers.table import SERVERS
from .workshop import Workshop


def test_a_server_is_played_from_as_it_is_meant(
    server: Row, workshop: Workshop, web: WebServer, play: Play
) -> None:
    files = server.build(workshop)
    first = workshop.place(server.name, files)
    assert server.serve

    address = server.serve(web, files)

    check(server, address, workshop.folder_of(server.name), first, play)


def test_rows_are_many_and_have_names_of_their_own() -> None:
    assert len({row.name for row in SERVERS}) == len(SERVERS) >= 60


def test_known_faults_are_those_of_rows() -> None:
    assert KNOWN_FAULTS.keys() <= {row.name for row in [*FILES, *SERVERS]}
