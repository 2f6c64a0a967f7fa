"""Whole sentences for every error of the core, without its own words."""

from collections.abc import Iterator
import json
import logging
from pathlib import Path
from string import Formatter

import pytest

from custom_components.airplay.raop.errors import (
    MediaError,
    MediaUnreachableError,
    RaopError,
    ReceiverProtocolError,
    ReceiverRefusedError,
    error_for,
)
from custom_components.airplay.sender import error_translation
from custom_components.airplay.sender.error_translation import translate_error

TEXTS = Path(error_translation.__file__).parents[1] / "translations" / "en.json"
SENTENCES = json.loads(TEXTS.read_text())["exceptions"]


def tree(base: type[RaopError]) -> Iterator[type[RaopError]]:
    yield base
    for child in base.__subclasses__():
        yield from tree(child)


def sentence(error: RaopError) -> str:
    """Return how a user reads of an error."""
    told = translate_error(error, "Kitchen", "song.mp3")
    assert told.translation_key
    message: str = SENTENCES[told.translation_key]["message"]
    return message.format(**told.translation_placeholders or {})


@pytest.mark.parametrize("status", [None, 418])
@pytest.mark.parametrize("kind", tree(RaopError))
def test_every_error_has_a_sentence_without_the_text_of_the_core(
    kind: type[RaopError], status: int | None
) -> None:
    said = sentence(error_for(kind.code, "no hands", status))

    assert "no hands" not in said
    assert "None" not in said


@pytest.mark.parametrize(
    "kind", [ReceiverRefusedError, MediaError, MediaUnreachableError]
)
def test_status_of_an_answer_is_named_if_there_was_one(kind: type[RaopError]) -> None:
    assert "418" in sentence(kind("no", status=418))
    assert "tatus" not in sentence(kind("no"))


def test_text_of_the_core_is_logged_if_the_sentence_refers_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)

    assert "log" in sentence(RaopError("no hands"))
    assert caplog.messages == ["Kitchen: no hands (failed)"]

    caplog.clear()
    assert "log" not in sentence(ReceiverProtocolError("no feet"))
    assert not caplog.messages


def test_error_sentences_use_only_their_placeholders() -> None:
    words = {
        field
        for key, text in SENTENCES.items()
        if key.startswith(("receiver_", "failed", "media_failed", "media_unreachable"))
        for _, field, _, _ in Formatter().parse(text["message"])
        if field
    }

    assert words == {"name", "media", "status"}
