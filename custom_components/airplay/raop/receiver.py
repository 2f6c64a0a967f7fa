"""Properties and abilities of a receiver, as its TXT records announce them."""

from dataclasses import dataclass, field

from . import quirks
from .obstacle import Obstacle
from .receiver_lanes import (
    LINK_PLAY_DEPTH_MS,
    Genus,
    LaneKind,
    airplay2_order_of,
    always_asks_time,
    genus_of,
    order_of,
)
from .receiver_maker import is_apples
from .receiver_records import AirPlayRecord, RaopRecord, Service
from .wire.addresses import MOST_ADDRESSES
from .wire.codec import Codec

_FEATURE_AUDIO = 1 << 9
_FEATURE_RAOP_ON_AIRPLAY_PORT = 1 << 30
# Encrypted control, under its two successive names.
_FEATURES_AIRPLAY2 = 1 << 38 | 1 << 48
_FEATURE_BUFFERED = 1 << 40
_FEATURE_PTP = 1 << 41
_FEATURE_ARTWORK = 1 << 15
_FEATURE_PROGRESS = 1 << 16
_FEATURE_TEXT = 1 << 17
_FLAG_PIN_REQUIRED = 0x8
_FLAG_PASSWORD_REQUIRED = 0x80
_FLAG_PAIRING_REQUIRED = 0x200
_FLAG_LEADS_PAIR = 1 << 13
# ReceiverSessionIsActive, among the status flags of both records.
_FLAG_SESSION = 1 << 17


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver, combined from its `_raop._tcp` and `_airplay._tcp` records."""

    id: str
    name: str
    host: str
    raop: Service | None
    airplay: Service | None
    _raop: RaopRecord = field(init=False, repr=False, compare=False)
    _airplay: AirPlayRecord = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The only method to set a field of a frozen dataclass.
        object.__setattr__(self, "_raop", RaopRecord.parse(self.raop))
        object.__setattr__(self, "_airplay", AirPlayRecord.parse(self.airplay))

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses, in the order in which to try them."""
        services = [each for each in (self.raop, self.airplay) if each]
        known = [address for each in services for address in each.addresses]
        return tuple(dict.fromkeys((self.host, *known)))[:MOST_ADDRESSES]

    @property
    def port(self) -> int:
        """The port for RAOP; the AirPlay port if only that is known."""
        service = self.raop or self.airplay
        return service.port if service else 0

    @property
    def model(self) -> str | None:
        """The model as the receiver announces it, for example `AppleTV3,1`."""
        return self._airplay.model or self._raop.model or None

    @property
    def manufacturer(self) -> str | None:
        """The manufacturer, if it is announced or follows from the records."""
        if self._airplay.manufacturer:
            return self._airplay.manufacturer
        return "Apple" if is_apples(self._raop, self._airplay) else None

    @property
    def firmware(self) -> str | None:
        """The version of the firmware or operating system."""
        records = (self._airplay, self._raop)
        own = next(filter(None, (each.own_version for each in records)), None)
        return own or self._airplay.source_version or self._raop.source_version or None

    @property
    def features(self) -> int | None:
        """The feature bits, or None if no record has any."""
        features = self._airplay.features
        return self._raop.features if features is None else features

    @property
    def flags(self) -> int:
        """The latest status flags."""
        flags = self._airplay.flags
        return (self._raop.flags or 0) if flags is None else flags

    @property
    def _access_flags(self) -> int:
        """The flags of the record that counts for its PIN and its password.

        Without AirPlay 2 that of RAOP: an AirPlay record may demand a PIN beside it
        that does not exist (Marshall Woburn).
        """
        flags = self._raop.flags
        return self.flags if self.takes_airplay2 or flags is None else flags

    @property
    def is_bridge(self) -> bool:
        """Whether it is no speaker, but passes audio on to one of another system."""
        return quirks.is_bridge(self.model or "")

    @property
    def has_session(self) -> bool:
        """Whether a sender plays on it; its record may be incomplete meanwhile."""
        return bool(self.flags & _FLAG_SESSION)

    @property
    def pair_id(self) -> str | None:
        """The id that only the two receivers of a stereo pair announce."""
        return self._airplay.pair_id or None

    @property
    def pair_name(self) -> str | None:
        """The name of the stereo pair; speakers of an Apple TV have no such name."""
        return (self._airplay.pair_name or None) if self.pair_id else None

    @property
    def leads_pair(self) -> bool:
        """Whether it announces that it leads its stereo pair."""
        return self.pair_id is not None and bool(self.flags & _FLAG_LEADS_PAIR)

    @property
    def title(self) -> str:
        """The name for users: that of the pair, if it is part of one."""
        return self.pair_name or self.name

    @property
    def codec(self) -> Codec:
        """The codec that it plays by RAOP."""
        return self._raop.codec

    @property
    def encrypts(self) -> bool:
        """Whether audio must be encrypted with a key under the AirPort's RSA key."""
        return self._raop.requires_rsa(self.model or "")

    @property
    def is_unknown(self) -> bool:
        """Whether no record says anything about it, as if entered by address."""
        return not self._raop.encryptions and not self.model

    @property
    def may_encrypt(self) -> bool:
        """Whether it may require RSA: it lists it, or lists nothing."""
        return self._raop.may_require_rsa(self.model or "")

    @property
    def needs_auth_setup(self) -> bool:
        """Whether `/auth-setup` must come before ANNOUNCE (MFi receivers)."""
        return self._raop.wants_auth_setup

    @property
    def needs_password(self) -> bool:
        """Whether the receiver announces that it requires a password."""
        said = (self._raop.password or self._airplay.password).lower()
        return said not in ("", "false", "0") or bool(
            self._access_flags & _FLAG_PASSWORD_REQUIRED
        )

    @property
    def needs_pairing(self) -> bool:
        """Whether the receiver plays only for senders that are paired by PIN."""
        wanted = _FLAG_PIN_REQUIRED | _FLAG_PAIRING_REQUIRED
        return bool(self._access_flags & wanted)

    @property
    def takes_airplay2(self) -> bool:
        """Whether it supports AirPlay 2, and so pairs as HomeKit does."""
        return self._has(_FEATURES_AIRPLAY2)

    @property
    def keeps_clock(self) -> bool:
        """Whether it announces its own PTP clock instead of following ours.

        HomePods with software 27 do, but not in a pair or another group.
        """
        is_grouped = self._airplay.group_id or self._airplay.pair_id
        is_alone = self._airplay.leads_group and not is_grouped
        return is_alone and self._is_silent_homepod

    @property
    def takes_ptp(self) -> bool:
        """Whether it follows a PTP clock; assumed if nothing is known."""
        return self.features is None or self._has(_FEATURE_PTP)

    @property
    def pairing_port(self) -> int:
        """The port for pairing: that of AirPlay 2 if it is supported."""
        if self.airplay and self.takes_airplay2:
            return self.airplay.port
        return self.port

    @property
    def is_first_express(self) -> bool:
        """Whether it is an 802.11g AirPort Express, which drops unknown methods.

        Airfoil's speakers announce the same, but do not offer TCP.
        """
        is_old = self._raop.protocol_version == "3"
        return not self.model and is_old and "TCP" in self._raop.transports

    @property
    def takes_text(self) -> bool:
        """Whether it shows titles."""
        return self._takes(0, _FEATURE_TEXT)

    @property
    def takes_artwork(self) -> bool:
        """Whether it shows pictures."""
        return self._takes(1, _FEATURE_ARTWORK)

    @property
    def takes_progress(self) -> bool:
        """Whether it shows the position."""
        return self._takes(2, _FEATURE_PROGRESS)

    @property
    def lanes(self) -> tuple[LaneKind, ...]:
        """The methods to play to it, best first."""
        if self.obstacle:
            return ()
        return order_of(self._genus, self.airplay2_lanes, self._raop_obstacle)

    @property
    def airplay2_lanes(self) -> tuple[LaneKind, ...]:
        """The methods of AirPlay 2, best first."""
        if not self.takes_airplay2:
            return ()
        return airplay2_order_of(self._genus, has_buffered=self._takes_buffered)

    @property
    def least_depth_ms(self) -> int:
        """How long before its instant a realtime packet must arrive, at least."""
        return LINK_PLAY_DEPTH_MS if self._genus is Genus.LINK_PLAY else 0

    @property
    def starts_soon(self) -> bool:
        """Whether its kind plays a start completely with the least lead (measured)."""
        return self._genus is Genus.OPEN

    @property
    def asks_time(self) -> bool:
        """Whether all receivers of its kind ask for the time while they play."""
        return self.takes_airplay2 or always_asks_time(self.model, self._raop)

    @property
    def is_apples(self) -> bool:
        """Whether it is one of Apple's."""
        return self.manufacturer == "Apple"

    @property
    def obstacle(self) -> Obstacle | None:
        """The reason why it cannot be played to, or None."""
        is_known = self.features is not None
        if self.raop is None and is_known and not self._has(_FEATURE_AUDIO):
            return Obstacle.NO_AUDIO
        if self._only_mirrors:
            return Obstacle.MIRRORING_ONLY
        if (obstacle := self._raop_obstacle) and not self.takes_airplay2:
            return obstacle
        # The only obstacle that a user can remove, so those that remain come first.
        if self._airplay.is_home_only:
            return Obstacle.HOME_ONLY
        return None

    @property
    def _raop_obstacle(self) -> Obstacle | None:
        """The reason why RAOP does not work, or None."""
        if self.raop is None and not self._has(_FEATURE_RAOP_ON_AIRPLAY_PORT):
            return Obstacle.NO_PROTOCOL
        if self._is_silent_homepod:
            return Obstacle.AIRPLAY2_ONLY
        if self._raop.transports and "UDP" not in self._raop.transports:
            return Obstacle.TCP_ONLY
        if not self._raop.has_open_encryption:
            return Obstacle.ENCRYPTION
        return None

    @property
    def _only_mirrors(self) -> bool:
        """Whether it is a screen that plays no audio alone."""
        airplay = self._airplay.source_version or self._raop.source_version
        return quirks.only_mirrors(self.model or "", airplay, self.features)

    @property
    def _takes_buffered(self) -> bool:
        """Whether it plays buffered streams; Apple's never measure our clock then."""
        wanted = _FEATURE_BUFFERED | _FEATURE_PTP
        return (self.features or 0) & wanted == wanted and not self.is_apples

    @property
    def _genus(self) -> Genus:
        """The kind of its maker's software."""
        return genus_of(self.manufacturer, self.model, self._raop, self._airplay)

    @property
    def _is_silent_homepod(self) -> bool:
        """Whether it accepts RAOP sessions but plays nothing: HomePod software 27."""
        software = self._airplay.os_version or self._raop.os_version
        airplay = self._airplay.source_version or self._raop.source_version
        return quirks.is_silent_homepod(self.model or "", software, airplay)

    def _takes(self, kind: int, feature: int) -> bool:
        kinds = self._raop.metadata
        return kind in kinds if kinds else self._has(feature)

    def _has(self, feature: int) -> bool:
        return bool((self.features or 0) & feature)
