"""Tones, and WAV files in Home Assistant's media folder."""

import asyncio
from collections.abc import Callable, Mapping
from ipaddress import ip_address
import logging
import os
from pathlib import Path
from typing import Any, override
import wave

import numpy as np
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from zeroconf import Zeroconf
from zeroconf._dns import DNSPointer
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncServiceInfo
from zeroconf.const import _CLASS_IN, _FLAGS_AA, _FLAGS_QR_RESPONSE, _TYPE_PTR

from custom_components.airplay.const import AIRPLAY_TYPE, DOMAIN, RAOP_TYPE
from custom_components.airplay.discovery.entry_data import receiver_data, unique_id
from custom_components.airplay.raop.receiver import Service, merge
from homeassistant.components.media_player import DOMAIN as MEDIA_PLAYER
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from tests.virtual_receiver import VirtualReceiver
from tests.ha.players import state_of

RATE = 44100
FOLDER = "media-source://media_source/local"


def tone(seconds: float, hertz: float = 440) -> bytes:
    """Return a tone as s16le stereo at 44100 Hz."""
    turns = np.arange(round(seconds * RATE)) * hertz / RATE
    samples = np.rint(12000 * np.sin(2 * np.pi * turns)).astype("<i2")
    sound: bytes = samples.repeat(2).tobytes()
    return sound


def write_wav(path: Path, pcm: bytes) -> Path:
    """Write PCM into a WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return path
