"""Options and fixtures of the whole suite."""

import gc
import sys

import pytest

# pytest rewrites the asserts of every module, and each process of a run does that again
# unless the results are kept. PYTHONDONTWRITEBYTECODE, which images of containers set,
# is not meant for that.
sys.dont_write_bytecode = False

pytest_plugins = ["tests.ha.fixtures"]

# Modules that announce by real mDNS, and would find each other's records.
_ANNOUNCING = {"tests.virtual_receiver.test_receiver", "tests.raop.test_scan"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --real, the duration of its endurance test, and --corpus."""
    parser.addoption(
        "--real", action="store_true", help="also test against real receivers"
    )
    parser.addoption(
        "--corpus", action="store_true", help="all of the corpus, not a third"
    )
    parser.addoption(
        "--soak", default="60", metavar="SECONDS", help="length of the endurance test"
    )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Keep tests that share a network together if tests run in parallel."""
    module = item.module.__name__ if isinstance(item, pytest.Function) else ""
    if module.startswith("tests.real."):
        # Receivers run before all else, and two labs of them would disturb each other.
        group = "real"
    elif module == "tests.zoo.test_zoo":
        # Each device has ports of its own, and most of the time it waits.
        group = item.nodeid
    elif module.startswith("tests.corpus."):
        group = item.nodeid
    else:
        group = "mdns" if module in _ANNOUNCING else module
    item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Skip the tests against real receivers unless `--real` is given.

    They need the longest time and wait for one another, so they begin first.
    """
    if config.getoption("--real"):
        items.sort(key=lambda item: item.get_closest_marker("real") is None)
        return
    real = [item for item in items if item.get_closest_marker("real")]
    items[:] = [item for item in items if item not in real]
    config.hook.pytest_deselected(items=real)


def pytest_collection_finish() -> None:
    """Spare the garbage collector the modules and items, which stay to the end."""
    gc.freeze()


@pytest.fixture(autouse=True)
def custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration in tests that use it."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")
