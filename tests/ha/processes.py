"""Sender processes of this process."""

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
from tests.ha.sound import RATE



def sender_pids() -> list[int]:
    """Return the sender processes that this process has started and that live."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        state, parent, _, session = stat[:4]
        # Nothing else that is started has a session of its own.
        if parent == str(os.getpid()) and state != "Z" and session == folder.name:
            found.append(int(folder.name))
    return sorted(found)
