"""Options and fixtures of the whole suite."""

import pytest

pytest_plugins = ["tests.ha_fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --real, and how long its endurance test takes."""
    parser.addoption(
        "--real", action="store_true", help="also test against real receivers"
    )
    parser.addoption(
        "--soak", default="60", metavar="SECONDS", help="length of the endurance test"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave the tests against real receivers out unless they are asked for."""
    if config.getoption("--real"):
        return
    real = [item for item in items if item.get_closest_marker("real")]
    items[:] = [item for item in items if item not in real]
    config.hook.pytest_deselected(items=real)


@pytest.fixture(autouse=True)
def custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration in tests that use it."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")
