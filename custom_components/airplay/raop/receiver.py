"""What a receiver is and can do, read from its TXT records.

Meaning of keys and bits: AirPlay TXT records as announced by receivers and read by
the open senders and receivers of the field. Values come from the network: whatever
cannot be parsed counts as absent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import re

from . import quirks
from .wire.codec import Codec
from .wire.txt import look_up, parse_features, parse_number, parse_numbers, parse_words

_FEATURE_AUDIO = 1 << 9
_FEATURE_RAOP_ON_AIRPLAY_PORT = 1 << 30
# Encrypted control, under the two names that it has had.
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
_ENCRYPTION_NONE = 0
_ENCRYPTION_RSA = 1
_ENCRYPTION_MFI = 4
_CODEC_L16 = 0
_CODEC_ALAC = 1
_ID = re.compile(r"[0-9a-f]{12}")


class LaneKind(StrEnum):
    """A way to reach a receiver."""

    RAOP = "raop"
    AIRPLAY2_REALTIME = "airplay2-realtime"
    AIRPLAY2_BUFFERED = "airplay2-buffered"


# Whichever way of AirPlay 2 works.
AIRPLAY2 = "airplay2"


class Obstacle(StrEnum):
    """Why a receiver cannot be played to at all."""

    NO_AUDIO = "no_audio"
    TCP_ONLY = "tcp_only"
    ENCRYPTION = "encryption"
    HOME_ONLY = "home_only"
    AIRPLAY2_ONLY = "airplay2_only"


@dataclass(frozen=True, slots=True)
class Service:
    """One mDNS record of a receiver: where it listens and what it says of itself."""

    instance: str
    host: str
    port: int
    txt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver, put together from its `_raop._tcp` and `_airplay._tcp` records."""

    id: str
    name: str
    host: str
    raop: Service | None
    airplay: Service | None

    @property
    def port(self) -> int:
        """The port that takes RAOP; the AirPlay port where only that is known."""
        service = self.raop or self.airplay
        return service.port if service else 0

    @property
    def model(self) -> str | None:
        """The model as the receiver names it, for example `AppleTV3,1`."""
        return self._airplay("model") or self._raop("am") or None

    @property
    def manufacturer(self) -> str | None:
        """The maker, where it is said or can be told from the model."""
        if named := self._airplay("manufacturer"):
            return named
        return "Apple" if quirks.is_apples(self.model or "") else None

    @property
    def firmware(self) -> str | None:
        """The firmware or operating system's version."""
        return (
            self._airplay("fv")
            or self._airplay("osvers")
            or self._raop("fv")
            or self._raop("ov")
            or self._airplay("srcvers")
            or self._raop("vs")
            or None
        )

    @property
    def features(self) -> int | None:
        """The feature bits, or None where no record has any."""
        features = parse_features(self._airplay("features"))
        return parse_features(self._raop("ft")) if features is None else features

    @property
    def flags(self) -> int:
        """The status flags as announced last."""
        flags = parse_number(self._airplay("flags"))
        return (parse_number(self._raop("sf")) or 0) if flags is None else flags

    @property
    def has_session(self) -> bool:
        """Whether somebody plays there; its record may be incomplete meanwhile."""
        return bool(self.flags & _FLAG_SESSION)

    @property
    def pair_id(self) -> str | None:
        """What both receivers of a stereo pair say, and nobody else."""
        return self._airplay("tsid").lower() or None

    @property
    def pair_name(self) -> str | None:
        """What the stereo pair is called; speakers of an Apple TV have no such name."""
        return (self._airplay("gpn") or None) if self.pair_id else None

    @property
    def leads_pair(self) -> bool:
        """Whether it says that it leads its stereo pair."""
        return self.pair_id is not None and bool(self.flags & _FLAG_LEADS_PAIR)

    @property
    def title(self) -> str:
        """What users call it: a pair by the name of both."""
        return self.pair_name or self.name

    @property
    def codec(self) -> Codec:
        """ALAC unless the receiver lists codecs without it; L16 breaks shairport 5."""
        codecs = parse_numbers(self._raop("cn"))
        if codecs and _CODEC_ALAC not in codecs and _CODEC_L16 in codecs:
            return Codec.L16
        return Codec.ALAC

    @property
    def encrypts(self) -> bool:
        """Whether audio must be encrypted with a key under the AirPort's RSA key.

        The first two AirPort Express want it even where they list unencrypted audio;
        Apple's later receivers list RSA but refuse or ignore a stream that uses it.
        """
        kinds = parse_numbers(self._raop("et"))
        if kinds and _ENCRYPTION_RSA not in kinds:
            return False
        if kinds and _ENCRYPTION_NONE not in kinds:
            return True
        model = self.model or ""
        if quirks.insists_on_rsa(model):
            return True
        return self._raop("ek") == "1" and not quirks.ignores_rsa(model)

    @property
    def needs_auth_setup(self) -> bool:
        """Whether `/auth-setup` shall come before ANNOUNCE (MFi receivers)."""
        return _ENCRYPTION_MFI in parse_numbers(self._raop("et"))

    @property
    def needs_password(self) -> bool:
        """Whether the receiver says that it has a password."""
        said = (self._raop("pw") or self._airplay("pw")).lower()
        return said not in ("", "false", "0") or bool(
            self.flags & _FLAG_PASSWORD_REQUIRED
        )

    @property
    def needs_pairing(self) -> bool:
        """Whether the receiver plays only for senders paired with its PIN."""
        return bool(self.flags & (_FLAG_PIN_REQUIRED | _FLAG_PAIRING_REQUIRED))

    @property
    def takes_airplay2(self) -> bool:
        """Whether it takes AirPlay 2, and so pairs as HomeKit does."""
        return self._has(_FEATURES_AIRPLAY2)

    @property
    def keeps_clock(self) -> bool:
        """Whether it tells a PTP clock of its own rather than follow ours.

        HomePods with software 27 do, but not in a pair or another group.
        """
        is_grouped = self._airplay("pgid") or self._airplay("tsid")
        is_alone = self._airplay("igl") == "1" and not is_grouped
        return is_alone and self._is_silent_homepod

    @property
    def takes_ptp(self) -> bool:
        """Whether it follows a PTP clock; where nothing is known it is tried."""
        return self.features is None or self._has(_FEATURE_PTP)

    @property
    def pairing_port(self) -> int:
        """The port that takes pairing: that of AirPlay 2 where it is spoken."""
        if self.airplay and self.takes_airplay2:
            return self.airplay.port
        return self.port

    @property
    def is_first_express(self) -> bool:
        """Whether it is an 802.11g AirPort Express, which drops unknown methods.

        Airfoil's speakers say the same of themselves, but do not offer TCP.
        """
        return not self.model and self._raop("vn") == "3" and "TCP" in self._transports

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
        """The ways to play to it, best first.

        RAOP where it works, as its packets need no clock of their own. A buffered
        stream comes last: which codec it is takes a word that not all understand.
        """
        if self.obstacle:
            return ()
        classic = () if self._raop_obstacle else (LaneKind.RAOP,)
        modern: tuple[LaneKind, ...] = ()
        if self.takes_airplay2:
            modern = (LaneKind.AIRPLAY2_REALTIME,)
        if self.takes_airplay2 and self._takes_buffered:
            modern += (LaneKind.AIRPLAY2_BUFFERED,)
        return modern + classic if self._is_poor_at_raop else classic + modern

    @property
    def obstacle(self) -> Obstacle | None:
        """Why it cannot be played to, or None where it can."""
        is_known = self.features is not None
        if self.raop is None and is_known and not self._has(_FEATURE_AUDIO):
            return Obstacle.NO_AUDIO
        if (obstacle := self._raop_obstacle) and not self.takes_airplay2:
            return obstacle
        # The only one that a user can remove, so what would remain is told first.
        if self._airplay("acl") == "1" or self._airplay("act") == "2":
            return Obstacle.HOME_ONLY
        return None

    @property
    def _raop_obstacle(self) -> Obstacle | None:
        """Why RAOP does not reach it, or None where it does."""
        if self.raop is None and not self._has(_FEATURE_RAOP_ON_AIRPLAY_PORT):
            return Obstacle.AIRPLAY2_ONLY
        if self._is_silent_homepod:
            return Obstacle.AIRPLAY2_ONLY
        if self._transports and "UDP" not in self._transports:
            return Obstacle.TCP_ONLY
        kinds = parse_numbers(self._raop("et"))
        if kinds and not kinds & {_ENCRYPTION_NONE, _ENCRYPTION_RSA, _ENCRYPTION_MFI}:
            return Obstacle.ENCRYPTION
        return None

    @property
    def _takes_buffered(self) -> bool:
        """Whether it takes buffered streams; Apple's never measure our clock for it."""
        wanted = _FEATURE_BUFFERED | _FEATURE_PTP
        has_both = (self.features or 0) & wanted == wanted
        return has_both and self.manufacturer != "Apple"

    @property
    def _is_poor_at_raop(self) -> bool:
        """Whether it announces RAOP and is known to play it badly or not at all."""
        return quirks.is_poor_at_raop(self.manufacturer or "", self.model or "")

    @property
    def _is_silent_homepod(self) -> bool:
        """Whether it takes RAOP sessions and renders nothing: HomePod software 27."""
        software = self._airplay("osvers") or self._raop("ov")
        airplay = self._airplay("srcvers") or self._raop("vs")
        return quirks.is_silent_homepod(self.model or "", software, airplay)

    @property
    def _transports(self) -> frozenset[str]:
        return parse_words(self._raop("tp"))

    def _takes(self, kind: int, feature: int) -> bool:
        kinds = parse_numbers(self._raop("md"))
        return kind in kinds if kinds else self._has(feature)

    def _has(self, feature: int) -> bool:
        return bool((self.features or 0) & feature)

    def _raop(self, key: str) -> str:
        return _lookup(self.raop, key)

    def _airplay(self, key: str) -> str:
        return _lookup(self.airplay, key)


def merge(raop: Service | None, airplay: Service | None) -> Receiver:
    """Make one receiver of its two records, of which at least one is given."""
    first = raop or airplay
    if first is None:
        raise ValueError("a receiver has at least one service")
    raop_id, raop_name = split_instance(raop.instance) if raop else (None, None)
    airplay_id = normalise_id(_lookup(airplay, "deviceid"))
    return Receiver(
        id=raop_id or airplay_id or _lookup(first, "pk") or first.instance,
        name=(airplay.instance if airplay else None) or raop_name or first.instance,
        host=first.host,
        raop=raop,
        airplay=airplay,
    )


def receiver_id(service: Service, *, is_raop: bool) -> str:
    """Return the identity that both records of a receiver share."""
    return merge(service, None).id if is_raop else merge(None, service).id


def split_instance(instance: str) -> tuple[str | None, str]:
    """Split `0011AABBCCDD@Kitchen` at its first @ into id and name."""
    head, at, name = instance.partition("@")
    found = normalise_id(head) if at else None
    return (found, name) if found else (None, instance)


def normalise_id(text: str) -> str | None:
    """Return a MAC-like id as 12 lower-case hex digits, or None."""
    plain = text.lower().replace(":", "").replace("-", "")
    return plain if _ID.fullmatch(plain) else None


def _lookup(service: Service | None, key: str) -> str:
    return look_up(service.txt, key) if service else ""
