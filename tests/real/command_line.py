"""Run the command line in the sender's network of the lab."""

from pathlib import Path
import subprocess

from tests.program import RAOP

from .shairport_lab import Lab

_TIMEOUT_S = 90


def raop(lab: Lab, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line on the sender's side."""
    return lab.run_in_sender_namespace([*RAOP, *arguments], timeout=_TIMEOUT_S)
