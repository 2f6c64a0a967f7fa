"""What the headers of an answer say about parts of a file."""

from dataclasses import dataclass
import re

from ..web import WebResponse

# No more digits than a file has: Python refuses to convert thousands of them.
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of a file in an answer, from `start` up to `end`, of `total` if known."""

    start: int
    end: int
    total: int | None


def part_of(response: WebResponse) -> Part | None:
    """Return of which part of a file an answer is, if it is of one (RFC 9110, 14.4)."""
    match = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    if response.status != 206 or match is None:
        return None
    total = None if match[3] == "*" else int(match[3])
    return Part(int(match[1]), int(match[2]) + 1, total)


def claims_ranges(response: WebResponse) -> bool:
    """Whether a server says that it can deliver parts."""
    return response.headers.get("Accept-Ranges", "").strip().lower() == "bytes"


def version_of(response: WebResponse) -> str:
    """Return the strong entity tag of an answer (RFC 9110, 8.8.3), "" without one."""
    tag: str = response.headers.get("ETag", "").strip()
    return tag if tag.startswith('"') else ""
