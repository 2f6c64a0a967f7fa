"""Property lists from the network."""

import math
import plistlib
import struct
import time
import tracemalloc

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.errors import ReceiverProtocolError
from custom_components.airplay.raop.wire.plist import build_plist, parse_plist, signed
from tests.raop.vectors import number, word


def test_dictionary_is_read() -> None:
    body = plistlib.dumps({"features": 1 << 48, "pk": b"\1"}, fmt=plistlib.FMT_BINARY)

    assert parse_plist(body) == {"features": 1 << 48, "pk": b"\1"}


def test_written_values_read_back() -> None:
    said: dict[str, object] = {"rate": 1, "streams": [{"shk": b"\1"}], "is": True}

    assert parse_plist(build_plist(said)) == said
    assert plistlib.loads(build_plist(("10.0.0.1", "10.0.0.2"))) == [
        "10.0.0.1",
        "10.0.0.2",
    ]


def test_numbers_of_64_bits_have_a_sign() -> None:
    clock = int(word("plist_signed_clock", "clock"), 16)

    assert signed(clock) == number("plist_signed_clock", "signed")
    assert signed(5) == 5


def binary(value: dict[str, object] | list[object]) -> bytes:
    return plistlib.dumps(value, fmt=plistlib.FMT_BINARY, skipkeys=True)


def packed(objects: list[bytes], *, ref_bytes: int = 2, top: int = 0) -> bytes:
    """Return a binary property list of hand-made objects."""
    body, offsets = bytearray(b"bplist00"), []
    for each in objects:
        offsets.append(len(body))
        body += each
    table = len(body)
    for offset in offsets:
        body += offset.to_bytes(4)
    trailer = struct.pack(">6xBBQQQ", 4, ref_bytes, len(objects), top, table)
    return bytes(body) + trailer


def array(*references: int) -> bytes:
    size = b"\xaf\x12" + len(references).to_bytes(4)
    return size + b"".join(each.to_bytes(2) for each in references)


def keyed(value: int) -> list[bytes]:
    """Return a dictionary at the top whose key `a` has a value."""
    return [b"\xd1\0\1" + value.to_bytes(2), b"\x51a"]


LEAVES = (
    st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcé\U0001f3b5"), inner),
    max_leaves=30,
)


@given(st.dictionaries(st.text("abcdefghé"), TREES))
def test_what_plistlib_writes_is_read(value: dict[str, object]) -> None:
    assert parse_plist(binary(value)) == value


@given(
    st.dictionaries(
        st.text("abcd"),
        st.integers(-(1 << 63), (1 << 64) - 1)
        | st.booleans()
        | st.binary()
        | st.lists(st.text("xyz &<")),
    )
)
def test_xml_is_read(value: dict[str, object]) -> None:
    assert parse_plist(plistlib.dumps(value)) == value


@pytest.mark.parametrize(
    "padding", [(b"", b"\0"), (b"\r\n ", b"\n"), (b"\xef\xbb\xbf", b"")]
)
def test_xml_may_have_padding(padding: tuple[bytes, bytes]) -> None:
    body = plistlib.dumps({"is": "XML"})

    assert parse_plist(padding[0] + body + padding[1]) == {"is": "XML"}
    assert parse_plist(padding[0] + body.partition(b"\n")[2]) == {"is": "XML"}


def test_values_that_plistlib_does_not_write_are_read() -> None:
    objects = [
        b"\xd5\0\1\0\2\0\3\0\4\0\5" + b"\0\6\0\7\0\x08\0\x09\0\x0a",
        *(b"\x51" + letter for letter in (b"a", b"b", b"c", b"d", b"e")),
        b"\x22" + struct.pack(">f", 1.5),
        b"\x33" + struct.pack(">d", 86_400.0),
        b"\xc1\0\x0b",
        b"\x72h\xc3",
        b"\x80\x07",
        b"\x00",
    ]

    assert parse_plist(packed(objects)) == {
        "a": 1.5,
        "b": 86_400.0,
        "c": [None],
        "d": "h\ufffd",
        "e": 7,
    }


@pytest.mark.parametrize("fmt", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_a_number_that_is_not_finite_counts_as_none(
    fmt: plistlib.PlistFormat,
) -> None:
    numbers = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1.5}

    said = parse_plist(plistlib.dumps(numbers, fmt=fmt))

    assert said == {"a": None, "b": None, "c": None, "d": 1.5}


def test_other_values_of_xml() -> None:
    body = b"""<plist><dict>
        <key>when</key><date>2026-01-31T12:00:00Z</date>
        <key>hex</key><integer> 0xFf </integer>
        <key>most</key><integer>18446744073709551615</integer>
        <key>big</key><real>1e400</real>
        <key>list</key><array><dict/><true/></array>
    </dict></plist>"""

    assert parse_plist(body) == {
        "when": "2026-01-31T12:00:00Z",
        "hex": 255,
        "most": (1 << 64) - 1,
        "big": None,
        "list": [{}, True],
    }


def test_keys_that_are_no_text_are_left_out() -> None:
    objects = [b"\xd2\0\1\0\2\0\3\0\3", b"\x10\x05", b"\x51b", b"\x09"]

    assert parse_plist(packed(objects)) == {"b": True}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "not a property list"),
        (b"bplist00", "too short"),
        (b"volume: 5", "volume: 5"),
        (b'{"is": "JSON"}', "JSON"),
        (binary(["a list"]), "not a dictionary: list"),
        (plistlib.dumps("text"), "not a dictionary: str"),
        (b"<plist></plist>", "not a dictionary"),
        (b"<plist><dict><key>a</key></dict></plist>", "missing value"),
        (b"<plist><dict><string>a</string></dict></plist>", "unexpected"),
        (b"<plist><key>a</key></plist>", "not a property list"),
        (b"<plist><date>soon</date></plist>", "not a property list"),
        (b"<plist><data>a</data></plist>", "not a property list"),
        (b"<plist><integer>ten</integer></plist>", "ten"),
        (b"<plist><integer>" + b"9" * 5000 + b"</integer></plist>", "not an integer"),
        (b"<plist><real>" + b"9" * 5000 + b"</real></plist>", "not a number"),
        (b"<plist><real>nano</real></plist>", "not a number"),
        (b"<plist><dict><key>a</key><key>b</key></dict></plist>", "missing value"),
        (b'<?xml version="1.0" encoding="punycode"?><plist/>', "not a dictionary"),
        (b"<plist><huge/></plist>", "unexpected 'huge'"),
        (b"<plist><dict>", "no element found"),
        (b"<plist><string>\xff</string></plist>", "not well-formed"),
    ],
)
def test_invalid_input_is_an_error(body: bytes, named: str) -> None:
    with pytest.raises(ReceiverProtocolError, match=named):
        parse_plist(body)


TRAILERS = [
    (0, 2, 1, 0, 8),
    (4, 0, 1, 0, 8),
    (9, 2, 1, 0, 8),
    (4, 2, 1 << 60, 0, 8),
    (4, 2, 1, 1, 12),
    (4, 2, 1, 0, 1 << 63),
    (4, 2, 1, 0, 0),
    (1, 1, 1, 0, 9),
]


@pytest.mark.parametrize("trailer", TRAILERS, ids=str)
def test_a_table_that_cannot_be_is_refused(trailer: tuple[int, ...]) -> None:
    body = b"bplist00" + b"\x09" + bytes(16) + struct.pack(">6xBBQQQ", *trailer)

    with pytest.raises(ReceiverProtocolError, match="not a property list"):
        parse_plist(body)


@pytest.mark.parametrize(
    "value",
    [
        b"\x15" + bytes(32),
        b"\x20\0",
        b"\x0f",
        b"\x90",
        b"\x4f\x21\0",
        b"\x4f\x15" + bytes(32),
        b"\x4f\x13" + b"\xff" * 8,
        b"\xaf\x14" + b"\xff" * 16,
        b"\x5f\x12\0\xff\0\0",
        b"\xa1\xff\xff",
    ],
    ids=bytes.hex,
)
def test_a_value_that_cannot_be_is_refused(value: bytes) -> None:
    with pytest.raises(ReceiverProtocolError, match="not a property list"):
        parse_plist(packed([*keyed(2), value]))


def _nested(depth: int) -> list[bytes]:
    return [*keyed(2), *(array(3 + level) for level in range(depth)), b"\x09"]


BOMBS = {
    "deep": packed(_nested(40)),
    "very deep": packed(_nested(10_000)),
    "a cycle": packed([*keyed(2), array(2)]),
    "a cycle at the top": packed([b"\xd1\0\1\0\0", b"\x51a"]),
    "one value named ten times, ten times": packed(
        [*keyed(2), *(array(*[3 + level] * 10) for level in range(9)), b"\x09"]
    ),
    "one array of many places": packed(
        [*keyed(2), array(*range(3, 20_000)), *[array(1)] * 20_000]
    ),
    "a cycle of long arrays": packed([*keyed(2), array(*[2] * 65_000)]),
    "many values": packed([*keyed(2), array(*[3] * 60_000), b"\x09"]),
    "one long text named many times": packed(
        [
            *keyed(2),
            array(*[3] * 1000),
            b"\x5f\x12" + (16_000).to_bytes(4) + b"x" * 16_000,
        ]
    ),
    "bytes named many times": packed(
        [
            *keyed(2),
            array(*[3] * 1000),
            b"\x4f\x12" + (500_000).to_bytes(4) + b"x" * 500_000,
        ]
    ),
    "a long text of UTF-16 that is none": packed(
        [*keyed(2), b"\x6f\x12" + (250_000).to_bytes(4) + b"\xd8\0" * 250_000]
    ),
    "XML that is deep": b"<plist>"
    + b"<array>" * 60_000
    + b"</array>" * 60_000
    + b"</plist>",
    "XML with many values": b"<plist><dict><key>a</key><array>"
    + b"<true/>" * 100_000
    + b"</array></dict></plist>",
    "XML that is long": b"<plist><dict>" + b" " * 300_000 + b"</dict></plist>",
    "XML with many attributes": b"<plist "
    + b"".join(b'a%d="" ' % each for each in range(100_000))
    + b"/>",
    "XML with entities": b'<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;">' % (c, c - 1, c - 1) for c in b"bcdefghijk")
    + b"]><plist><dict><key>a</key><string>&k;</string></dict></plist>",
    "XML of another file": b"<!DOCTYPE plist ["
    b'<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]><plist><dict/></plist>',
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
def test_a_list_that_describes_too_much_is_refused_in_no_time(body: bytes) -> None:
    spent_ns = []
    for _ in range(3):
        began_ns = time.thread_time_ns()
        with pytest.raises(ReceiverProtocolError, match=r"too|entities"):
            parse_plist(body)
        spent_ns.append(time.thread_time_ns() - began_ns)

    # Longer, and the loop of Home Assistant would be held up.
    assert min(spent_ns) < 100_000_000


def test_a_bomb_takes_no_memory() -> None:
    tracemalloc.start()
    for body in BOMBS.values():
        with pytest.raises(ReceiverProtocolError):
            parse_plist(body)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most_bytes < 16_000_000


@given(st.binary(max_size=300), st.integers(0, 60), st.integers(0, 255))
def test_any_bytes_are_a_dictionary_or_an_error(
    noise: bytes, at: int, byte: int
) -> None:
    whole = plistlib.dumps(
        {"features": 1, "list": [{"a": b"b"}], "text": "x"}, fmt=plistlib.FMT_BINARY
    )
    at %= len(whole)
    for body in (b"bplist00" + noise, whole[:at] + bytes((byte,)) + whole[at + 1 :]):
        try:
            parse_plist(body)
        except ReceiverProtocolError:
            continue
