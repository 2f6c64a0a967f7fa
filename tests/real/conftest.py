"""Fixtures of the tests against real receivers."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from pytest_socket import socket_allow_hosts

from custom_components.airplay.discovery import browser
from homeassistant.components import zeroconf

from .shairport_lab import SUBNET, Lab, LabError, Shairport

type StartShairport = Callable[..., Shairport]
_RECEIVERS = pytest.StashKey[list[Shairport]]()
_LAST_LINES = 60


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Bring a network up for all real tests of a run."""
    try:
        network = Lab()
        network.up()
    except LabError as err:
        pytest.skip(str(err))
    try:
        yield network
    finally:
        network.down()


@pytest.fixture
def shairport(lab: Lab, request: pytest.FixtureRequest) -> Iterator[StartShairport]:
    """Start receivers by mode and options of scripts/receivers; they end here."""
    started = request.node.stash[_RECEIVERS] = []

    def start(mode: str = "ap1", **options: object) -> Shairport:
        receiver = lab.start(mode, options)
        started.append(receiver)
        return receiver

    yield start
    for receiver in started:
        receiver.set_loss(0)
        receiver.plug_in()
        receiver.kill()


@pytest.fixture
def sender_namespace(lab: Lab, socket_enabled: None) -> Iterator[None]:
    """Run a test, and the processes that it starts, on the sender's side."""
    socket_allow_hosts(["127.0.0.1", f"{SUBNET}.0/24"], allow_unix_socket=True)
    with lab.sender_namespace():
        yield


@pytest.fixture
def mdns(sender_namespace: None) -> Iterator[None]:
    """Let Home Assistant's zeroconf speak on the sender's side of the lab."""
    interfaces = {"interfaces": [f"{SUBNET}.1"]}
    with (
        patch.object(zeroconf, "_async_get_zc_args", return_value=interfaces),
        patch.object(browser, "SETTLE_S", 1.0),
    ):
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the logs of the receivers of a failed test."""
    report = yield
    if report.when == "call" and report.failed:
        for receiver in item.stash.get(_RECEIVERS, []):
            said = receiver.log_path.read_text(errors="replace").splitlines()
            about = f"{receiver.name} at {receiver.address} says"
            report.sections.append((about, "\n".join(said[-_LAST_LINES:])))
    return report
