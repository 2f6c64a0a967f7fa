"""The prepared process that decoder processes come from, as its owner starts it.

It needs no event loop, so that a program can start it before it imports anything else.
"""

import os
from pathlib import Path
import signal
import socket
import sys

from .environment import inherited

# What starts the prepared process, and where forking is not safe each decoder.
PROGRAM = Path(__file__).parents[1] / "__main__.py"
# Forking is not safe on macOS, whose libraries may run threads of their own.
SERVE = ("decode",) if sys.platform == "linux" else ("decode", "--spawn")
# One thread, so that forking is safe, and one arena: each reserves 64 MiB, which counts
# for the limit of memory.
_SINGLE = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


class PreparedProcess:
    """The process and the connection to it; it ends when that is closed."""

    def __init__(self, sock: socket.socket, pid: int) -> None:
        """Take over the connection to a process that was started."""
        self.sock = sock
        self.pid = pid
        sock.setblocking(False)

    @classmethod
    def start(cls) -> PreparedProcess:
        """Start the process. Raises OSError: it cannot be started."""
        command = (sys.executable, "-P", str(PROGRAM), *SERVE)
        ours, theirs = socket.socketpair()
        with theirs:
            actions = (
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            )
            try:
                pid = os.posix_spawn(
                    command[0],
                    command,
                    inherited(os.environ) | _SINGLE,
                    file_actions=actions,
                    # Ctrl-C is for its owner, which then closes the connection.
                    setsigmask=(signal.SIGINT,),
                )
            except BaseException:
                ours.close()
                raise
        return cls(ours, pid)

    def close(self) -> None:
        """End the process, and with it all decoder processes."""
        self.sock.close()

    def wait(self) -> None:
        """Wait until it has ended; call it after `close`, outside an event loop."""
        os.waitpid(self.pid, 0)
