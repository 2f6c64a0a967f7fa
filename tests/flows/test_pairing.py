"""Receivers that refuse to be paired, end it or go in the middle of it."""

from collections.abc import Mapping
from unittest.mock import patch

import pytest

from custom_components.airplay.raop import receiver_records
from custom_components.airplay.raop.engine.net import pairing
from custom_components.airplay.raop.wire.txt import lower_keys
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.ha.flows import answer, discovered
from tests.ha.pairing import CODE, KINDS, asked_for_code, gate_of
from tests.ha.players import entry_for
from tests.ha.zeroconf import Network, raop_info
from tests.virtual_receiver import Quirks, VirtualReceiver

pytestmark = pytest.mark.usefixtures("no_setup")


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_record_is_parsed_once_during_a_pairing_by_code(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    with patch.object(receiver_records, "lower_keys", wraps=lower_keys) as parse:
        form = await asked_for_code(hass, den)
        entry = await answer(hass, form, code=CODE)

    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert parse.call_count == 1


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_receiver_that_goes_in_the_middle_can_come_back(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await asked_for_code(hass, den)
    await den.stop()

    form = await answer(hass, form, code=CODE)
    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": "cannot_connect"}
    form = await answer(hass, form)
    assert form["errors"] == {"base": "cannot_connect"}

    await den.start()
    form = await answer(hass, form)
    assert form["step_id"] == "pair"
    entry = await answer(hass, form, code=CODE)
    assert entry["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("den", "path"),
    [("legacy", "/pair-setup-pin"), ("home_kit", "/pair-setup")],
    indirect=["den"],
)
async def test_receiver_that_ends_the_pairing_shows_a_new_code(
    hass: HomeAssistant, den: VirtualReceiver, path: str
) -> None:
    form = await asked_for_code(hass, den)
    den.disconnect()

    form = await answer(hass, form, code=CODE)
    assert form["step_id"] == "pair"
    assert form["errors"] == {"code": "pairing_ended"}
    assert gate_of(den).shown == 2

    entry = await answer(hass, form, code=CODE)
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert path in {each.uri for each in den.requests}


@pytest.mark.parametrize(
    ("quirks", "problem", "seconds"),
    [
        (Quirks(back_off_after=1, back_off_s=40), "back_off", "40"),
        (Quirks(max_wrong_codes=1), "max_tries", ""),
    ],
)
async def test_receiver_that_temporarily_rejects_codes(
    hass: HomeAssistant,
    den: VirtualReceiver,
    quirks: Quirks,
    problem: str,
    seconds: str,
) -> None:
    den.quirks = quirks
    form = await asked_for_code(hass, den)

    form = await answer(hass, form, code="1234")
    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": problem}
    assert form["description_placeholders"]
    assert form["description_placeholders"]["seconds"] == seconds

    gate_of(den).wrong = 0
    form = await answer(hass, form)
    assert form["step_id"] == "pair"
    entry = await answer(hass, form, code=CODE)
    assert entry["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("path", "status", "problem"),
    [
        ("/pair-pin-start", 403, "pairing_refused"),
        ("/pair-pin-start", 404, "pairing_unknown"),
        ("/pair-pin-start", 503, "max_tries"),
        ("/pair-setup", 470, "pairing_refused"),
        ("/pair-setup", 200, "not_understood"),
    ],
)
async def test_receiver_that_shows_no_code_reports_the_reason(
    hass: HomeAssistant, den: VirtualReceiver, path: str, status: int, problem: str
) -> None:
    den.quirks = Quirks(refuse={path: status})

    form = await asked_for_code(hass, den)
    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": problem}

    den.quirks = Quirks()
    form = await answer(hass, form)
    assert form["step_id"] == "pair"


async def test_pairing_that_is_lost_immediately_is_reported(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await asked_for_code(hass, den)
    den.quirks = Quirks(refuse={"ANNOUNCE": 470})
    den.disconnect()
    form = await answer(hass, form, code=CODE)

    form = await answer(hass, form, code=CODE)
    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": "pairing_not_kept"}

    den.quirks = Quirks()
    form = await answer(hass, form)
    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


async def test_pairing_is_not_lost_when_the_session_cannot_be_tried(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await asked_for_code(hass, den)
    den.quirks = Quirks(drop_at="OPTIONS")
    den.disconnect()
    form = await answer(hass, form, code=CODE)

    form = await answer(hass, form, code=CODE)
    assert form["step_id"] == "pair_again"
    shown = gate_of(den).shown

    den.quirks = Quirks()
    entry = await answer(hass, form)
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert gate_of(den).shown == shown


async def test_receiver_that_never_answers_is_not_waited_for(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(den))
    den.quirks = Quirks(unanswered=frozenset({"POST"}))

    with patch.object(pairing, "STEP_S", 0.1):
        form = await answer(hass, form)

    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": "cannot_connect"}


async def test_single_invalid_answer_of_a_receiver_is_tolerated(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(den))
    den.quirks = Quirks(refuse={"/pair-setup": 200})

    def recover(event: str, details: Mapping[str, object]) -> None:
        if details.get("uri") == "/pair-setup":
            # Established connections are served as before.
            den.quirks = Quirks()

    den.subscribe(recover)

    form = await answer(hass, form)
    assert form["errors"] == {"base": "not_understood"}
    form = await answer(hass, form)
    assert form["step_id"] == "pair"


@pytest.mark.parametrize("status", [470, 403])
async def test_receiver_that_refuses_pairing_gets_no_further_requests(
    hass: HomeAssistant, den: VirtualReceiver, status: int
) -> None:
    den.quirks = Quirks(refuse={"/pair-setup": status})

    form = await asked_for_code(hass, den)

    assert form["errors"] == {"base": "pairing_refused"}
    assert [each.uri for each in den.requests][-1] == "/pair-setup"
    assert [each.uri for each in den.requests].count("/pair-setup") == 1
    await den.wait_until(lambda: not den._tasks)


@pytest.mark.parametrize("den", KINDS, indirect=True)
@pytest.mark.parametrize("status", [200, 453])
async def test_receiver_that_hides_its_code_from_the_nameless_shows_it(
    hass: HomeAssistant, den: VirtualReceiver, status: int
) -> None:
    """TvOS 27 shows none without a name; newer builds answer 453 and show it."""
    hass.config.location_name = "Zuhause\u2028bei Jörg 🏠"
    den.quirks = Quirks(hides_pin_without_client_name=True, pin_start_status=status)

    form = await asked_for_code(hass, den)
    assert form["step_id"] == "pair"
    assert not form["errors"]
    assert gate_of(den).shown == 1

    entry = await answer(hass, form, code=CODE)
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    named = [each for each in den.requests if each.uri.startswith("/pair-")]
    setup = [each for each in named if each.uri != "/pair-verify"]
    names = {each.headers["x-apple-client-name"] for each in setup}
    assert names == {"Zuhause bei Jörg 🏠"}
    (client_id,) = {each.headers["x-apple-client-id"] for each in setup}
    assert gate_of(den).senders.keys() == {client_id.encode()}
    assert setup[0].headers["x-apple-supportedpinlengths"] == "4"
    assert len(setup) == 4


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_home_without_a_name_has_one(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    hass.config.location_name = ""
    den.quirks = Quirks(hides_pin_without_client_name=True)

    await asked_for_code(hass, den)

    names = {each.headers["x-apple-client-name"] for each in den.requests}
    assert names == {"Home Assistant"}


async def test_receiver_that_pairs_with_another_sender_is_waited_for(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    den.quirks = Quirks(pairs_with_one=True)
    gate_of(den).guest = object()

    form = await asked_for_code(hass, den)
    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": "busy"}

    gate_of(den).guest = None
    form = await answer(hass, form)
    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_receiver_that_hangs_after_the_code_is_left_in_time(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await asked_for_code(hass, den)
    den.unplug()

    with patch.object(pairing, "STEP_S", 0.1):
        form = await answer(hass, form, code=CODE)
    den.plug_in()

    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": "cannot_connect"}
    form = await answer(hass, form)
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("den", ["legacy"], indirect=True)
@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (403, "pairing_refused"),
        (404, "pairing_unknown"),
        (429, "max_tries"),
        (500, "pairing_refused"),
        (200, "not_understood"),
    ],
)
async def test_receiver_that_refuses_the_proof_reports_the_reason(
    hass: HomeAssistant, den: VirtualReceiver, status: int, problem: str
) -> None:
    den.quirks = Quirks(refuse={"/pair-setup-pin": status})
    form = await asked_for_code(hass, den)
    assert form["step_id"] == "pair"

    form = await answer(hass, form, code=CODE)

    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": problem}
    assert gate_of(den).shown == 1
    den.quirks = Quirks()
    form = await answer(hass, form)
    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


async def test_receiver_that_requires_a_pause_for_the_proof_names_its_length(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    den.quirks = Quirks(refuse_proofs_s=90)
    form = await asked_for_code(hass, den)

    form = await answer(hass, form, code=CODE)

    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": "back_off"}
    assert form["description_placeholders"]
    assert form["description_placeholders"]["seconds"] == "90"
    assert gate_of(den).shown == 1


async def test_port_of_the_latest_record_is_used(
    hass: HomeAssistant, den: VirtualReceiver, network: Network
) -> None:
    """The receiver was restarted, and listens on another port."""
    form = await discovered(hass, raop_info(den, port=1))

    network.announce(raop_info(den))
    await hass.async_block_till_done()
    form = await answer(hass, form)

    assert form["step_id"] == "pair"
    assert gate_of(den).shown == 1


async def test_record_of_another_address_is_not_used(
    hass: HomeAssistant, den: VirtualReceiver, network: Network
) -> None:
    form = await discovered(hass, raop_info(den))

    network.announce(raop_info(den, port=1, addresses=("127.0.0.2",)))
    await hass.async_block_till_done()
    form = await answer(hass, form)

    assert form["step_id"] == "pair"
    assert gate_of(den).shown == 1


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_code_is_shown_by_the_address_that_answers(
    hass: HomeAssistant, every_loopback: None, den: VirtualReceiver
) -> None:
    both = ("127.0.0.9", "127.0.0.1")
    form = await discovered(hass, raop_info(den, addresses=both))

    form = await answer(hass, form)

    assert form["step_id"] == "pair"
    assert gate_of(den).shown == 1
    entry = await answer(hass, form, code=CODE)
    assert entry["type"] is FlowResultType.CREATE_ENTRY


async def test_latest_record_counts_if_it_has_another_address_too(
    hass: HomeAssistant, every_loopback: None, den: VirtualReceiver, network: Network
) -> None:
    form = await discovered(hass, raop_info(den, port=1))

    network.announce(raop_info(den, addresses=("127.0.0.1", "127.0.0.9")))
    await hass.async_block_till_done()
    form = await answer(hass, form)

    assert form["step_id"] == "pair"
    assert gate_of(den).shown == 1


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_two_flows_for_one_receiver_show_two_codes(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    entry = entry_for(den, credentials=gate_of(den).acquaint())
    entry.add_to_hass(hass)
    gate_of(den).reset()
    again = await entry.start_reconfigure_flow(hass)
    fields = {"host": den.host, "port": den.port, "pair": True}
    reauth = await entry.start_reauth_flow(hass)

    again = await answer(hass, again, **fields)
    reauth = await answer(hass, reauth)
    assert (again["step_id"], reauth["step_id"]) == ("pair", "pair")
    assert gate_of(den).shown == 2

    again = await answer(hass, again, code="1234")
    assert again["errors"] == {"code": "wrong_code"}
    done = await answer(hass, reauth, code=CODE)
    assert done["reason"] == "reauth_successful"
    done = await answer(hass, again, code=CODE)
    assert done["reason"] == "reconfigure_successful"
    await den.wait_until(lambda: not den._tasks)
