"""Pairing by a code, through Home Assistant's flow manager."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.airplay.const import AIRPLAY_TYPE
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
from homeassistant.exceptions import HomeAssistantError
from tests.ha_common import (
    Network,
    airplay_info,
    entry_for,
    play,
    raop_info,
    service_info,
    set_up,
)
from tests.ha_flows import FEATURES, answer, discovered, opened
from tests.virtual_receiver import Quirks, VirtualReceiver
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind

CODE = "0427"
KINDS = ["legacy", "home_kit"]


@pytest.fixture(autouse=True)
def no_scan() -> Iterator[None]:
    """Look nothing up in the network."""
    with patch("custom_components.airplay.pairing.SCAN_S", 0):
        yield


@pytest.fixture
def no_setup() -> Iterator[None]:
    """Look at the flow alone."""
    with patch("custom_components.airplay.async_setup_entry", return_value=True):
        yield


def gated(kind: Kind, **details: Any) -> VirtualReceiver:
    """Return a receiver that plays only for whom it was paired with."""
    return VirtualReceiver(
        "Den",
        receiver_id="0A0B0C0D0E04",
        gate=Gate(kind, CODE),
        txt={"ft": FEATURES[kind], "am": "AppleTV5,3"} | details.pop("txt", {}),
        **details,
    )


@pytest.fixture
async def den(
    socket_enabled: None, request: pytest.FixtureRequest
) -> AsyncGenerator[VirtualReceiver]:
    """Return a receiver of the kind that the test names, HomeKit's by default."""
    kind: Kind = getattr(request, "param", "home_kit")
    async with gated(kind) as receiver:
        yield receiver


def gate_of(receiver: VirtualReceiver) -> Gate:
    assert receiver.gate
    return receiver.gate


async def asked_for_code(
    hass: HomeAssistant, receiver: VirtualReceiver
) -> ConfigFlowResult:
    """Go on until the receiver shows its code."""
    form = await discovered(hass, raop_info(receiver))
    assert form["step_id"] == "confirm"
    assert gate_of(receiver).shown == 0
    return await answer(hass, form)


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_code_is_shown_when_it_is_asked_for_and_proved_by_a_session(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await asked_for_code(hass, den)
    assert form["step_id"] == "pair"
    assert not form["errors"]
    assert gate_of(den).shown == 1

    form = await answer(hass, form, code="1234")
    assert form["step_id"] == "pair"
    assert form["errors"] == {"code": "wrong_code"}
    assert gate_of(den).shown == 2
    assert not gate_of(den).senders

    entry = await answer(hass, form, code=" 04 27 ")
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["data"]["credentials"]
    assert "password" not in entry["data"]
    assert len(gate_of(den).senders) == 1
    assert [each.method for each in den.requests[-4:]] == [
        "OPTIONS",
        "ANNOUNCE",
        "SETUP",
        "TEARDOWN",
    ]
    assert den.violations == []
    await den.wait_until(lambda: not den._tasks)


@pytest.mark.usefixtures("no_setup")
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


@pytest.mark.usefixtures("no_setup")
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


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize(
    ("quirks", "problem", "seconds"),
    [
        (Quirks(back_off_after=1, back_off_s=40), "back_off", "40"),
        (Quirks(max_wrong_codes=1), "max_tries", ""),
    ],
)
async def test_receiver_that_takes_no_code_for_now(
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


@pytest.mark.usefixtures("no_setup")
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
async def test_receiver_that_shows_no_code_says_why(
    hass: HomeAssistant, den: VirtualReceiver, path: str, status: int, problem: str
) -> None:
    den.quirks = Quirks(refuse={path: status})

    form = await asked_for_code(hass, den)
    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": problem}

    den.quirks = Quirks()
    form = await answer(hass, form)
    assert form["step_id"] == "pair"


async def test_receiver_shows_no_code_any_more_when_the_user_leaves(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await asked_for_code(hass, den)
    assert den._tasks

    hass.config_entries.flow.async_abort(form["flow_id"])

    await den.wait_until(lambda: not den._tasks)


async def test_receiver_shows_no_code_to_a_user_who_left_before(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(den))
    den.quirks = Quirks(reply_delay_s={"POST": 0.1})
    asking = hass.async_create_task(answer(hass, form))
    await den.wait_for("POST")

    hass.config_entries.flow.async_abort(form["flow_id"])

    with pytest.raises(UnknownFlow):
        await asking
    assert gate_of(den).shown == 1
    await den.wait_until(lambda: not den._tasks)


@pytest.mark.usefixtures("no_setup")
async def test_pairing_that_is_forgotten_at_once_is_told(
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


@pytest.mark.usefixtures("no_setup")
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


@pytest.mark.usefixtures("no_setup")
async def test_code_of_a_receiver_with_a_password_is_its_password(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with gated("home_kit", password=CODE) as den:
        form = await asked_for_code(hass, den)

        entry = await answer(hass, form, code=CODE)

        assert entry["data"]["password"] == CODE
        assert entry["data"]["credentials"]


@pytest.mark.usefixtures("no_setup")
async def test_password_that_is_not_the_code_is_asked_for_too(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with gated("home_kit", password="secret", txt={"pw": "false"}) as den:
        form = await asked_for_code(hass, den)
        form = await answer(hass, form, code=CODE)
        assert form["step_id"] == "password"

        entry = await answer(hass, form, password="secret")

        assert entry["data"]["password"] == "secret"
        assert entry["data"]["credentials"]


@pytest.mark.usefixtures("no_setup")
async def test_setting_of_the_home_comes_before_any_code(
    hass: HomeAssistant, den: VirtualReceiver, network: Network
) -> None:
    closed = {"acl": "1", "flags": "0x644", "features": FEATURES["home_kit"]}
    network.announce(raop_info(den))
    network.announce(airplay_info(den, txt=closed))
    await hass.async_block_till_done(wait_background_tasks=True)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "access"

    form = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    assert form["step_id"] == "access"
    assert form["errors"] == {"base": "home_only"}
    assert gate_of(den).shown == 0

    network.announce(airplay_info(den, txt=closed | {"acl": "0"}))
    await hass.async_block_till_done()
    form = await answer(hass, form)
    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("no_setup")
async def test_setting_of_the_home_is_named_in_the_list(
    hass: HomeAssistant, kitchen: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(kitchen))
    network.announce(airplay_info(kitchen, txt={"act": "2"}))
    form = await opened(hass)
    form = await answer(hass, form, receiver="0a0b0c0d0e01")
    assert form["step_id"] == "access"

    network.announce(airplay_info(kitchen))
    await hass.async_block_till_done()
    await kitchen.stop()
    form = await answer(hass, form)
    assert form["errors"] == {"base": "cannot_connect"}
    await kitchen.start()
    entry = await answer(hass, form)
    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["result"].unique_id == "0a:0b:0c:0d:0e:01"


@pytest.mark.usefixtures("no_setup")
async def test_user_picks_a_receiver_that_shows_a_code(
    hass: HomeAssistant, den: VirtualReceiver, network: Network
) -> None:
    network.announce(raop_info(den, txt={"sf": "0x4"}))
    form = await opened(hass)

    # What the record keeps secret the receiver tells when it is asked.
    form = await answer(hass, form, receiver="0a0b0c0d0e04")

    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("no_setup")
async def test_airplay_record_names_the_port_of_pairing(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    txt = {"flags": "0x204", "features": "0x4A7FDFD5,0x3C155FDE"}
    info = service_info(
        AIRPLAY_TYPE, "Den", {"deviceid": "0A:0B:0C:0D:0E:04"} | txt, port=den.port
    )
    form = await discovered(hass, info)
    form = await answer(hass, form)

    entry = await answer(hass, form, code=CODE)

    assert entry["data"]["raop"] is None
    assert entry["data"]["credentials"]


@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_receiver_that_forgot_us_asks_once_to_be_paired_again(
    hass: HomeAssistant, den: VirtualReceiver, song: str
) -> None:
    entry = entry_for(den, credentials=gate_of(den).acquaint())
    player = await set_up(hass, entry)
    await play(hass, player, song)
    await hass.services.async_call(
        "media_player", "media_stop", {"entity_id": player}, blocking=True
    )
    gate_of(den).reset()

    for _ in range(3):
        with pytest.raises(HomeAssistantError, match="does not know Home Assistant"):
            await play(hass, player, song)
    await hass.async_block_till_done()

    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_pair"
    assert gate_of(den).shown == 0
    form = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    form = await answer(hass, form, code="1111")
    assert form["errors"] == {"code": "wrong_code"}
    done = await answer(hass, form, code=CODE)
    assert done["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    await play(hass, player, song)
    assert den.has_session
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_receiver_that_forgot_us_while_we_were_away(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    entry = entry_for(den, credentials=gate_of(den).acquaint())
    gate_of(den).reset()
    entry.add_to_hass(hass)

    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_pair"
    assert entry.reason
    assert "does not know Home Assistant any more" in entry.reason


async def test_receiver_that_refuses_is_not_asked_for_a_new_code(
    hass: HomeAssistant, den: VirtualReceiver, song: str
) -> None:
    entry = entry_for(den, credentials=gate_of(den).acquaint())
    player = await set_up(hass, entry)
    den.quirks = Quirks(refuse={"ANNOUNCE": 500})

    with pytest.raises(HomeAssistantError, match="Den refused"):
        await play(hass, player, song)
    await hass.async_block_till_done()

    assert not hass.config_entries.flow.async_progress()
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_receiver_that_got_a_code_is_paired_in_the_reauth(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with gated("home_kit", password="secret") as den:
        entry = entry_for(den, password="old")
        entry.add_to_hass(hass)
        form = await entry.start_reauth_flow(hass)

        assert form["step_id"] == "reauth_pair"
        form = await answer(hass, form)
        form = await answer(hass, form, code=CODE)
        assert form["step_id"] == "password"
        done = await answer(hass, form, password="secret")

        assert done["reason"] == "reauth_successful"
        assert entry.data["password"] == "secret"
        assert entry.data["credentials"]
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("no_setup")
async def test_password_form_of_the_reauth_gives_way_to_a_code(
    hass: HomeAssistant, locked: VirtualReceiver, socket_enabled: None
) -> None:
    entry = entry_for(locked, password="old")
    entry.add_to_hass(hass)
    form = await entry.start_reauth_flow(hass)
    assert form["step_id"] == "reauth_confirm"
    locked.password, locked.gate = None, Gate("legacy", CODE)

    form = await answer(hass, form, password="new")

    assert form["step_id"] == "pair"


@pytest.mark.usefixtures("no_setup")
async def test_reconfigure_pairs_again(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    old = gate_of(den).acquaint()
    entry = entry_for(den, credentials=old)
    entry.add_to_hass(hass)
    form = await entry.start_reconfigure_flow(hass)

    form = await answer(hass, form, host=den.host, port=den.port, pair=True)
    assert form["step_id"] == "pair"
    done = await answer(hass, form, code=CODE)

    assert done["reason"] == "reconfigure_successful"
    assert entry.data["credentials"] != old


@pytest.mark.usefixtures("no_setup")
async def test_reconfigure_keeps_a_pairing_that_works_and_mends_one_that_does_not(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    old = gate_of(den).acquaint()
    entry = entry_for(den, credentials=old)
    entry.add_to_hass(hass)
    form = await entry.start_reconfigure_flow(hass)
    done = await answer(hass, form, host=den.host, port=den.port, pair=False)
    assert done["reason"] == "reconfigure_successful"
    assert entry.data["credentials"] == old

    gate_of(den).reset()
    form = await entry.start_reconfigure_flow(hass)
    form = await answer(hass, form, host=den.host, port=den.port, pair=False)

    assert form["step_id"] == "pair"


@pytest.mark.usefixtures("no_setup")
async def test_password_of_airplay_2_is_proved_by_pairing(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    """As shairport-sync has it, which lets in everybody who comes with AirPlay 1."""
    gate = Gate("home_kit", "sesame", takes_transient=True, is_open=True)
    txt = {"ft": FEATURES["home_kit"], "sf": "0x84"}
    async with VirtualReceiver("Den", gate=gate, txt=txt) as den:
        form = await discovered(hass, raop_info(den))
        form = await answer(hass, form, password="open")
        assert form["errors"] == {"password": "invalid_auth"}

        entry = await answer(hass, form, password="sesame")

        assert entry["data"]["password"] == "sesame"


@pytest.mark.usefixtures("no_setup")
async def test_password_form_gives_way_to_a_code(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(den, txt={"sf": "0x84"}))
    assert form["step_id"] == "password"

    form = await answer(hass, form, password="secret")

    assert form["step_id"] == "pair"
    assert (await answer(hass, form, code=CODE))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize("den", KINDS, indirect=True)
async def test_receiver_that_is_only_an_address_tells_how_it_pairs(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await opened(hass)
    form = await answer(hass, form, host="localhost", port=den.port)
    assert form["step_id"] == "pair"

    entry = await answer(hass, form, code=CODE)

    assert entry["type"] is FlowResultType.CREATE_ENTRY
    assert entry["data"]["airplay"]["txt"]["model"] == "AppleTV5,3"
    assert entry["result"].unique_id == f"localhost:{den.port}"


@pytest.mark.usefixtures("no_setup")
async def test_receiver_that_never_answers_is_not_waited_for(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(den))
    den.quirks = Quirks(unanswered=frozenset({"POST"}))

    with patch("custom_components.airplay.pairing._BEGIN_S", 0.1):
        form = await answer(hass, form)

    assert form["step_id"] == "pair_again"
    assert form["errors"] == {"base": "cannot_connect"}


@pytest.mark.usefixtures("no_setup")
async def test_receiver_that_is_confused_once_is_no_riddle(
    hass: HomeAssistant, den: VirtualReceiver
) -> None:
    form = await discovered(hass, raop_info(den))
    den.quirks = Quirks(refuse={"/pair-setup": 200})

    def recover(event: str, details: Mapping[str, object]) -> None:
        if details.get("uri") == "/pair-setup":
            # Connections that stand are served as before.
            den.quirks = Quirks()

    den.subscribe(recover)

    form = await answer(hass, form)
    assert form["errors"] == {"base": "not_understood"}
    form = await answer(hass, form)
    assert form["step_id"] == "pair"


@pytest.mark.usefixtures("no_setup")
@pytest.mark.parametrize("status", [470, 403])
async def test_receiver_that_lets_nobody_pair_is_asked_no_further(
    hass: HomeAssistant, den: VirtualReceiver, status: int
) -> None:
    form = await discovered(hass, raop_info(den))
    den.quirks = Quirks(refuse={"/pair-setup": 200})

    def close(event: str, details: Mapping[str, object]) -> None:
        if details.get("uri") == "/pair-setup":
            den.quirks = Quirks(refuse={"/pair-setup": status})

    den.subscribe(close)

    form = await answer(hass, form)
    assert form["errors"] == {"base": "pairing_refused"}
