"""Check that links in the documentation have targets, and that named things exist."""

from collections import Counter
from collections.abc import Iterator
import json
from pathlib import Path
import re
from urllib.parse import unquote

import pytest
import yaml

from custom_components.airplay.raop.diagnosis import DiagnosisCode
from custom_components.airplay.raop.session.doctor.advice import SENTENCES

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "custom_components" / "airplay"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *DOCS,
]
# Pages that name a module for each thing that they describe.
MAPS = [ROOT / "docs" / "architecture.md", ROOT / "docs" / "glossary.md"]

_CODE_BLOCK = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(r"^ *```yaml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_MODULE = re.compile(r"[\w/.]+\.py")
# A row of a table of rooms: a folder, its purpose, and its modules.
_ROOM = re.compile(r"^\| `([\w./]+/)` \|[^|]*\|([^|]*)\|$", re.MULTILINE)
# Tables of options and entities, which are called there as on the screen.
_SETTINGS = re.compile(
    r"^\| (?:option|entity) \| (?:range|good) .*\n\|[ |-]+\n((?:\|.*\n)+)", re.MULTILINE
)
_SETTING = re.compile(r"^\| ([^|(]+?) (?:\(|\|)", re.MULTILINE)


def name_of(path: Path) -> str:
    """Return a page's path in the repository."""
    return str(path.relative_to(ROOT))


def text_of(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _CODE_BLOCK.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    seen = Counter[str]()
    found = set()
    for heading in _HEADING.findall(text_of(page)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def is_broken(page: Path, link: str) -> bool:
    """Return whether a link of a page leads to no file, or to no heading of a page."""
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return True
    return bool(anchor) and anchor not in anchors(target)


def is_module(path: str) -> bool:
    """Return whether a module exists in the integration, or in the repository."""
    return (FOLDER / path).is_file() or (ROOT / path).is_file()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = _LINK.findall(_CODE.sub("", text_of(page)))
    relative = [link for link in links if "://" not in link]

    assert not [link for link in relative if is_broken(page, link)]


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for link in _LINK.findall(text_of(page)):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_file() and target not in reached:
                waiting.append(target)

    assert not [name_of(page) for page in DOCS if page not in reached]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_example_can_be_pasted(page: Path) -> None:
    for example in _EXAMPLE.findall(page.read_text()):
        assert isinstance(yaml.safe_load(example), dict)


def test_every_picture_is_shown() -> None:
    shown = "".join(page.read_text() for page in PAGES)
    pictures = (ROOT / "docs" / "images").iterdir()

    assert not [each.name for each in pictures if f"images/{each.name}" not in shown]


@pytest.mark.parametrize(
    "page", [*MAPS, *sorted((ROOT / "docs" / "decisions").iterdir())], ids=name_of
)
def test_every_module_that_is_named_exists(page: Path) -> None:
    named = [code for code in _CODE.findall(text_of(page)) if _MODULE.fullmatch(code)]

    assert not [each for each in dict.fromkeys(named) if not is_module(each)]


def test_every_module_of_a_room_exists() -> None:
    rooms = [
        (folder, _CODE.findall(modules))
        for folder, modules in _ROOM.findall(text_of(MAPS[0]))
    ]

    assert len(rooms) > 20
    assert not [
        f"{folder}{module}.py"
        for folder, modules in rooms
        for module in modules
        if not is_module(f"{folder}{module}.py")
    ]


def test_every_folder_with_modules_is_a_room() -> None:
    told = {folder.strip("./") for folder, _ in _ROOM.findall(text_of(MAPS[0]))}
    folders = {path.parent.relative_to(FOLDER) for path in FOLDER.rglob("*.py")}

    assert {str(each).strip(".") for each in folders} == told


def texts(branch: object) -> Iterator[str]:
    """Yield all texts of a translation."""
    match branch:
        case dict():
            for each in branch.values():
                yield from texts(each)
        case str():
            yield branch


@pytest.mark.parametrize("name", ["setup.md", "announcements.md"])
def test_settings_are_named_as_on_the_screen(name: str) -> None:
    page = (ROOT / "docs" / name).read_text()
    shown = set(texts(json.loads((FOLDER / "translations" / "en.json").read_text())))
    named = [
        setting
        for table in _SETTINGS.findall(page)
        for setting in _SETTING.findall(table)
    ]

    assert len(named) > 7
    assert not [each for each in named if each not in shown]


def row_of(code: DiagnosisCode) -> str:
    """Return the row of a page for a verdict: its code, its cause, and what to do."""
    sentence = SENTENCES[code].replace(" ({detail})", "")
    sentence = sentence.replace("{name}", "the receiver")
    cause, _, advice = sentence.rstrip(".").partition(": ")
    capital = [f"{each[0].upper()}{each[1:]}." for each in (cause, advice)]
    return f"| `{code}` | {' | '.join(capital)} |"


def test_the_page_for_troubleshooting_has_each_verdict_of_the_doctor() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text()
    _, _, section = page.partition("\n## What a check finds\n")
    rows = [line for line in section.splitlines() if line.startswith("| `")]

    assert rows == [row_of(each) for each in DiagnosisCode]
