"""The core as a separate program, started from this folder."""

from pathlib import Path
import sys

AROUND_CORE = Path(__file__).parents[1] / "custom_components" / "airplay"
RAOP = (sys.executable, "-P", str(AROUND_CORE / "raop" / "__main__.py"))
# Begins code that imports the core without Home Assistant.
FIND_CORE = f"import sys; sys.path.append({str(AROUND_CORE)!r})\n"
