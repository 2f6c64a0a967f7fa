"""The doctor finds nothing wrong with real receivers, and what is done to them."""

import json

import pytest

from .command_line import raop
from .conftest import StartShairport
from .shairport_lab import Lab, Shairport


def check(lab: Lab, receiver: Shairport, *arguments: str) -> dict[str, object]:
    """Return what the doctor says about a receiver."""
    done = raop(lab, "doctor", receiver.address, "--json", *arguments)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def links(found: dict[str, object]) -> list[dict[str, int]]:
    """Return the figures of the sessions."""
    findings = found["findings"]
    assert isinstance(findings, dict)
    return [each["link"] for each in findings["ways"] if each["link"]]


@pytest.mark.parametrize("mode", ["ap1", "ap1mid", "ap1old", "ap2"])
def test_a_shairport_works_and_misses_what_is_left_out(
    lab: Lab, shairport: StartShairport, mode: str
) -> None:
    receiver = shairport(mode)

    found = check(lab, receiver)

    assert found["code"] == "ok", found
    [link] = links(found)
    assert link["gaps_noticed"] == link["gaps"]
    assert link["lost"] == 0


@pytest.mark.parametrize("mode", ["shairplay", "nodetunes"])
def test_receivers_that_show_little_are_not_blamed(
    lab: Lab, shairport: StartShairport, mode: str
) -> None:
    found = check(lab, shairport(mode))

    assert found["code"] in ("ok", "unconfirmed", "one_way"), found


def test_loss_that_no_resend_mends_is_named(
    lab: Lab, shairport: StartShairport
) -> None:
    receiver = shairport("ap1")
    receiver.set_loss(15)

    found = check(lab, receiver)

    assert found["code"] == "poor_link", found


def test_a_wrong_password_is_named(lab: Lab, shairport: StartShairport) -> None:
    receiver = shairport("ap1old", password="secret")

    assert check(lab, receiver)["code"] == "password_required"
    assert check(lab, receiver, "--password", "open")["code"] == "wrong_password"
    assert check(lab, receiver, "--password", "secret")["code"] == "ok"


def test_a_cable_that_is_pulled_is_named(lab: Lab, shairport: StartShairport) -> None:
    receiver = shairport("ap1")
    receiver.cut_off()

    assert check(lab, receiver)["code"] == "offline"
