"""The machine of a measurement."""

from datetime import UTC, datetime
from importlib.metadata import version
import os
from pathlib import Path
import platform
import subprocess

from .core import ROOT


def describe() -> dict[str, str]:
    """Return the facts that are needed to judge the figures."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "revision": _revision(),
        "cpu": f"{os.cpu_count()} x {_cpu_model()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "pyatv": version("pyatv"),
        "load": f"{os.getloadavg()[0]:.2f} before the run",
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.machine()


def _revision() -> str:
    def git(*arguments: str) -> str:
        command = ("git", "-C", str(ROOT), *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "custom_components")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")
