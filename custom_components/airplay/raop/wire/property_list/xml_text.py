"""Property lists as XML (the DTD of PropertyList-1.0), in UTF-8 and without entities."""

import base64
import math
import re
from xml.parsers import expat

from .limits import MAX_XML_BYTES, Budget

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}|0[xX][0-9a-fA-F]{1,16}", re.ASCII)
# Few enough digits for float(), more than anyone writes.
_REAL = re.compile(r"[+-]?[0-9.]{1,40}(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
# As Apple writes them.
_NOT_FINITE = ("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
_ROOT = "plist"
_LISTS = ("array", "dict")

type _Container = list[object] | dict[str, object]


def read_xml(body: bytes) -> object:
    """Return the value of an XML list, or None if it has none; dates stay text.

    Raises ValueError, ExpatError: it is not such a list, or describes too much.
    """
    if len(body) > MAX_XML_BYTES:
        raise ValueError("too long for XML")
    return _XmlReader().read(body)


class _XmlReader:
    """Builds the values of a list while its elements are read."""

    def __init__(self) -> None:
        self._budget = Budget()
        self._depth = 0
        self._open: list[_Container] = []
        self._keys: list[str | None] = []
        self._text: list[str] = []
        self._top: object = None

    def read(self, body: bytes) -> object:
        """Return the value at the top."""
        # The encoding is given, so that no document chooses a codec.
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.EntityDeclHandler = _refuse_entity
        parser.Parse(body, True)
        return self._top

    def _begin(self, name: str, _attributes: dict[str, str]) -> None:
        self._text.clear()
        self._depth += 1
        if name == _ROOT:
            return
        self._budget.count(1, self._depth)
        if name in _LISTS:
            value: _Container = [] if name == "array" else {}
            self._add(value)
            self._open.append(value)
            self._keys.append(None)

    def _end(self, name: str) -> None:
        text = "".join(self._text)
        self._text.clear()
        self._depth -= 1
        if name == _ROOT:
            return
        if name == "key":
            self._begin_pair(text)
        elif name in _LISTS:
            if self._keys.pop() is not None:
                raise ValueError("missing value for a key")
            self._open.pop()
        else:
            self._add(_value(name, text))

    def _begin_pair(self, key: str) -> None:
        if not self._open or not isinstance(self._open[-1], dict):
            raise ValueError("a key outside of a dictionary")
        if self._keys[-1] is not None:
            raise ValueError("missing value for a key")
        self._keys[-1] = key

    def _add(self, value: object) -> None:
        """Add a value to the collection that is open."""
        if not self._open:
            self._top = value
            return
        parent = self._open[-1]
        if isinstance(parent, list):
            parent.append(value)
            return
        key, self._keys[-1] = self._keys[-1], None
        if key is None:
            raise ValueError("unexpected value without a key")
        parent[key] = value


def _value(name: str, text: str) -> object:
    match name:
        case "string":
            return text
        case "true" | "false":
            return name == "true"
        case "integer":
            return _integer(text)
        case "real":
            return _real(text)
        case "data":
            return base64.b64decode(text)
        case "date" if _DATE.fullmatch(text.strip()):
            return text.strip()
    raise ValueError(f"unexpected {name[:40]!r}: {text[:40]!r}")


def _integer(text: str) -> int:
    plain = text.strip()
    if not _INTEGER.fullmatch(plain):
        raise ValueError(f"not an integer: {text[:40]!r}")
    return int(plain, 16 if plain[:2] in ("0x", "0X") else 10)


def _real(text: str) -> float | None:
    """Return a number; one that is not finite counts as none."""
    plain = text.strip()
    if plain.lower() in _NOT_FINITE:
        return None
    if not _REAL.fullmatch(plain):
        raise ValueError(f"not a number: {text[:40]!r}")
    number = float(plain)
    return number if math.isfinite(number) else None


def _refuse_entity(*_: object) -> None:
    raise ValueError("XML with entities")
