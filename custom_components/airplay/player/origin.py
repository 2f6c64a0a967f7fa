"""The origin of a volume."""

from enum import StrEnum


class Origin(StrEnum):
    """The source of the current volume."""

    DEFAULT = "default"
    RESTORED = "restored"
    USER = "user"
    AUTOMATION = "automation"
    DEVICE = "device"
    ANNOUNCEMENT = "announcement"
    LIMIT = "limit"
