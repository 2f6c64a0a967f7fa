"""The workshop of a run, and the choice of rows."""

from pathlib import Path

import pytest

from tests.raop.audio.conftest import decoders, play, web

from .files.table import FILES
from .known_faults import KNOWN_FAULTS
from .row import Row, third
from .servers.table import SERVERS
from .workshop import FFMPEG, Workshop

__all__ = ["decoders", "play", "web"]

_TABLES = {"file": FILES, "server": SERVERS}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test for a third of the rows of its table, or for all with `--corpus`."""
    for name, rows in _TABLES.items():
        if name in metafunc.fixturenames:
            chosen = rows if metafunc.config.getoption("--corpus") else third(rows)
            metafunc.parametrize(name, [_case(row) for row in chosen])


def _case(row: Row) -> object:
    reason = KNOWN_FAULTS.get(row.name)
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(row, id=row.name, marks=marks)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Return the workshop of this run."""
    if not FFMPEG:
        pytest.skip("ffmpeg is not installed")
    folder: Path = tmp_path_factory.mktemp("corpus")
    return Workshop(folder)
