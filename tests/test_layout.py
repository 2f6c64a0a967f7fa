"""The tests of a module are found by its name, in the folder that mirrors its own."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "custom_components" / "airplay"
# Folders of the tests' own modules, and of tests against real or modelled receivers.
NOT_MIRRORED = {"corpus", "fuzz", "ha", "real", "virtual_receiver", "zoo"}
# Tests of the package as a whole, of files that are not modules, and of the tests.
WITHOUT_MODULE = {
    "test_boundaries.py",
    "test_chime.py",
    "test_crossing.py",
    "test_docs.py",
    "test_layout.py",
    "test_package.py",
    "test_program.py",
    "raop/audio/test_linear_media.py",
    "test_prose.py",
    "test_secrets.py",
}


def mirrored() -> list[Path]:
    """Return the modules of tests that belong to a module of the package."""
    paths = [path.relative_to(TESTS) for path in sorted(TESTS.rglob("test_*.py"))]
    return [
        path
        for path in paths
        if path.parts[0] not in NOT_MIRRORED and str(path) not in WITHOUT_MODULE
    ]


@pytest.mark.parametrize("path", mirrored(), ids=str)
def test_module_of_tests_begins_with_the_name_of_a_module(path: Path) -> None:
    """`test_raop_access.py` may exist beside `test_raop.py`, for the same module."""
    modules = {each.stem.strip("_") for each in (PACKAGE / path.parent).glob("*.py")}
    tested = path.stem.removeprefix("test_")

    assert any(f"{tested}_".startswith(f"{module}_") for module in modules)
