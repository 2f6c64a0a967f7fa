"""Builds the C programs: the simulated receivers and the reference sender."""

from pathlib import Path
import shutil
import subprocess

_SOURCES = Path(__file__).parent / "native"
_OPTIONS = ("-O2", "-Wall")
_LIBRARIES = {"sender": ("-lcrypto",)}


class NoCompilerError(Exception):
    """The C programs cannot be built on this machine."""


def build(name: str, folder: Path) -> Path:
    """Return the program; build it if it does not exist."""
    program = folder / name
    if program.exists():
        return program
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("no C compiler: apt-get install gcc libc6-dev libssl-dev")
    source = _SOURCES / f"{name}.c"
    command: list[str | Path] = [compiler, *_OPTIONS, "-o", program, source]
    libraries = _LIBRARIES.get(name, ())
    built = subprocess.run(
        [*command, *libraries], capture_output=True, text=True, check=False
    )
    if built.returncode:
        hint = "apt-get install gcc libc6-dev libssl-dev"
        raise NoCompilerError(f"{name}.c cannot be built ({hint}):\n{built.stderr}")
    return program
