"""Dataclasses from JSON values."""

from dataclasses import dataclass, field
from enum import StrEnum
import json

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.dataclass_json import ShapeError, build, write

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


class Side(StrEnum):
    """One of a few words."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """Something inside."""

    word: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    """One field of every kind that messages have."""

    number: int
    flag: bool = False
    share: float = 0.0
    name: str | None = None
    inner: Inner = Inner()
    maybe: Inner | None = None
    many: tuple[Inner, ...] = ()
    words: dict[str, str] = field(default_factory=dict)
    side: Side = Side.LEFT
    anything: object = None


FIELDS = sorted(Outer.__annotations__)


def test_fields_that_are_absent_have_their_defaults() -> None:
    assert build(Outer, {"number": 1}) == Outer(number=1)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("flag", True, True),
        ("share", 0.5, 0.5),
        ("name", None, None),
        ("name", "x", "x"),
        ("inner", {"word": "x"}, Inner(word="x")),
        ("maybe", None, None),
        ("maybe", {"word": "x"}, Inner(word="x")),
        ("many", [{"word": "a"}, {}], (Inner(word="a"), Inner())),
        ("words", {"a": "b"}, {"a": "b"}),
        ("side", "right", Side.RIGHT),
        ("anything", [1, {}], [1, {}]),
    ],
)
def test_values_take_the_shape_of_their_field(
    name: str, value: object, expected: object
) -> None:
    outer = build(Outer, {"number": 1, name: value})

    assert getattr(outer, name) == expected


def test_a_whole_number_becomes_a_float() -> None:
    assert type(build(Outer, {"number": 1, "share": 2}).share) is float


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", True),
        ("number", 1.0),
        ("number", "1"),
        ("number", None),
        ("flag", 1),
        ("share", True),
        ("share", "1"),
        ("share", float("nan")),
        ("share", float("inf")),
        ("share", 10**400),
        ("name", 1),
        ("name", {}),
        ("inner", None),
        ("inner", "word"),
        ("inner", []),
        ("inner", {"other": 1}),
        ("maybe", {"word": 1}),
        ("many", {}),
        ("many", None),
        ("many", [1]),
        ("many", [None]),
        ("words", []),
        ("words", {"a": 1}),
        ("side", "up"),
        ("side", 1),
        ("side", None),
        ("side", ["left"]),
    ],
)
def test_values_of_other_shapes_are_refused(name: str, value: object) -> None:
    with pytest.raises(ShapeError):
        build(Outer, {"number": 1, name: value})


def test_refusing_names_the_field_and_not_the_value() -> None:
    with pytest.raises(ShapeError, match=r"^Inner\.word has the wrong type$"):
        build(Outer, {"number": 1, "inner": {"word": ["secret"]}})


@pytest.mark.parametrize("value", [None, [], "Outer", 1])
def test_anything_but_an_object_is_refused(value: object) -> None:
    with pytest.raises(ShapeError, match="Outer is not an object"):
        build(Outer, value)


def test_fields_too_many_are_refused() -> None:
    with pytest.raises(ShapeError, match="unknown field"):
        build(Outer, {"number": 1, "colour": "red"})


def test_missing_fields_are_refused() -> None:
    with pytest.raises(ShapeError, match="incomplete"):
        build(Outer, {})


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_arbitrary_values_raise_nothing_but_shape_errors(
    value: dict[str, object],
) -> None:
    try:
        outer = build(Outer, value)
    except ShapeError:
        return
    assert isinstance(outer, Outer)


def test_what_is_written_is_built_again() -> None:
    value = Outer(number=1, share=0.5, name="ü", inner=Inner(word="inside"))

    octets = write(value)

    assert b" " not in octets
    assert build(Outer, json.loads(octets)) == value


def test_what_is_no_json_is_not_written() -> None:
    with pytest.raises(TypeError):
        write({"octets": b"1"})
