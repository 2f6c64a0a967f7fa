"""NTP time stamps: seconds since 1900 in 32 bits, fraction in 32 bits (RFC 5905 §6)."""

_UNIX_EPOCH = 2_208_988_800
_SECOND_NS = 1_000_000_000
_ERA_SECONDS = 1 << 32


def from_unix_ns(ns: int) -> int:
    """Return the 64-bit NTP time of a Unix time; it wraps in 2036."""
    seconds, rest = divmod(ns, _SECOND_NS)
    return (seconds + _UNIX_EPOCH) % _ERA_SECONDS << 32 | (rest << 32) // _SECOND_NS


def to_unix_ns(ntp: int) -> int:
    """Return the Unix time of an NTP time between 1968 and 2104.

    A clear first bit means the era that begins in 2036 (RFC 4330 §3).
    """
    seconds, fraction = ntp >> 32 & 0xFFFFFFFF, ntp & 0xFFFFFFFF
    if seconds < _ERA_SECONDS // 2:
        seconds += _ERA_SECONDS
    # Rounding instead of truncating returns exactly the nanosecond that was converted.
    rest = (fraction * _SECOND_NS + (1 << 31)) >> 32
    return (seconds - _UNIX_EPOCH) * _SECOND_NS + rest
