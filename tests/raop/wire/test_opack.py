"""OPACK, judged by pyatv's reader."""

from pyatv.support import opack
import pytest

from custom_components.airplay.raop.wire.opack import build_opack


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"name": "Home"},
        {"name": ""},
        {"name": "x" * 32},
        {"name": "x" * 33},
        {"name": "ä" * 127},
        {"name": "x" * 255},
        {str(number): "x" for number in range(14)},
    ],
)
def test_dictionary_of_texts_is_read_by_others(texts: dict[str, str]) -> None:
    read, rest = opack.unpack(build_opack(texts))

    assert read == texts
    assert rest == b""


def test_published_form() -> None:
    assert build_opack({"name": "Home"}) == b"\xe1\x44name\x44Home"
    assert build_opack({"name": "x" * 32})[6:7] == b"\x60"
    assert build_opack({"name": "x" * 33})[6:8] == b"\x61\x21"


@pytest.mark.parametrize(
    "texts", [{"name": "x" * 256}, {str(number): "" for number in range(15)}]
)
def test_what_does_not_fit_is_an_error(texts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="too"):
        build_opack(texts)
