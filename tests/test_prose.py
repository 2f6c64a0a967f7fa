"""Check the words of the texts that people read: plain American technical English."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "custom_components" / "airplay"
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "log"}

# What stands here reads as a translation; behind each is what to write.
BANNED = {
    r"\bshall\b": "must, will, or an imperative",
    r"\bby (?:itself|themselves)\b": "automatically",
    r"\bat first\b": "by default, or initially",
    r"\bany ?more\b": "no longer",
    r"\b(?:is|are|was|were|be|being) heard\b": "plays, or is audible",
    r"\b(?:no|every|some)body\b": "no one, all, someone; better: a subject",
    r"\btells?\b": "reports, or sends",
    r"\btold\b": "reported, or sent",
    r"\btakes? (?:no|any|both|whichever|whoever|place of)\b": "accepts",
    r"\btake note\b": "note",
    r"\bsays? (?:so|nothing|no|which|how|that)\b": "reports",
    r"(?:^|[.:;] )Where\b": "If, or When",
    r"\b(?:colou?red|colour|grey|centre|behaviour|favourites?|recognis\w+)\b": (
        "American spelling"
    ),
    r"\bwhilst\b|\bamongst\b": "while, among",
    r"\bof its own accord\b": "automatically",
}
# Texts in which a banned word means what it says, by file and word.
ALLOWED: set[tuple[str, str]] = set()


def prose_of_markdown(text: str) -> str:
    """Return a page without its code, links' targets and HTML."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^(?: {4}|\t).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"<[^>]+>", "", text)


def strings_of(value: object) -> Iterator[str]:
    """Yield all texts in nested mappings and lists."""
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from strings_of(each)
        case list():
            for each in value:
                yield from strings_of(each)


def log_messages(path: Path) -> Iterator[str]:
    """Yield the messages that a module logs."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=logger), attr=method),
                args=[*arguments],
            ) if method in LOG_METHODS and logger.lower().endswith("logger"):
                yield from (
                    each.value
                    for each in arguments
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )


def texts() -> Iterator[tuple[str, str]]:
    """Yield what people read, each with the name of its file."""
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    for path in [*pages, *sorted((ROOT / "docs").rglob("*.md"))]:
        yield path.relative_to(ROOT).as_posix(), prose_of_markdown(path.read_text())
    for path in sorted((FOLDER / "translations").glob("en.json")):
        for text in strings_of(json.loads(path.read_text())):
            yield path.name, text
    for text in strings_of(yaml.safe_load((FOLDER / "services.yaml").read_text())):
        yield "services.yaml", text
    for path in sorted(FOLDER.rglob("*.py")):
        for text in log_messages(path):
            yield path.relative_to(ROOT).as_posix(), text


@pytest.mark.parametrize("pattern", BANNED)
def test_texts_are_free_of(pattern: str) -> None:
    word = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
    found = [
        f"{name}: …{text[max(0, match.start() - 40) : match.end() + 40]}…"
        for name, text in texts()
        for match in word.finditer(text)
        if (name, match[0].lower()) not in ALLOWED
    ]

    assert not found, f"write instead: {BANNED[pattern]}"
