"""Nasty input of any length: of one kind of character, repeated, or nested."""

from collections.abc import Callable

_REPEATED = {
    "blanks": b" ",
    "tabs": b"\t",
    "line feeds": b"\n",
    "line ends": b"\r\n",
    "carriage returns": b"\r",
    "zeros": b"\0",
    "ones": b"\xff",
    "letters": b"a",
    "digits": b"9",
    "colons": b":",
    "commas": b",",
    "semicolons": b";",
    "equals": b"=",
    "quotes": b'"',
    "quoted": b'"a",',
    "backslashes": b"\\",
    "percents": b"%",
    "escapes": b"%ff",
    "fields": b"a=b&",
    "ampersands": b"&",
    "at signs": b"@",
    "dots": b".",
    "slashes": b"/",
    "schemes": b"http://",
    "parameters": b"a=b, ",
    "headers": b"a:b\r\n",
    "folded": b"\n a",
    "blanks and colons": b" :",
    "blank lines": b" \n",
    "chunks": b"1\r\na\r\n",
    "frames": b"$\0\0\0",
    "tags": b"<a>",
    "arrays": b"<array>",
    "trues": b"<true/>",
    "attributes": b'a="" ',
    "angles": b"<",
    "comments": b"<!---->",
    "entities": b"&amp;",
    "brackets": b"[",
    "braces": b'{"a":',
    "list": b"1,",
    "items of one byte": b"\x01\x01\x00",
    "long items": b"\x09\xff" + bytes(255),
    "empty items": b"\x03\x00",
    "texts": b"\x03a=1",
    "empty texts": b"\x01a",
    "dmap": b"mikd\0\0\0\0",
    "wide characters": "\U0001f3b5".encode(),
    "cut characters": b"\xf0\x9f",
    "playlist fields": b"file1=a\n",
    "playlist names": b"#EXTINF:1,a\n",
    "addresses": b"fe80::1%a\n",
}


def _repeated(unit: bytes) -> Callable[[int], bytes]:
    return lambda size: (unit * (size // len(unit) + 1))[:size]


def _numbered(size: int) -> bytes:
    """Return many different names."""
    names = (b'a%d="" ' % number for number in range(size // 7))
    return b"".join(names)[:size]


def _nested(size: int) -> bytes:
    return b"<array>" * (size // 15) + b"</array>" * (size // 15)


def _table(objects: list[bytes]) -> bytes:
    """Return a binary property list of objects, with references of three bytes."""
    body, offsets = bytearray(b"bplist00"), bytearray()
    for each in objects:
        offsets += len(body).to_bytes(4)
        body += each
    trailer = bytes(6) + bytes((4, 3)) + len(objects).to_bytes(8) + bytes(8)
    return bytes(body + offsets) + trailer + len(body).to_bytes(8)


def _array(*references: int) -> bytes:
    packed = b"".join(each.to_bytes(3) for each in references)
    return b"\xaf\x12" + len(references).to_bytes(4) + packed


_TOP = (b"\xd1" + (1).to_bytes(3) + (2).to_bytes(3), b"\x51a")


def _one_value_named_often(size: int) -> bytes:
    return _table([*_TOP, _array(*[3] * (size // 3)), b"\x09"])


def _many_values(size: int) -> bytes:
    count = size // 8
    return _table([*_TOP, _array(*range(3, count + 3)), *[b"\x09"] * count])


def _deep_values(size: int) -> bytes:
    count = size // 13
    links = [_array(3 + level) for level in range(count)]
    return _table([*_TOP, *links, b"\x09"])


def _cycle(size: int) -> bytes:
    return _table([*_TOP, _array(*[2] * (size // 3))])


def _long_text_named_often(size: int) -> bytes:
    text = b"\x6f\x12" + (size // 4).to_bytes(4) + b"\xd8\0" * (size // 4)
    return _table([*_TOP, _array(*[3] * 1000), text])


SHAPES: dict[str, Callable[[int], bytes]] = {
    **{name: _repeated(unit) for name, unit in _REPEATED.items()},
    "numbered": _numbered,
    "nested": _nested,
}
BINARY_LISTS: dict[str, Callable[[int], bytes]] = {
    "plist: one value": _one_value_named_often,
    "plist: many values": _many_values,
    "plist: deep": _deep_values,
    "plist: a cycle": _cycle,
    "plist: a long text": _long_text_named_often,
}
