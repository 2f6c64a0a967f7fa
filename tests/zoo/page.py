"""Write the table of docs/receivers.md from the data: python -m tests.zoo.page."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from .device import DEVICES, Clock, Device, Lane, Source, Way
from .not_yet import NOT_YET

PAGE = Path(__file__).parents[2] / "docs" / "receivers.md"
BEGIN = "<!-- The rest of this section is written by: python -m tests.zoo.page -->\n"
END = "<!-- End of what is written by: python -m tests.zoo.page -->\n"

_LANES = {
    Lane.RAOP: "AirPlay 1",
    Lane.REALTIME: "AirPlay 2 realtime",
    Lane.BUFFERED: "AirPlay 2 buffered",
}
_KNOWN = {
    Source.MEASURED: "measured",
    Source.LOG: "log",
    Source.SOURCE: "source",
    Source.INFO: "its answer to `/info`",
    Source.HEARSAY: "reported without details",
    Source.INFERRED: "inferred",
    Source.NONE: "not known",
}
# The beginnings of the names of those that tests/real plays to.
_REAL = ("shairport-sync", "libshairplay", "nodetunes")
_HEAD = (
    "| receiver | connection methods | records | behavior | tried on |\n"
    "| --- | --- | --- | --- | --- |\n"
)


def method(way: Way) -> str:
    """Return a way as users know it."""
    details = []
    if way.lane is not Lane.RAOP and way.clock is Clock.NTP:
        details.append("with NTP")
    if way.clock is Clock.PTP_FOLLOW:
        details.append("by its own clock")
    if way.depth_ms:
        details.append(f"at least {way.depth_ms} ms ahead")
    return _LANES[way.lane] + (f" ({', '.join(details)})" if details else "")


def tried(device: Device) -> str:
    """Return what was played to."""
    if device.name in NOT_YET:
        return "a modelled receiver, and does not work yet"
    is_real = device.name.startswith(_REAL)
    return "the real thing" if is_real else "a modelled receiver"


def row(device: Device) -> str:
    """Return the row of a device."""
    ways = ", ".join(method(way) for way in device.ways) or "none: it plays no audio"
    if device.known.behavior in (Source.INFERRED, Source.NONE):
        ways += " (expected)"
    if device.is_bridge:
        ways += "; a bridge to another system"
    known = device.known
    cells = (
        device.name,
        ways,
        _KNOWN[known.records] + (", in part" if device.is_partial else ""),
        _KNOWN[known.behavior],
        tried(device),
    )
    return f"| {' | '.join(cells)} |\n"


def tables(devices: Iterable[Device]) -> Iterator[str]:
    """Return a table for each group of devices."""
    for group, members in groupby(devices, lambda device: device.group):
        yield f"### {group}\n\n{_HEAD}{''.join(row(each) for each in members)}\n"


def written(page: str) -> str:
    """Return a page with its section written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{''.join(tables(DEVICES))}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
