"""What is wrong today, by row; each must fail until it is right, and then go."""

_FAULTS: dict[str, tuple[str, ...]] = {
    "a piece is taken for the whole": ("send-pieces-that-begin-earlier",),
    "content that is packed on the way": (
        "send-gzip",
        "send-deflate",
        "web-hls-packed",
    ),
    "redirects and statuses as they are": ("header-early-hints",),
    "garbage behind the last block": ("tail-of-100-wv", "tail-of-5000-wv"),
}

KNOWN_FAULTS = {name: reason for reason, names in _FAULTS.items() for name in names}
