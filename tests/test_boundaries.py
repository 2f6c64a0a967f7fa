"""Check which modules may import which: only downwards, and the core is independent."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
import subprocess
import sys

import pytest

FOLDER = Path(__file__).parents[1] / "custom_components" / "airplay"
CORE = FOLDER / "raop"
PURE = ("wire", "auth", "session")
PACKAGES_OF_THE_CORE = {"av", "cryptography", "numpy"}
BANNED_IN_PURE = {
    "asyncio",
    "multiprocessing",
    "select",
    "selectors",
    "socket",
    "subprocess",
    "threading",
    "time",
}
# The command line's look around by mDNS, imported when it is asked for.
SCAN = CORE / "scan.py"
# All that the integration imports of the core.
FACE = "raop.api"

# The floors of the house, from the top down. A module imports from its own room and
# from the floors below it, in annotations too.
FLOORS = (
    "platforms",
    "runtime",
    "announcements",
    "speaker",
    "flows",
    "discovery",
    "player",
    "media",
    "sender",
    "helpers",
    "const",
    "raop.cli",
    "raop.api",
    "raop.engine.process",
    "raop.engine.engine",
    "raop.engine.doctor",
    "raop.engine.announce",
    "raop.engine.stream",
    "raop.engine.lanes",
    "raop.engine.ptp",
    "raop.engine.pacing",
    "raop.engine.net",
    "raop.decoder",
    "raop.audio",
    "raop.session",
    "raop.auth",
    "raop.messages",
    "raop.wire",
    "raop.errors",
)
# Modules that belong to a room, but are not in its folder.
ROOMS = {
    "raop.__main__": "raop.cli",
    "raop.program": "raop.cli",
    "raop.scan": "raop.cli",
    "raop.commands": "raop.messages",
    "raop.events": "raop.messages",
    "raop.receiver": "raop.messages",
    "raop.receiver_identity": "raop.messages",
    "raop.receiver_lanes": "raop.messages",
    "raop.receiver_maker": "raop.messages",
    "raop.receiver_records": "raop.messages",
    "raop.media": "raop.messages",
    "raop.obstacle": "raop.messages",
    "raop.quirks": "raop.messages",
    "raop.dataclass_json": "raop.messages",
    "raop.diagnosis": "raop.messages",
    "raop.buttons": "raop.errors",
    "raop.udp_ports": "raop.errors",
}
# Loops of the engine that sleep: for a rhythm, or between attempts. A task that waits for
# a fact waits for a ChangeSignal or an event instead of polling.
SLEEPING_LOOPS = {
    "engine.lanes.airplay2.AirPlay2Lane._send_feedback": "one feedback each two seconds",
    "engine.lanes.buffered.BufferedLane._send_anchor": "between attempts of an anchor",
    "engine.lanes.raop.RaopLane._keep_alive": "one sign of life each twenty seconds",
    "engine.lanes.volume.LaneVolume._send_until_current": "not too many levels a second",
    "engine.net.event_channel.EventChannel._run": "between attempts to open it",
    "engine.net.remote_server.RemoteServer._bind_patiently": "between attempts of a port",
    "engine.stream.connecting.Connector._open": "between attempts with a busy receiver",
    "engine.stream.session_end.explain_end": "between attempts to reach it",
}
MOST_LINES = 320
MOST_MODULES = 20

# Imports every module in a separate child process, so that none relies on another's
# imports; third-party packages, the slowest part, are imported before the first fork,
# and each module is compiled only once.
IMPORT_EACH_ALONE = """
import contextlib, importlib, os, sys
sys.path.insert(0, sys.argv[1])
sys.modules |= dict.fromkeys(sys.argv[2].split(","))
for name in sys.argv[3].split(","):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
sys.pycache_prefix, sys.dont_write_bytecode = sys.argv[4], False
for name in sys.argv[5:]:
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    try:
        importlib.import_module(name)
    except BaseException as err:
        print(f"{name}: {err}", flush=True)
    os._exit(0)
"""


def sources(folder: Path) -> list[Path]:
    """Return the modules below a folder."""
    return sorted(folder.rglob("*.py"))


def name_of(path: Path) -> str:
    """Return the name of a module of the core, seen from the folder above it."""
    return ".".join(path.relative_to(FOLDER).with_suffix("").parts).removesuffix(
        ".__init__"
    )


def imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    """Yield the full names that code imports; `package` is its package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = (*above, *(node.module or "").split("."))
            base = ".".join(part for part in module if part)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_of(path: Path) -> set[str]:
    """Return the imports of a module, seen from the folder above the core."""
    package = path.relative_to(FOLDER).parent.parts
    return set(imports(ast.parse(path.read_text()), package))


def top(names: set[str]) -> set[str]:
    """Return the packages that names belong to."""
    return {name.partition(".")[0] for name in names}


def modules() -> dict[str, Path]:
    """Return all modules of the package by their names, the package as ''."""
    return {name_of(path): path for path in sources(FOLDER)}


def imported_modules(name: str, known: dict[str, Path]) -> set[str]:
    """Return which modules of the package a module imports, which it does relatively."""
    found = set()
    package = known[name].relative_to(FOLDER).parent.parts
    relative = [
        node
        for node in ast.walk(ast.parse(known[name].read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    for full in (full for node in relative for full in imports(node, package)):
        module = full if full in known else full.rpartition(".")[0]
        if module in known and module != name:
            found.add(module)
    return found


def floor_of(name: str) -> int:
    """Return the floor on which a module lives, counted from the top."""
    room = name
    while room:
        if (place := ROOMS.get(room, room)) in FLOORS:
            return FLOORS.index(place)
        room = room.rpartition(".")[0]
    return FLOORS.index("raop.errors" if name == "raop" else "platforms")


def circles(edges: dict[str, set[str]]) -> list[set[str]]:
    """Return groups of modules that import one another, however far around."""
    below: dict[str, set[str]] = {}
    for name in edges:
        seen: set[str] = set()
        todo = [name]
        while todo:
            new = edges[todo.pop()] - seen
            seen |= new
            todo += new
        below[name] = seen
    found = {
        frozenset(other for other in below[name] if name in below[other])
        for name in edges
        if name in below[name]
    }
    return [set(each) for each in found]


def test_imports_run_downwards_only() -> None:
    known = modules()
    upwards = [
        f"{name} imports {other}"
        for name in known
        for other in imported_modules(name, known)
        if floor_of(other) < floor_of(name)
        # A package is imported with each of its modules, and holds nothing.
        and known[other].name != "__init__.py"
    ]

    assert not upwards


def test_no_modules_import_one_another() -> None:
    known = modules()

    assert not circles({name: imported_modules(name, known) for name in known})


def test_no_two_public_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for name, path in modules().items():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)

    assert not {name: where for name, where in homes.items() if len(where) > 1}


def test_folders_and_modules_are_small() -> None:
    paths = sources(FOLDER)
    counts = Counter(path.parent for path in paths if path.name != "__init__.py")
    long = {
        name_of(path): lines
        for path in paths
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }

    assert not {folder: many for folder, many in counts.items() if many > MOST_MODULES}
    assert not long


def functions(tree: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the functions of code with their full names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{name}.{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield inner, node
            yield from functions(node, inner)


def sleeps_in_a_loop(function: ast.AST) -> bool:
    """Return whether a function calls `sleep` within a loop."""
    loops = (
        node
        for node in ast.walk(function)
        if isinstance(node, ast.While | ast.For | ast.AsyncFor)
    )
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep")
        for loop in loops
        for node in ast.walk(loop)
    )


def test_engine_waits_for_signals_instead_of_polling() -> None:
    found = {
        name.removeprefix("raop.")
        for path in sources(CORE / "engine")
        for name, function in functions(ast.parse(path.read_text()), name_of(path))
        if sleeps_in_a_loop(function)
    }

    assert found == set(SLEEPING_LOOPS)


def test_only_decoder_processes_import_what_decodes() -> None:
    known = modules()
    outside = [
        f"{name} imports {other}"
        for name, path in known.items()
        if path.is_relative_to(CORE) and not name.startswith("raop.decoder")
        for other in imported_modules(name, known)
        if other.startswith("raop.decoder")
    ]
    decoding = [
        name_of(path)
        for path in sources(CORE)
        if top(imports_of(path)) & {"av", "ssl"}
        and not name_of(path).startswith("raop.decoder")
    ]

    # The program starts either one; playlists are read in Home Assistant, too.
    assert {each.partition(" ")[0] for each in outside} <= {"raop.__main__", "raop.api"}
    assert not decoding


@pytest.mark.parametrize("path", sources(CORE), ids=name_of)
def test_core_imports_only_its_few_packages(path: Path) -> None:
    foreign = top(imports_of(path)) - sys.stdlib_module_names - {"raop", "_typeshed"}
    allowed = PACKAGES_OF_THE_CORE | ({"zeroconf"} if path == SCAN else set())

    assert foreign <= allowed


@pytest.mark.parametrize(
    "path", [path for room in PURE for path in sources(CORE / room)], ids=name_of
)
def test_protocol_reads_no_clock_and_opens_no_socket(path: Path) -> None:
    names = imports_of(path)

    assert not top(names) & BANNED_IN_PURE
    assert not [name for name in names if name.startswith("raop.engine")]


@pytest.mark.parametrize(
    "path", [path for path in sources(FOLDER) if CORE not in path.parents], ids=name_of
)
def test_integration_imports_only_the_api_of_the_core(path: Path) -> None:
    core = [name for name in imports_of(path) if name.partition(".")[0] == "raop"]

    assert not [name for name in core if not name.startswith(f"{FACE}.")]
    assert not top(imports_of(path)) & {"av", "numpy"}


def test_every_name_of_the_core_api_is_imported() -> None:
    integration = [path for path in sources(FOLDER) if CORE not in path.parents]
    used = {name for path in integration for name in imports_of(path)}
    [names] = [
        node.value
        for node in ast.parse(modules()[FACE].read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]

    assert {f"{FACE}.{name}" for name in ast.literal_eval(names)} == {
        name for name in used if name.startswith(FACE)
    }


def test_player_entity_has_no_byte_no_socket_and_does_not_sleep() -> None:
    path = FOLDER / "media_player.py"
    literals = [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes)
    ]

    assert not top(imports_of(path)) & {"asyncio", "socket", "struct"}
    assert not literals


def test_each_module_of_the_core_imports_alone_and_without_home_assistant(
    tmp_path: Path,
) -> None:
    absent = "homeassistant,probatio,pyatv,voluptuous,zeroconf"
    paths = [path for path in sources(CORE) if path != SCAN]
    foreign = {
        name
        for path in paths
        for name in imports_of(path)
        if not name.startswith("raop.")
    }
    command = [sys.executable, "-c", IMPORT_EACH_ALONE, str(FOLDER), absent]

    done = subprocess.run(
        [*command, ",".join(sorted(foreign)), str(tmp_path), *map(name_of, paths)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert not done.stdout
    assert not done.returncode, done.stderr
