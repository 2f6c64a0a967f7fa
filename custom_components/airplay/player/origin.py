"""Where a level comes from."""

from enum import StrEnum


class Origin(StrEnum):
    """Who or what has set a level."""

    DEFAULT = "default"
    RESTORED = "restored"
    USER = "user"
    AUTOMATION = "automation"
    DEVICE = "device"
    ANNOUNCEMENT = "announcement"
    LIMIT = "limit"
