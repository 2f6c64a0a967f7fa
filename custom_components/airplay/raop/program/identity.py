"""The identity of a sender that was started from outside."""

import os
import secrets

from ..messages import Identity


def identity_from_environment() -> Identity:
    """Return our identity from the environment that the owner of the process set."""
    given = os.environ.get("AIRPLAY_DACP_ID", "")
    fresh = f"{secrets.randbelow(15) + 1:X}{secrets.token_hex(8).upper()[1:]}"
    port = os.environ.get("AIRPLAY_DACP_PORT", "")
    is_port = port.isdecimal() and len(port) < 6 and int(port) < 1 << 16
    return Identity(
        dacp_id=given or fresh,
        client_name=os.environ.get("AIRPLAY_CLIENT_NAME") or "Home Assistant",
        dacp_port=int(port) if is_port else 0,
    )
