"""Names of receivers that are links, pictures, HTML, or nothing that can be seen."""

import re
from typing import Any

import pytest

from custom_components.airplay.const import DOMAIN
from custom_components.airplay.helpers.foreign_text import inert
from custom_components.airplay.helpers.issues import LEFT_GROUP, RepairNotice
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from tests.ha.flows import answer, discovered, opened
from tests.ha.zeroconf import Network, raop_info
from tests.virtual_receiver import VirtualReceiver

EVIL = "Nice [speaker](http://evil.example)"
HOSTILE = [
    EVIL,
    "![](//evil.example/pixel.png)",
    "[a]: http://evil.example [a]",
    "<img src=//evil.example onerror=alert(1)>",
    "<http://evil.example>",
    "see https://evil.example/x",
    "see WWW.evil.example",
    "mail me@evil.example",
    "ftp://evil.example",
    "&lt;b&gt; &#91;x](//evil.example)",
    "\\[x](//evil.example) \\<b>",
    "`code` ``[x](//y)``",
    "line\n\n# heading\r\n- list\x00\x1b[31m",
    "\u202ereversed \u2066text\u2069",
]
HONEST = [
    "Tim's Büro & Küche",
    "Living_Room (left)",
    "Küche 2",
    "客厅 👨\u200d👩\u200d👧",
]
# All of which Markdown makes more than text with emphasis: brackets, HTML, code, and the
# links of GitHub's flavor, which need no brackets.
ACTIVE = re.compile(r"[\[\]<>`\n\r]|:/|www\.|\S@\S", re.IGNORECASE)


def is_plain(text: str) -> bool:
    """Whether Markdown makes no link, picture, code, or HTML of a text."""
    return not ACTIVE.search(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(text: str) -> None:
    shown = inert(text)

    assert is_plain(shown), shown
    assert all(each.isprintable() for each in shown)
    assert shown == inert(shown)


@pytest.mark.parametrize("text", HONEST)
def test_usual_names_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


def test_text_without_end_is_cut() -> None:
    assert len(inert("www." * 1_000_000)) <= 500
    assert inert("\u200b \x00 \t") == ""


def all_texts(form: Any) -> list[str]:
    """Return all that a form shows of a receiver."""
    schema = form["data_schema"].schema if form.get("data_schema") else {}
    labels = [
        option["label"]
        for selector in schema.values()
        for option in getattr(selector, "config", {}).get("options", ())
    ]
    return [*(form.get("description_placeholders") or {}).values(), *labels]


async def test_receiver_with_a_link_as_its_name_is_added_without_one(
    hass: HomeAssistant, socket_enabled: None, network: Network
) -> None:
    async with VirtualReceiver(EVIL, txt={"am": "<b>[x](//y)</b>"}) as receiver:
        network.announce(raop_info(receiver))
        await hass.async_block_till_done(wait_background_tasks=True)
        (card,) = hass.config_entries.flow.async_progress()
        form = await hass.config_entries.flow.async_configure(card["flow_id"])
        listed = await opened(hass)

        shown = [
            *all_texts(form),
            *all_texts(listed),
            card["context"]["title_placeholders"]["name"],
        ]
        assert len(shown) >= 4
        assert all(is_plain(each) for each in shown), shown
        done = await answer(hass, form)
        await hass.async_block_till_done()

        assert done["title"] == "Nice (speaker)(http: //evil.example)"
        entry_id = done["result"].entry_id
        devices = dr.async_get(hass)
        (device,) = dr.async_entries_for_config_entry(devices, entry_id)
        assert device.name == done["title"]
        assert device.model == "(b)(x)(//y)(/b)"
        await hass.config_entries.async_remove(entry_id)


async def test_receiver_without_a_visible_name_is_named_by_its_address(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    async with VirtualReceiver("\u200b\u202e") as receiver:
        form = await discovered(hass, raop_info(receiver))

    assert (form["description_placeholders"] or {})["name"] == "127.0.0.1"


async def test_issues_have_no_link_in_any_placeholder(hass: HomeAssistant) -> None:
    RepairNotice(hass, LEFT_GROUP, "x").async_make(EVIL, f"{EVIL} does not respond.")

    (issue,) = ir.async_get(hass).issues.values()
    assert issue.domain == DOMAIN
    assert issue.translation_placeholders
    assert all(is_plain(each) for each in issue.translation_placeholders.values())
