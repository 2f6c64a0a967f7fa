"""No PIN, password, key or credential appears in a log, in diagnostics or in an error."""

from collections.abc import Iterator
import json
import logging

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from tests.ha.diagnostics import diagnostics_of
from tests.ha.flows import FEATURES, answer, discovered
from tests.ha.players import play, player_of
from tests.ha.zeroconf import raop_info
from tests.virtual_receiver import VirtualReceiver
from tests.virtual_receiver.pairing import Gate
from tests.virtual_receiver.pairing.gate import Kind

# Of a kind that appears in no log by chance.
CODE = "73910468"
WRONG_CODE = "28460937"
PASSWORD = "xylophone-quartz"
WRONG_PASSWORD = "obsidian-lantern"


@pytest.fixture(autouse=True)
def everything_is_logged() -> Iterator[None]:
    """Log as much as can be."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    logger = logging.getLogger("custom_components")
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(logging.NOTSET)
    root.setLevel(level)


async def added(hass: HomeAssistant, receiver: VirtualReceiver) -> ConfigFlowResult:
    """Add a receiver with a wrong secret and then with the right one."""
    form = await discovered(hass, raop_info(receiver))
    if form["step_id"] == "confirm":
        form = await answer(hass, form)
        form = await answer(hass, form, code=WRONG_CODE)
        assert form["errors"] == {"code": "wrong_code"}
        form = await answer(hass, form, code=CODE)
    if form["type"] is FlowResultType.FORM:
        assert form["step_id"] == "password"
        form = await answer(hass, form, password=WRONG_PASSWORD)
        assert form["errors"] == {"password": "invalid_auth"}
        form = await answer(hass, form, password=PASSWORD)
    assert form["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    return form


def keys_in(credentials: str) -> list[str]:
    """Return the secret part of credentials: the seed, in each notation."""
    seed = bytes.fromhex(credentials.split(":")[1])
    return [credentials, seed.hex(), repr(seed)[2:-1]]


def words_of(receiver: VirtualReceiver) -> list[str]:
    """Return the proofs and keys that a receiver got."""
    bodies = [each.body for each in receiver.requests if each.uri.startswith("/pair-")]
    pieces = [body[at : at + 16] for body in bodies for at in range(40, len(body), 16)]
    whole = [piece for piece in pieces if len(piece) == 16]
    return [word for piece in whole for word in (piece.hex(), repr(piece)[2:-1])]


@pytest.mark.parametrize("kind", ["legacy", "home_kit", None])
async def test_secrets_stay_secret(
    hass: HomeAssistant,
    socket_enabled: None,
    song: str,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
    kind: Kind | None,
) -> None:
    gate = Gate(kind, CODE) if kind else None
    txt = {"ft": FEATURES[kind], "pw": "false"} if kind else {}
    async with VirtualReceiver("Den", gate=gate, txt=txt, password=PASSWORD) as den:
        made = await added(hass, den)
        entry = made["result"]
        player = player_of(hass, entry)
        await play(hass, player, song)
        told = await diagnostics_of(hass, hass_client, entry)
        await hass.services.async_call(
            "media_player", "media_stop", {"entity_id": player}, blocking=True
        )
        den.password = "changed"
        if gate:
            gate.reset()
        with pytest.raises(HomeAssistantError) as caught:
            await play(hass, player, song)
        await hass.async_block_till_done()
        (flow,) = hass.config_entries.flow.async_progress()
        await hass.config_entries.async_unload(entry.entry_id)

    credentials = made["data"].get("credentials", "")
    secrets = [CODE, WRONG_CODE, PASSWORD, WRONG_PASSWORD]
    secrets += keys_in(credentials) if credentials else []
    everything = {
        "log": caplog.text,
        "diagnostics": json.dumps(told),
        "error": f"{caught.value!r} {caught.value.__cause__!r} {caught.value}",
        "form": repr(flow),
    }
    assert "OPTIONS" in everything["log"]
    for place, text in everything.items():
        leaked = [secret for secret in secrets if secret in text]
        assert not leaked, place
    assert not [word for word in words_of(den) if word in caplog.text]
    assert bool(credentials) is bool(kind)
