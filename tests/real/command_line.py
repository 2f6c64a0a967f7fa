"""Run the command line in the sender's network of the lab."""

from pathlib import Path
import subprocess
import sys

from .shairport_lab import ROOT, Lab

_TIMEOUT_S = 90


def raop(lab: Lab, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command line on the sender's side."""
    command = ["env", "PYTHONPATH=custom_components/airplay", sys.executable]
    return lab.run_in_sender_namespace(
        [*command, "-m", "raop", *arguments], cwd=ROOT, timeout=_TIMEOUT_S
    )
