"""Check the files around the code as hassfest and HACS would, without either."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
import struct
from typing import Any

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from packaging.requirements import Requirement
import pytest
from srptools import SRPClientSession, SRPContext
import yaml

from homeassistant import components, const

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "custom_components" / "airplay"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
TEXTS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((FOLDER / "translations").glob("*.json"))
}
ENGLISH = TEXTS["en"]

HACS_KEYS = {
    "country",
    "filename",
    "hacs",
    "hide_default_branch",
    "homeassistant",
    "name",
    "persistent_directory",
    "render_readme",
    "zip_release",
}
REQUIRED_KEYS = {
    "codeowners",
    "config_flow",
    "documentation",
    "domain",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "name",
    "version",
}
OPTIONAL_KEYS = {
    "after_dependencies",
    "dependencies",
    "import_executor",
    "loggers",
    "quality_scale",
    "requirements",
    "single_config_entry",
    "zeroconf",
}
IOT_CLASSES = {"assumed_state", "calculated", "local_polling", "local_push"}
# Components that need no entry in the manifest: they are base platforms, or
# only their constants and types are used.
ALWAYS_THERE = {
    "binary_sensor",
    "button",
    "diagnostics",
    "event",
    "media_player",
    "number",
    "repairs",
    "select",
    "sensor",
}
VERSION_STYLES = [AwesomeVersionStrategy.CALVER, AwesomeVersionStrategy.SEMVER]
KEY = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Yield every module of the integration, parsed."""
    for path in sorted(FOLDER.rglob("*.py")):
        yield path, ast.parse(path.read_text())


def leaves(texts: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield every text with its dotted path."""
    if isinstance(texts, dict):
        for key, value in texts.items():
            yield from leaves(value, (*path, key))
    else:
        yield ".".join(path), texts


def keywords(name: str, file: str = "*.py") -> Iterator[str]:
    """Yield every text that the code passes as a keyword argument."""
    for path, module in modules():
        if not path.match(file):
            continue
        for node in ast.walk(module):
            if (
                isinstance(node, ast.keyword)
                and node.arg == name
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield node.value.value


def find(*path: str) -> dict[str, Any]:
    """Return a part of the English texts, or nothing."""
    part: dict[str, Any] = ENGLISH
    for key in path:
        part = part.get(key, {})
    return part


def test_hacs_json_has_a_name_and_no_unknown_key() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())

    assert hacs["name"]
    assert set(hacs) <= HACS_KEYS


def test_manifest_has_exactly_the_known_keys() -> None:
    assert set(MANIFEST) >= REQUIRED_KEYS
    assert set(MANIFEST) <= REQUIRED_KEYS | OPTIONAL_KEYS


def test_manifest_keys_are_sorted_after_domain_and_name() -> None:
    keys = list(MANIFEST)

    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]


def test_manifest_values() -> None:
    assert MANIFEST["domain"] == FOLDER.name
    assert MANIFEST["iot_class"] in IOT_CLASSES
    assert MANIFEST["documentation"].startswith("https://")
    assert "home-assistant.io" not in MANIFEST["documentation"]
    AwesomeVersion(MANIFEST["version"], ensure_strategy=VERSION_STYLES)


def test_requirements_keep_the_versions_that_home_assistant_installs() -> None:
    """Home Assistant pins av and numpy for all; apple_tv pins its own pyatv."""
    ranges = {each.name: each for each in map(Requirement, MANIFEST["requirements"])}
    apple_tv = Path(components.__path__[0], "apple_tv", "manifest.json")
    pins = map(Requirement, json.loads(apple_tv.read_text())["requirements"])
    pyatv = next(pin for pin in pins if pin.name == "pyatv")

    assert ranges.keys() == {"av", "numpy", "pyatv", "srptools"}
    assert not ranges["av"].specifier
    assert not ranges["numpy"].specifier
    assert ranges["srptools"].specifier == Requirement("srptools<2").specifier
    assert next(iter(pyatv.specifier)).version in ranges["pyatv"].specifier


def test_srptools_accepts_the_private_key_from_pyatv() -> None:
    """Since 2 it wants a name with it: pyatv 0.18's pairing ends in a TypeError."""
    context = SRPContext("Pair-Setup", "1234")

    assert SRPClientSession(context, "11" * 32).private == "11" * 32


def test_version_of_home_assistant_that_hacs_requires_is_tested() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())

    assert AwesomeVersion(hacs["homeassistant"]) <= AwesomeVersion(const.__version__)


@pytest.mark.parametrize("matcher", MANIFEST.get("zeroconf", []))
def test_zeroconf_types(matcher: str | dict[str, Any]) -> None:
    kind = matcher if isinstance(matcher, str) else matcher["type"]

    assert re.fullmatch(r"_[a-z0-9-]+\._(tcp|udp)\.local\.", kind)


def test_imported_components_are_declared() -> None:
    imported = set()
    for _, module in modules():
        for node in ast.walk(module):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            if node.module == "homeassistant.components":
                imported |= {name.name for name in node.names}
            elif node.module.startswith("homeassistant.components."):
                imported.add(node.module.split(".")[2])
    declared = {*MANIFEST.get("dependencies", ())}
    declared |= {*MANIFEST.get("after_dependencies", ())}

    assert imported - ALWAYS_THERE <= declared


@pytest.mark.parametrize("language", TEXTS)
def test_languages_have_the_same_texts_and_placeholders(language: str) -> None:
    english = {path: PLACEHOLDER.findall(text) for path, text in leaves(ENGLISH)}
    other = {path: PLACEHOLDER.findall(text) for path, text in leaves(TEXTS[language])}

    assert {path: set(names) for path, names in other.items()} == {
        path: set(names) for path, names in english.items()
    }


@pytest.mark.parametrize("language", TEXTS)
def test_texts_have_no_link_and_no_html(language: str) -> None:
    for path, text in leaves(TEXTS[language]):
        assert "://" not in text, path
        assert not re.search(r"<[a-z/]", text), path
        assert "[%key:" not in text, path
        assert all(KEY.fullmatch(key) for key in path.split(".")), path


def test_every_step_of_the_flows_has_texts() -> None:
    known = {*find("config", "step"), *find("options", "step")}

    assert set(keywords("step_id")) <= known


def test_every_abort_of_the_flows_has_a_text() -> None:
    known = {*find("config", "abort"), *find("options", "abort")}

    assert set(keywords("reason", "config_flow.py")) <= known
    assert {"already_configured", "already_in_progress"} <= known


@pytest.mark.parametrize("flow", ["config", "options"])
def test_every_field_is_described(flow: str) -> None:
    for name, step in find(flow, "step").items():
        for part in (step, *step.get("sections", {}).values()):
            described = part.get("data_description", {}).keys()
            assert described == part.get("data", {}).keys(), name


def test_every_translation_key_exists() -> None:
    known = {*find("exceptions"), *find("issues")}
    for platform in find("entity").values():
        known |= {*platform}

    assert set(keywords("translation_key")) <= known


def test_actions_have_texts_and_icons() -> None:
    services = yaml.safe_load((FOLDER / "services.yaml").read_text())
    pictured = json.loads((FOLDER / "icons.json").read_text())

    assert services.keys() == find("services").keys()
    assert services.keys() == pictured["services"].keys()
    for name, service in services.items():
        fields = (service or {}).get("fields", {})
        sections = {key: each for key, each in fields.items() if "fields" in each}
        plain = fields.keys() - sections.keys()
        plain |= {key for each in sections.values() for key in each["fields"]}
        assert plain == find("services", name, "fields").keys()
        assert sections.keys() == find("services", name, "sections").keys()
        assert sections.keys() == pictured["services"][name].get("sections", {}).keys()
        for texts in find("services", name, "fields").values():
            assert texts.keys() == {"name", "description"}


def test_choices_of_actions_and_forms_have_texts() -> None:
    wanted = {
        match.group(1)
        for path in (FOLDER / "services.yaml",)
        for match in re.finditer(r"translation_key: (\w+)", path.read_text())
    }

    assert wanted <= find("selector").keys()


@pytest.mark.parametrize("prefix", ["", "dark_"])
@pytest.mark.parametrize(("name", "size"), [("icon.png", 256), ("icon@2x.png", 512)])
def test_brand_icons(prefix: str, name: str, size: int) -> None:
    image = (FOLDER / "brand" / f"{prefix}{name}").read_bytes()

    assert struct.unpack(">II", image[16:24]) == (size, size)
