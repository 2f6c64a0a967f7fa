"""Text from outside, for a terminal."""

import sys


def printable(text: str) -> str:
    """Escape what is no printable character, or none of the terminal's encoding."""
    escaped = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )
    encoding = sys.stdout.encoding or "ascii"
    return escaped.encode(encoding, "backslashreplace").decode(encoding)
