"""An automatic test of the demo through Home Assistant's web interface."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import sound
from .client import Client, log_in, until
from .household import PASSWORD, SAMPLE, SAMPLE_WAV, USER
from .progress import CheckError, step
from .server import HomeAssistantProcess
from .speakers import VirtualSpeaker

_DISCOVERED_S = 30
_STARTED_S = 10
_HEARD_S = 30
_SENTENCE = "The washing machine is done."
_VOICE = "tts.demo_voice"
_VOLUME, _VOLUME_DB = 0.3, -21.0
# Resampled audio differs in its last bits.
_LIKE = 0.99
_PNG = b"\x89PNG"


@dataclass(frozen=True, slots=True)
class Pair:
    """A virtual speaker, and its entry and player in Home Assistant."""

    speaker: VirtualSpeaker
    entry_id: str
    entity_id: str


async def check(
    server: HomeAssistantProcess, url: str, speakers: list[VirtualSpeaker]
) -> None:
    """Run all steps once. Raises CheckError: a step failed."""
    async with log_in(url, USER, PASSWORD) as client:
        with step("Discover both speakers"):
            flows = await _discovered(client, speakers)
        with step("Add both by their config flows"):
            pairs = [await _add(client, speaker, flows) for speaker in speakers]
            await _all(client, pairs, "idle", _STARTED_S)
        with step(f"Play {SAMPLE_WAV} on both") as remarks:
            await _play_file(client, pairs, SAMPLE_WAV, remarks)
        with step(f"Play {SAMPLE.name} on both") as remarks:
            await _play_file(client, pairs, SAMPLE.name, remarks, _try_controls)
        with step("Speak a sentence on both") as remarks:
            await _speak(client, pairs, remarks)
        with step("Remove both"):
            await _remove(client, pairs)
    with step("Stop Home Assistant"):
        if left := await server.stop():
            raise CheckError(f"left running: {', '.join(left)}")
        if bad := _complaints(server.log_lines()):
            raise CheckError("Home Assistant's log has errors:\n" + "\n".join(bad))


async def _discovered(client: Client, speakers: list[VirtualSpeaker]) -> dict[str, str]:
    """Wait for the discovery of each speaker; return the flows by unique id."""
    wanted = {speaker.unique_id for speaker in speakers}

    async def ask() -> dict[str, str]:
        flows = {
            flow["context"].get("unique_id"): flow["flow_id"]
            for flow in await client.ask("config_entries/flow/progress")
            if flow["handler"] == "airplay"
        }
        return flows if wanted <= flows.keys() else {}

    return await until("both speakers discovered", ask, _DISCOVERED_S)


async def _add(client: Client, speaker: VirtualSpeaker, flows: dict[str, str]) -> Pair:
    """Submit the form of a discovery, and find the resulting player."""
    path = f"/api/config/config_entries/flow/{flows[speaker.unique_id]}"
    made = await client.rest("POST", path, {})
    if made["type"] != "create_entry" or made["title"] != speaker.name:
        raise CheckError(f"adding {speaker.name} did not create an entry: {made}")
    entry_id: str = made["result"]["entry_id"]

    async def find() -> str | None:
        for entity in await client.ask("config/entity_registry/list"):
            entity_id = str(entity["entity_id"])
            is_player = entity_id.startswith("media_player.")
            if entity["config_entry_id"] == entry_id and is_player:
                return entity_id
        return None

    found: str = await until(f"a player for {speaker.name}", find, _STARTED_S)
    return Pair(speaker, entry_id, found)


async def _all(
    client: Client, pairs: list[Pair], wanted: str, timeout_s: float
) -> list[dict[str, Any]]:
    """Wait until all players have a state; return the state objects."""

    async def ask() -> list[dict[str, Any]]:
        states = [await client.state(pair.entity_id) for pair in pairs]
        return states if all(each["state"] == wanted for each in states) else []

    return await until(f"both players {wanted}", ask, timeout_s)


async def _play_file(
    client: Client,
    pairs: list[Pair],
    name: str,
    remarks: list[str],
    meanwhile: Callable[[Client, list[Pair]], Awaitable[None]] | None = None,
) -> None:
    """Play a file as the media browser does, and compare the output."""
    media = await _browse(client, pairs[0], name)
    source = sound.decode(await _file(client, media))
    before = [pair.speaker.written_bytes for pair in pairs]
    await client.act(
        "media_player.play_media",
        entity_id=[pair.entity_id for pair in pairs],
        media_content_id=media["media_content_id"],
        media_content_type=media["media_content_type"],
    )
    await _all(client, pairs, "playing", _STARTED_S)
    if meanwhile is not None:
        await meanwhile(client, pairs)
    await _all(client, pairs, "idle", _HEARD_S)
    for pair, size in zip(pairs, before, strict=True):
        played = pair.speaker.written_since(size)
        likeness = sound.compare(played, source)
        if not likeness.exact:
            raise CheckError(
                f"{pair.speaker.wav} is not {name}: correlation"
                f" {likeness.correlation:.4f}, {pair.speaker.receiver.stats}"
            )
    remarks.append(f"all {len(source) // sound.FRAME_BYTES} frames bit-exact on both")


async def _browse(client: Client, pair: Pair, name: str) -> dict[str, Any]:
    """Find a file in the player's media browser."""
    folder = await client.ask(
        "media_player/browse_media",
        entity_id=pair.entity_id,
        media_content_type="app",
        media_content_id="media-source://media_source",
    )
    for item in folder["children"]:
        if item["title"] == name:
            return dict(item)
    titles = [item["title"] for item in folder["children"]]
    raise CheckError(f"{name} is not in the media browser, which has {titles}")


async def _file(client: Client, media: dict[str, Any]) -> bytes:
    """Fetch the file of an item of the media browser."""
    found = await client.ask(
        "media_source/resolve_media", media_content_id=media["media_content_id"]
    )
    return await client.download(client.url + found["url"])


async def _try_controls(client: Client, pairs: list[Pair]) -> None:
    """Check the title and the picture, and set the volume while it plays."""
    for state in await _all(client, pairs, "playing", _STARTED_S):
        shown = state["attributes"]
        if shown.get("media_title") != "Morning light" or "entity_picture" not in shown:
            raise CheckError(f"the title or the picture is missing: {shown}")
        picture = await client.download(client.url + shown["entity_picture"])
        if not picture.startswith(_PNG):
            raise CheckError(f"the picture is not a PNG: {picture[:40]!r}")
    for pair in pairs:
        await client.act(
            "media_player.volume_set", entity_id=pair.entity_id, volume_level=_VOLUME
        )

    async def have_seen() -> bool:
        return all(
            abs(pair.speaker.receiver.volume_db - _VOLUME_DB) < 0.1 for pair in pairs
        )

    await until("the volume at both speakers", have_seen, _STARTED_S)


async def _speak(client: Client, pairs: list[Pair], remarks: list[str]) -> None:
    """Speak a sentence and compare the output with the audio of the voice."""
    before = [pair.speaker.written_bytes for pair in pairs]
    await client.act(
        "tts.speak",
        entity_id=_VOICE,
        media_player_entity_id=[pair.entity_id for pair in pairs],
        message=_SENTENCE,
    )
    await _all(client, pairs, "idle", _HEARD_S)
    spoken = await client.rest(
        "POST", "/api/tts_get_url", {"engine_id": _VOICE, "message": _SENTENCE}
    )
    source = sound.decode(await client.download(client.url + spoken["path"]))
    for pair, size in zip(pairs, before, strict=True):
        likeness = sound.compare(pair.speaker.written_since(size), source)
        if likeness.correlation < _LIKE:
            raise CheckError(
                f"{pair.speaker.wav} is not the sentence: {likeness.correlation:.4f}"
            )
        similar = f"{likeness.correlation:.2%}"
        remarks.append(f"{pair.speaker.name} {similar} similar to the voice's audio")


async def _remove(client: Client, pairs: list[Pair]) -> None:
    """Remove the entries; check that the speakers are free and discovered again."""
    for pair in pairs:
        path = f"/api/config/config_entries/entry/{pair.entry_id}"
        await client.rest("DELETE", path)
    entities = {
        entity["entity_id"] for entity in await client.rest("GET", "/api/states")
    }
    for pair in pairs:
        if pair.entity_id in entities:
            raise CheckError(f"{pair.entity_id} still exists")
        if pair.speaker.receiver.has_session:
            raise CheckError(f"{pair.speaker.name} is still in use")
    await _discovered(client, [pair.speaker for pair in pairs])


def _complaints(lines: list[str]) -> list[str]:
    """Return the log's warnings and errors of the integration."""
    return [
        line
        for line in lines
        if ("custom_components.airplay" in line and not _is_harmless(line))
        or "custom_components/airplay" in line
    ]


def _is_harmless(line: str) -> bool:
    return " INFO " in line or " DEBUG " in line


def print_log(log: Path, count: int = 30) -> str:
    """Return the last lines of Home Assistant's log."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "".join(f"    {line}\n" for line in lines[-count:])
