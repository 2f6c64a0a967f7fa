"""What the program imports, by name: most of a start is the time of imports."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import re
import subprocess
import sys

import pytest

from tests.program import AROUND_CORE, RAOP
from tests.raop.engine.harness import receiver, wav

pytestmark = pytest.mark.started

CORE = AROUND_CORE / "raop"
# What no command may have imported that plays by AirPlay 1.
NEEDLESS = {
    "_hashlib",
    "av",
    "cryptography",
    "numpy",
    "ssl",
    "zeroconf",
    "raop.api",
    "raop.auth.pair_setup",
    "raop.auth.pair_verify",
    "raop.auth.srp",
    "raop.decoder",
    "raop.engine.announce",
    "raop.engine.lanes.airplay2",
    "raop.engine.process",
    "raop.engine.ptp",
    "raop.scan",
    "raop.session.airplay2",
    "raop.session.ptp",
}
# All that a sender does not have before its first command. The mixer is imported by
# another thread when something is to be mixed.
LEFT_OUT = {
    "raop.api",
    "raop.audio.mixer",
    "raop.auth.legacy_setup",
    "raop.engine.net.pairing",
    "raop.engine.net.probe",
    "raop.engine.net.rehearsal",
    "raop.program.play",
    "raop.program.report",
    "raop.scan",
}


@asynccontextmanager
async def started(*arguments: object) -> AsyncIterator[Process]:
    """Start the program; it tells its imports on standard error."""
    process = await asyncio.create_subprocess_exec(
        *(RAOP[0], "-v", *RAOP[1:], *map(str, arguments)),
        stdin=PIPE if arguments == ("serve",) else DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(30):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def imported(told: bytes) -> list[str]:
    """Return the modules that were imported, in the order in which each was complete."""
    return re.findall(r"^import '([\w.]+)' #", told.decode(), re.MULTILINE)


def modules_of_the_core() -> set[str]:
    """Return the names of all modules."""
    paths = (each.relative_to(CORE.parent) for each in CORE.rglob("*.py"))
    return {
        ".".join(each.with_suffix("").parts).removesuffix(".__init__") for each in paths
    }


async def test_a_file_is_played_with_what_it_needs(
    socket_enabled: None, tmp_path: Path
) -> None:
    pcm = wav(tmp_path / "song.wav", 0.6)
    async with receiver("Kitchen") as kitchen:
        at = f"{kitchen.host}:{kitchen.port}"
        async with started("play", tmp_path / "song.wav", "--receiver", at) as process:
            _, told = await process.communicate()

        assert process.returncode == 0
        assert kitchen.heard(pcm).is_complete
    modules = imported(told)
    assert "raop.engine.lanes.raop" in modules
    assert NEEDLESS & set(modules) == set()
    # What decodes starts meanwhile.
    assert modules.index("raop.audio.prepared") < modules.index("asyncio")


async def test_a_sender_has_all_that_any_command_needs_before_the_first() -> None:
    async with started("serve") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert b"Ready" in await process.stdout.readline()
        process.stdin.close()
        told = await process.stderr.read() if process.stderr else b""

    missing = modules_of_the_core() - {*imported(told), "raop"}
    assert {each for each in missing if not each.startswith("raop.decoder")} == LEFT_OUT


def test_the_first_look_at_the_arguments_imports_little() -> None:
    code = (
        "import sys; sys.path.append(sys.argv[1]); import raop.cli; print(*sys.modules)"
    )

    told = subprocess.run(
        [sys.executable, "-P", "-c", code, str(AROUND_CORE)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert not {"asyncio", "raop.messages"} & set(told)
