"""Write frozen dataclasses as JSON, and build them from values that are not trusted."""

from dataclasses import fields, is_dataclass
from enum import StrEnum
import json
from math import isfinite
from types import NoneType, UnionType
from typing import get_args, get_origin, get_type_hints

_HINTS: dict[type[object], dict[str, object]] = {}
_NAMES: dict[type[object], tuple[str, ...]] = {}


class ShapeError(ValueError):
    """A JSON value does not match the dataclass; the text quotes no values."""


def write(value: object) -> bytes:
    """Return JSON of a value whose parts may be dataclasses, without blanks."""
    return json.dumps(value, separators=(",", ":"), default=_fields).encode()


def _fields(value: object) -> dict[str, object]:
    kind = type(value)
    names = _NAMES.get(kind)
    if names is None:
        # Raises TypeError: it is neither JSON nor a dataclass.
        names = _NAMES[kind] = tuple(each.name for each in fields(value))  # type: ignore[arg-type]
    return {name: getattr(value, name) for name in names}


def build[T](kind: type[T], value: object) -> T:
    """Return the dataclass for a JSON object. Raises ShapeError: it does not match."""
    if not isinstance(value, dict):
        raise ShapeError(f"{kind.__name__} is not an object")
    hints = _HINTS.get(kind) or _HINTS.setdefault(kind, get_type_hints(kind))
    if value.keys() - hints:
        raise ShapeError(f"{kind.__name__} has an unknown field")
    fields = {
        name: _shaped(f"{kind.__name__}.{name}", hints[name], each)
        for name, each in value.items()
    }
    try:
        return kind(**fields)
    except TypeError as err:
        raise ShapeError(f"{kind.__name__} is incomplete") from err


def _shaped(name: str, hint: object, value: object) -> object:
    """Check a value against an annotation and convert it to that type."""
    inner = get_args(hint)
    match get_origin(hint), value:
        case (origin, None) if origin is UnionType and NoneType in inner:
            return None
        case (origin, _) if origin is UnionType:
            return _shaped(name, inner[0], value)
        case (origin, list()) if origin is tuple:
            return tuple(_shaped(name, inner[0], each) for each in value)
        case (origin, dict()) if origin is dict:
            return {key: _shaped(name, inner[1], each) for key, each in value.items()}
    if isinstance(hint, type) and is_dataclass(hint):
        return build(hint, value)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _word(name, hint, value)
    if hint is float:
        return _number(name, value)
    if hint is not object and type(value) is not hint:
        raise ShapeError(f"{name} has the wrong type")
    return value


def _word(name: str, words: type[StrEnum], value: object) -> StrEnum:
    if type(value) is str and value in words:
        return words(value)
    raise ShapeError(f"{name} is none of {', '.join(words)}")


def _number(name: str, value: object) -> float:
    try:
        if type(value) is float or type(value) is int:
            number = float(value)
            if isfinite(number):
                return number
    except OverflowError:
        pass
    raise ShapeError(f"{name} is not a number")
