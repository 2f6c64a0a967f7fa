"""Receivers known only by their address: what they report about themselves."""

from collections.abc import AsyncGenerator

import pytest

from custom_components.airplay.discovery.entry_data import receiver_from
from custom_components.airplay.raop.api import LaneKind
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.ha.flows import answer, opened
from tests.virtual_receiver.airplay2 import AirPlay2Receiver, PtpPorts
from tests.virtual_receiver.airplay2.homepod import homepod

pytestmark = pytest.mark.usefixtures("no_setup")

FREE = PtpPorts(0, 0, None, None)


@pytest.fixture
async def pod(socket_enabled: None) -> AsyncGenerator[AirPlay2Receiver]:
    """Return a HomePod with software 27 that stands alone."""
    async with homepod(ptp=FREE) as receiver:
        yield receiver


async def test_homepod_reports_its_records_and_is_followed(
    hass: HomeAssistant, pod: AirPlay2Receiver
) -> None:
    form = await opened(hass)

    entry = await answer(hass, form, host=pod.host, port=pod.port)

    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["data"]["airplay"]["txt"] == pod.airplay_txt({})
    assert entry["data"]["raop"]["txt"] == pod.txt
    found = receiver_from(entry["data"])
    assert found.keeps_clock
    assert found.lanes == (LaneKind.AIRPLAY2_REALTIME,)
    assert found.manufacturer == "Apple"
    assert found.firmware == "27.0"
    # The form proves access by AirPlay 2, because AirPlay 1 is silent.
    assert {each.headers["user-agent"] for each in pod.asked("OPTIONS")} == {
        "AirPlay/409.16"
    }


async def test_homepod_in_a_group_is_led(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    grouped = {"model": "AudioAccessory5,1", "osvers": "27.0", "igl": "0", "pgid": "1"}
    async with homepod(ptp=FREE, airplay=grouped) as pod:
        form = await opened(hass)
        entry = await answer(hass, form, host=pod.host, port=pod.port)

    assert not receiver_from(entry["data"]).keeps_clock


async def test_receiver_that_answers_with_its_record_alone_is_known(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with AirPlay2Receiver("Den", ptp=FREE) as den:
        form = await opened(hass)
        entry = await answer(hass, form, host=den.host, port=den.port)

    assert entry["data"]["airplay"]["txt"] == den.airplay_txt({})
