"""Which program of this machine uses a UDP port, as far as we may see it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

_PROC = Path("/proc")
_TABLES = ("udp", "udp6")
# Columns of /proc/net/udp: the local address with its port in hexadecimal, the inode.
_LOCAL, _INODE = 1, 9


def owner_of(ports: Iterable[int]) -> str:
    """Return the names of the programs that use any of some UDP ports; blocks.

    Empty if there is none, or if it belongs to another user or container.
    """
    links = {f"socket:[{inode}]" for inode in _inodes(frozenset(ports))}
    if not links:
        return ""
    own = [each for each in _PROC.glob("[0-9]*") if _has(each / "fd", links)]
    names = (f"{_name_of(each)} ({each.name})" for each in own)
    return ", ".join(sorted(names))


def _inodes(ports: frozenset[int]) -> Iterator[str]:
    for table in _TABLES:
        for line in _text_of(_PROC / "net" / table).splitlines()[1:]:
            words = line.split()
            if int(words[_LOCAL].rpartition(":")[2], 16) in ports:
                yield words[_INODE]


def _has(folder: Path, links: set[str]) -> bool:
    """Whether a process has one of the sockets open."""
    try:
        return any(_target_of(each) in links for each in folder.iterdir())
    except OSError:
        return False


def _target_of(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        # It was closed meanwhile.
        return ""


def _name_of(process: Path) -> str:
    return _text_of(process / "comm").strip() or "a program"


def _text_of(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
