"""Senders that need not import everything first, for the tests of Home Assistant's side.

The cost of a sender process that lives for a second or two is its imports. Here one
process has done them, and each sender is forked from it: a separate process, a child
of the tests' like one that was started, with the pipes, the environment and the session
that it would have had.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
import ctypes
from functools import partial
import gc
from importlib import import_module
import json
import os
from pathlib import Path
import signal
import socket
import subprocess
import sys
from typing import Any, cast
from unittest.mock import patch

_LONGEST = 1 << 17
_SET_CHILD_SUBREAPER = 36


class SenderForkServer:
    """The process that senders are forked from, as the tests see it."""

    def __init__(self, folder: Path) -> None:
        """Start it; it ends with the process of the tests."""
        self._start: Callable[..., int] = subprocess._fork_exec  # type: ignore[attr-defined]
        self._line, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        number = theirs.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(folder), str(number)],
            stdin=subprocess.DEVNULL,
            pass_fds=[number],
            # It has threads of numpy's otherwise, and should not be forked.
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        theirs.close()

    def close(self) -> None:
        """End it."""
        self._line.close()
        self._process.wait()

    @contextmanager
    def preload(self, *command: str, verb: str | None = None) -> Generator[None]:
        """Fork a process in place of a command, or one that continues behind it.

        It runs the code of the command, and then the continuation. With a verb, only
        that continuation is meant.
        """

        def start(*how: Any) -> int:
            whole, environment, pipes = how[0], how[5], how[6:12]
            arguments = [*whole[len(command) :]]
            is_meant = verb is None or arguments == [verb]
            if whole[: len(command)] != [*command] or not is_meant:
                return self._start(*how)
            # Without a pipe of its own it has the errors of the tests.
            errors = 2 if pipes[5] < 0 else pipes[5]
            return self._bear(arguments, environment, (pipes[0], pipes[3], errors))

        with patch.multiple(subprocess, _fork_exec=start, _USE_POSIX_SPAWN=False):
            yield

    def _bear(
        self,
        arguments: list[str],
        environment: list[bytes] | None,
        pipes: Sequence[int],
    ) -> int:
        if environment is None:
            environment = [b"=".join(each) for each in os.environb.items()]
        words = json.dumps([arguments, [*map(os.fsdecode, environment)]])
        _adopt(is_wanted=True)
        try:
            socket.send_fds(self._line, [words.encode()], pipes)
            return int(self._line.recv(_LONGEST))
        finally:
            _adopt(is_wanted=False)


def _adopt(*, is_wanted: bool) -> None:
    """Become the parent of those among one's descendants that lose theirs."""
    failed = ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, int(is_wanted), 0, 0, 0)
    assert not failed


def _bear_all(line: socket.socket) -> list[str] | None:
    """Fork on request; return in each child the code to run."""
    while True:
        words, pipes, _, _ = socket.recv_fds(line, _LONGEST, 3)
        if not words:
            return None
        arguments, environment = json.loads(words)
        heard, told = os.pipe()
        if middle := os.fork():
            # From then on the child is one of the tests' process.
            os.waitpid(middle, 0)
            for each in (*pipes, told):
                os.close(each)
            line.send(os.read(heard, 99))
            os.close(heard)
        elif os.fork():
            os._exit(0)
        else:
            line.close()
            os.setsid()
            os.write(told, str(os.getpid()).encode())
            for number, pipe in enumerate(pipes):
                os.dup2(pipe, number)
            os.closerange(3, told + 1)
            os.environ.clear()
            os.environ.update(word.split("=", 1) for word in environment)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            return cast("list[str]", arguments)


def _prepare_decoders() -> None:
    """Fork the process that starts decoders, in place of starting it when it is needed."""
    prepared: Any = import_module("raop.audio.prepared").PreparedProcess
    server: Any = import_module("raop.decoder.server")
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        os.dup2(theirs.fileno(), 0)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.closerange(3, max(ours.fileno(), theirs.fileno(), null) + 1)
        server.serve([])
        os._exit(0)
    theirs.close()
    start, forked = prepared.start, [prepared(ours, pid)]
    # The forked one is used once.
    prepared.start = lambda: forked.pop() if forked else start()


def _adapt(environment: Mapping[str, str]) -> None:
    """Replace what belongs to the whole machine, or to Apple, as the tests ask for.

    AIRPLAY_TEST_PTP_PORTS are the event and general port of the sender's clock and then
    those of the receivers', all of 127.0.0.1; AIRPLAY_TEST_RSA is the modulus of a key
    that a virtual receiver can open.
    """
    if ports := environment.get("AIRPLAY_TEST_PTP_PORTS"):
        service: Any = import_module("raop.engine.ptp.service")
        numbers = import_module("raop.engine.ptp.links").PtpPortNumbers
        event, general, *theirs = map(int, ports.split(","))
        service.PtpService = partial(
            service.PtpService,
            ports=numbers(event, general),
            receivers=numbers(*theirs),
            local=("127.0.0.1",),
        )
    if modulus := environment.get("AIRPLAY_TEST_RSA"):
        key: Any = import_module("raop.auth.rsa")
        numbers = import_module("cryptography.hazmat.primitives.asymmetric.rsa")
        public = numbers.RSAPublicNumbers(65537, int(modulus, 16)).public_key()
        key._public_key = lambda: public


if __name__ == "__main__":
    # Ctrl-C is for the tests, which end this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.append(sys.argv[1])
    main = import_module("raop.__main__").main
    for name in ("raop.cli", "raop.engine.process", "raop.decoder.server"):
        import_module(name)
    gc.collect()
    gc.freeze()
    work = _bear_all(socket.socket(fileno=int(sys.argv[2])))
    if work is not None:
        _adapt(os.environ)
        if work != ["decode"]:
            _prepare_decoders()
    sys.exit(0 if work is None else main(work))
