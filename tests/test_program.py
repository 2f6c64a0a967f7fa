"""The core as an installed program, and in a plain copy of the integration."""

import asyncio
from asyncio.subprocess import PIPE
from importlib.metadata import Distribution
import json
from pathlib import Path
import shutil
import site
import subprocess
import sys

from packaging.requirements import Requirement
import pytest

import homeassistant
from tests.ha.sound import tone, write_wav
from tests.program import AROUND_CORE, RAOP
from tests.virtual_receiver import VirtualReceiver

ROOT = Path(__file__).parents[1]
CORE = AROUND_CORE / "raop"
CONSTRAINTS = Path(homeassistant.__path__[0]) / "package_constraints.txt"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an environment in which the program is installed.

    Its requirements are not installed again: the environment of the tests has them.
    """
    folder = tmp_path_factory.mktemp("program")
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--python", sys.executable, folder], check=True)
    link = packages_of(folder) / "tests.pth"
    link.write_text("\n".join(site.getsitepackages()))
    options = ("--offline", "--no-cache", "--no-deps", "--no-build-isolation")
    environment = ("--python", folder / "bin" / "python")
    subprocess.run([uv, "pip", "install", *options, *environment, ROOT], check=True)
    return folder


def packages_of(environment: Path) -> Path:
    """Return the folder of an environment's packages."""
    (folder,) = environment.glob("lib/python*/site-packages")
    return folder


def modules_below(folder: Path) -> set[str]:
    """Return the paths of all modules and marks in a package."""
    paths = (each for each in folder.rglob("*") if each.suffix in {".py", ".typed"})
    return {str(each.relative_to(folder)) for each in paths}


def test_all_of_the_core_is_installed_and_nothing_else(installed: Path) -> None:
    folders = {each.name for each in packages_of(installed).iterdir() if each.is_dir()}

    assert {each for each in folders if not each.endswith(".dist-info")} == {"raop"}
    assert modules_below(packages_of(installed) / "raop") == modules_below(CORE)


def test_the_program_has_the_version_of_the_integration(installed: Path) -> None:
    (folder,) = packages_of(installed).glob("airplay_raop-*.dist-info")
    manifest = json.loads((AROUND_CORE / "manifest.json").read_text())

    assert Distribution.at(folder).version == manifest["version"]


def test_the_versions_that_home_assistant_pins_are_supported(installed: Path) -> None:
    (folder,) = packages_of(installed).glob("airplay_raop-*.dist-info")
    required = map(Requirement, Distribution.at(folder).requires or ())
    ranges = {each.name: each.specifier for each in required}
    lines = (line.partition("==") for line in CONSTRAINTS.read_text().splitlines())
    pins = {name: version for name, _, version in lines if name in ranges}

    assert ranges.keys() == {"av", "cryptography", "numpy", "zeroconf"} == pins.keys()
    assert [name for name in pins if pins[name] not in ranges[name]] == []


def test_the_installed_program_explains_itself(installed: Path, tmp_path: Path) -> None:
    program = installed / "bin" / "raop"

    done = subprocess.run(
        [program, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.startswith("usage: raop ")


async def test_the_installed_program_plays_a_file_from_another_folder(
    installed: Path, kitchen: VirtualReceiver, tmp_path: Path
) -> None:
    pcm = tone(0.6, 300)
    write_wav(tmp_path / "song.wav", pcm)
    receiver = f"{kitchen.host}:{kitchen.port}"

    process = await asyncio.create_subprocess_exec(
        installed / "bin" / "raop",
        *("play", "song.wav", "--receiver", receiver, "--depth-ms", "400"),
        cwd=tmp_path,
    )

    async with asyncio.timeout(20):
        assert await process.wait() == 0
    assert kitchen.heard(pcm).is_complete


async def test_a_plain_copy_is_its_own_sender_process(tmp_path: Path) -> None:
    """Neither another program of that name nor the modules beside the core get in."""
    ignored = shutil.ignore_patterns("__pycache__")
    copy = tmp_path / "airplay"
    shutil.copytree(AROUND_CORE, copy, ignore=ignored)
    decoy = tmp_path / "other" / "raop"
    decoy.mkdir(parents=True)
    (decoy / "__init__.py").write_text("raise ImportError('another raop')")
    command = [each.replace(str(AROUND_CORE), str(copy)) for each in RAOP]

    process = await asyncio.create_subprocess_exec(
        *command,
        "serve",
        stdin=PIPE,
        stdout=PIPE,
        cwd=copy,
        env={"PYTHONPATH": str(decoy.parent), "PYTHONDONTWRITEBYTECODE": "1"},
    )

    async with asyncio.timeout(20):
        told, _ = await process.communicate()
    assert process.returncode == 0
    assert json.loads(told.splitlines()[0])["type"] == "Ready"
