"""What the processes of this integration get of the environment they are started in.

It may hold secrets, such as the supervisor's token: what is not listed stays behind.
"""

from collections.abc import Mapping

# Where programs, libraries and certificates are, the language, and the time zone.
_PLACES = frozenset(
    {
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        # Some distributions install libraries where only this leads.
        "PYTHONPATH",
        "PYTHONPYCACHEPREFIX",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
    }
)
_LANGUAGE = ("LC_",)
# How the loader, the interpreter and the allocator are set, and our own variables.
_TUNING = ("AIRPLAY_", "DYLD_", "LD_", "MALLOC_", "PYTHON")


def inherited(
    environment: Mapping[str, str], *, is_tuned: bool = False
) -> dict[str, str]:
    """Return the variables that a process needs.

    `is_tuned`: also those that change how it runs, which is for a process that keeps
    time, and not for one with limits.
    """
    prefixes = _LANGUAGE + _TUNING if is_tuned else _LANGUAGE
    return {
        name: value
        for name, value in environment.items()
        if name in _PLACES or name.startswith(prefixes)
    }
