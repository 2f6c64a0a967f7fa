"""The limits that the sender process sets for itself."""

import resource

# A group of 32 receivers has about 250 descriptors open, and others connect to us.
_MOST_FILES = 2048


def limit_process() -> None:
    """Write no core file, which would hold secrets, and open a limited number of files.

    The limits also apply to processes that this one starts.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _MOST_FILES if most == resource.RLIM_INFINITY else min(_MOST_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
