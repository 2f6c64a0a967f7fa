"""The sentences of the doctor."""

import pytest

from custom_components.airplay.raop.diagnosis import DiagnosisCode
from custom_components.airplay.raop.session.doctor.advice import SENTENCES, sentence_of


def test_each_code_has_a_sentence() -> None:
    assert list(SENTENCES) == list(DiagnosisCode)


@pytest.mark.parametrize("code", DiagnosisCode)
def test_a_sentence_names_the_receiver_and_is_one(code: DiagnosisCode) -> None:
    sentence = sentence_of(code, "Kitchen", "SETUP 500")

    assert "Kitchen" in sentence
    assert sentence.endswith(".")
    assert ". " not in sentence
    # What is wrong, and what to do.
    assert sentence.count(":") == 1


def test_braces_in_a_name_are_no_fields() -> None:
    assert "{detail}" in sentence_of(DiagnosisCode.OK, "{detail}", "x")
