"""The context that all streams of the engine share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...audio.decoder_pool import DecoderPool
from ...buttons import Button
from ...messages import Event, Identity
from ...session.remote import Remotes
from ..lanes.choice import LaneChoice
from ..pacing.pacer import Pacer

if TYPE_CHECKING:
    from ..ptp.service import PtpService


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamContext:
    """The context of a stream; `on_button` gets a receiver's id and the button.

    `ptp` returns the clock, which is made for the first receiver that follows it.
    """

    pacer: Pacer
    decoders: DecoderPool
    identity: Identity
    emit: Callable[[Event], None]
    remotes: Remotes
    ptp: Callable[[], PtpService]
    choice: LaneChoice
    on_button: Callable[[str, Button], None]
