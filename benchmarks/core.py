"""The sender's messages, without the Home Assistant integration."""

import importlib
import os
from pathlib import Path
import sys
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
AROUND_CORE = ROOT / "custom_components" / "airplay"
RAOP = (sys.executable, "-P", str(AROUND_CORE / "raop" / "__main__.py"))

if TYPE_CHECKING:
    from custom_components.airplay.raop import messages
else:
    # By its full name the core would import all of Home Assistant. At the end of the
    # path, because the integration's platforms have the names of modules.
    sys.path.append(os.fspath(AROUND_CORE))
    messages = importlib.import_module("raop.messages")

__all__ = ["AROUND_CORE", "RAOP", "ROOT", "messages"]
