"""Facts that follow from the records of a receiver."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.obstacle import Obstacle
from custom_components.airplay.raop.receiver import Receiver
from custom_components.airplay.raop.receiver_identity import merge
from custom_components.airplay.raop.receiver_lanes import LaneKind
from custom_components.airplay.raop.receiver_records import Service
from custom_components.airplay.raop.wire.codec import Codec

from .records import RAOP_INSTANCE, airplay, raop

TXT = st.dictionaries(
    st.sampled_from(
        [
            "tp",
            "cn",
            "et",
            "ek",
            "md",
            "pw",
            "sf",
            "ft",
            "am",
            "vn",
            "vs",
            "pk",
            "ov",
            "fv",
            "deviceid",
            "features",
            "flags",
            "model",
            "manufacturer",
            "srcvers",
            "osvers",
            "acl",
            "act",
            "TP",
            "Et",
        ]
    )
    | st.text(),
    st.text()
    | st.lists(st.integers(-1, 9)).map(lambda each: ",".join(map(str, each)))
    | st.lists(st.integers()).map(lambda each: ",".join(map(hex, each))),
)
SERVICES = st.builds(
    Service, st.text() | st.just(RAOP_INSTANCE), st.text(), st.integers(0, 65535), TXT
)


def test_a_maker_that_is_poor_at_raop_is_played_to_by_airplay_2_first() -> None:
    txt = "features=0x445F8A00,0x1C340"
    samsung = merge(raop(), airplay(f"manufacturer=Samsung {txt}"))
    old = merge(raop(), airplay(f"manufacturer=Sonos model=One {txt}"))
    new = Service("Den", "h", 7000, {**old.airplay.txt, "model": "Era 100"})  # type: ignore[union-attr]

    assert samsung.lanes[0] is merge(raop(), new).lanes[0] is LaneKind.AIRPLAY2_BUFFERED
    assert samsung.lanes[-1] is LaneKind.RAOP
    assert old.lanes[0] is LaneKind.RAOP


@pytest.mark.parametrize(
    ("codecs", "codec"),
    [
        ("", Codec.ALAC),
        ("0", Codec.L16),
        ("0,2,3", Codec.L16),
        ("1", Codec.ALAC),
        ("0, 1", Codec.ALAC),
        ("2,3", Codec.ALAC),
        ("0,x", Codec.L16),
        ("junk", Codec.ALAC),
    ],
)
def test_l16_is_for_receivers_that_name_it_and_not_alac(
    codecs: str, codec: Codec
) -> None:
    service = Service(RAOP_INSTANCE, "h", 1, {"cn": codecs})

    assert merge(service, None).codec is codec


@pytest.mark.parametrize(
    ("text", "encrypts"),
    [
        ("", False),
        ("ek=1", True),
        ("ek=0", False),
        ("et=1", True),
        ("et=1 am=AppleTV3,1", True),
        ("et=0 ek=1", False),
        ("et=0,1", False),
        ("et=0,1 ek=1", True),
        ("et=0,1 ek=1 am=AppleTV2,1", False),
        ("et=0,1 ek=1 am=AIRPORT10,115", False),
        ("et=0,1 ek=1 am=AirPort4,107", True),
        ("am=AirPort4,107", True),
        ("et=0,4 am=AirPort4,107", False),
        ("et=4 ek=1", False),
    ],
)
def test_encryption_follows_kinds_key_and_model(text: str, encrypts: bool) -> None:
    assert merge(raop(text), None).encrypts is encrypts


@pytest.mark.parametrize(
    ("raop_text", "airplay_text", "needs"),
    [
        ("pw=true", "", True),
        ("pw=1", "", True),
        ("pw=True", "", True),
        ("pw=false", "", False),
        ("pw=False", "", False),
        ("pw=0", "", False),
        ("pw", "", False),
        ("", "pw=1", True),
        ("pw=false", "flags=0x84", True),
        ("sf=0x80", "", True),
        ("sf=0x80", "flags=0x4", True),
        ("sf=0x80", "features=0x0,0x1C340 flags=0x4", False),
    ],
)
def test_a_password_requirement_is_read_from_words_or_flags(
    raop_text: str, airplay_text: str, needs: bool
) -> None:
    found = merge(raop(raop_text), airplay(airplay_text))

    assert found.needs_password is needs


@pytest.mark.parametrize(
    ("flags", "needs"),
    [
        ("0x8", True),
        ("0x200", True),
        ("516", True),
        ("0xFFFFFDF7", False),
        ("-1", False),
    ],
)
def test_pairing_is_read_from_flags(flags: str, needs: bool) -> None:
    assert merge(raop(f"sf={flags}"), None).needs_pairing is needs


@pytest.mark.parametrize(
    ("raop_text", "airplay_text", "flags"),
    [
        ("sf=0x4", "flags=0x84", 0x84),
        ("sf=0x4", "flags=0x0", 0),
        ("sf=0x4", "flags=junk", 4),
        ("sf=0x4", "", 4),
        ("sf=junk", "", 0),
        ("", "", 0),
    ],
)
def test_flags_come_from_airplay_first(
    raop_text: str, airplay_text: str, flags: int
) -> None:
    assert merge(raop(raop_text), airplay(airplay_text)).flags == flags


@pytest.mark.parametrize(
    ("raop_text", "airplay_text", "needs"),
    [
        # A record of AirPlay may demand a PIN that a speaker with RAOP alone has not.
        ("sf=0x4", "flags=0x4f", False),
        ("", "flags=0x4f", True),
        ("sf=0x4", "flags=0x204 features=0x0,0x1C340", True),
        ("sf=0x204", "flags=0x4 features=0x0,0x1C340", False),
        ("sf=0x204", "flags=0x4", True),
    ],
)
def test_a_pin_is_needed_by_the_record_of_the_protocol_that_plays(
    raop_text: str, airplay_text: str, needs: bool
) -> None:
    assert merge(raop(raop_text), airplay(airplay_text)).needs_pairing is needs


@pytest.mark.parametrize(
    ("raop_text", "airplay_text", "features"),
    [
        ("ft=0x1", "features=0x2,0x1", 0x100000002),
        ("ft=0x1", "features=junk", 1),
        ("ft=0x1", "", 1),
        ("ft=0x1", "features=0x0", 0),
        ("", "", None),
    ],
)
def test_features_come_from_airplay_first(
    raop_text: str, airplay_text: str, features: int | None
) -> None:
    assert merge(raop(raop_text), airplay(airplay_text)).features == features


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("md=0,1,2", (True, True, True)),
        ("md=1", (False, True, False)),
        ("md=1 ft=0x38000", (False, True, False)),
        ("ft=0x8000", (False, True, False)),
        ("ft=0x10000", (False, False, True)),
        ("ft=0x20000", (True, False, False)),
        ("md=junk ft=0x20000", (True, False, False)),
        ("", (False, False, False)),
    ],
)
def test_metadata_follows_the_list_or_else_the_features(
    text: str, shows: tuple[bool, bool, bool]
) -> None:
    found = merge(raop(text), None)

    assert (found.takes_text, found.takes_artwork, found.takes_progress) == shows


@pytest.mark.parametrize(
    ("raop_text", "airplay_text", "obstacle"),
    [
        ("", None, None),
        ("", "", None),
        ("", "acl=1", Obstacle.HOME_ONLY),
        ("", "act=2", Obstacle.HOME_ONLY),
        ("tp=TCP", "acl=1", Obstacle.TCP_ONLY),
        ("", "acl=0", None),
        ("tp=TCP", None, Obstacle.TCP_ONLY),
        ("tp=tcp,udp", None, None),
        ("tp=,", None, None),
        ("et=3,5", None, Obstacle.ENCRYPTION),
        ("et=5,4", None, None),
        ("et=junk", None, None),
        ("", "features=0x0", None),
        (None, "features=0x0", Obstacle.NO_AUDIO),
        (None, "features=0x40000000", Obstacle.NO_AUDIO),
        (None, "features=0x200", Obstacle.NO_PROTOCOL),
        (None, "", Obstacle.NO_PROTOCOL),
        (None, "features=0x40000200", None),
        (None, "features=0x40000200 acl=1", Obstacle.HOME_ONLY),
    ],
)
def test_obstacles_are_distinguished(
    raop_text: str | None, airplay_text: str | None, obstacle: Obstacle | None
) -> None:
    found = merge(
        None if raop_text is None else raop(raop_text),
        None if airplay_text is None else airplay(airplay_text),
    )

    assert found.obstacle is obstacle


@pytest.mark.parametrize(
    ("model", "manufacturer"),
    [
        ("AudioAccessorySingle5,1", "Apple"),
        ("MacBookPro18,3", "Apple"),
        ("Macmini9,1", "Apple"),
        ("iMac21,1", "Apple"),
        ("Mac14,2", "Apple"),
        ("Mackie HR824", None),
        ("AppleTV", None),
        ("ShairportSync", None),
    ],
)
def test_apple_is_known_by_its_models(model: str, manufacturer: str | None) -> None:
    service = Service("x", "h", 1, {"model": model})

    assert merge(None, service).manufacturer == manufacturer


# The keys that only Apple's have, as far as public reports show.
OWN = "psi=0A fex=1d9/St5fFTw model=HomeView1,1"


@pytest.mark.parametrize(
    ("raop_text", "airplay_text", "manufacturer"),
    [
        ("et=0,3,5", OWN, "Apple"),
        (None, OWN, "Apple"),
        ("et=0,3,5 am=HomeView1,1", f"{OWN} osvers=27.1", "Apple"),
        ("et=0,3,5", f"{OWN} fv=p20.1", None),
        ("et=0,3,5 fv=p20.1", OWN, None),
        ("et=0,3,5", f"{OWN} manufacturer=Sonos", "Sonos"),
        ("et=0,4", OWN, None),
        ("et=0,1", OWN, None),
        ("et=0,3,5", "psi=0A model=HomeView1,1", None),
        # shairport-sync has the keys, but not the name of a model.
        ("et=0,3,5", "psi=0A fex=1d9/St5fFTw model=ShairportSync", None),
        ("et=0,3,5", "fex=0A model=HomeView1,1", None),
        ("et=0,3,5", f"{OWN} rmodel=PC1,1", None),
    ],
)
def test_new_models_of_apple_are_known_by_their_keys(
    raop_text: str | None, airplay_text: str, manufacturer: str | None
) -> None:
    record = None if raop_text is None else raop(raop_text)

    found = merge(record, airplay(airplay_text))

    assert found.manufacturer == manufacturer
    features = 1 << 48 | 1 << 41 | 1 << 40 | 1 << 9
    richer = merge(record, airplay(f"{airplay_text} features={features}"))
    is_apples = manufacturer == "Apple"
    assert (LaneKind.AIRPLAY2_BUFFERED in richer.lanes) is not is_apples


@pytest.mark.parametrize(
    ("raop_text", "airplay_text", "manufacturer"),
    [
        # Apple TV 3 with its last software
        ("am=AppleTV3,2 vs=220.68 et=0,3,5 ft=0x5A7FFFF7,0xE", None, "Apple"),
        (None, "model=AppleTV3,1 srcvers=220.68 features=0x5A7FFFF7,0xE", "Apple"),
        ("am=AppleTV3,2 vs=220.68 et=0,3,5", None, "Apple"),
        ("am=AppleTV3,2 vs=220.68 ft=0x5A7FFFF7,0x1", None, "Apple"),
        ("am=AppleTV3,2 vs=200.54 et=0,3,5 ft=0x5A7FFFF7", None, "Apple"),
        ("am=AppleTV5,3 vs=366.75.2 ft=0x5A7FFFF7,0x155FDE", None, "Apple"),
        # UxPlay
        ("am=AppleTV3,2 vs=220.68 et=0,3,5 ft=0x527FFEE6,0x0", None, None),
        (None, "model=AppleTV3,2 srcvers=220.68 features=0x527FFEE6,0x0", None),
        # EZCast, AirServer
        ("am=AppleTV3,2 vs=220.68 rmodel=EZAir1,1 ft=0x0A7FCE40", None, None),
        ("am=AppleTV3,2 vs=190.9 rmodel=EZAir1,1", None, None),
        (None, "model=AppleTV5,3 srcvers=220.68 features=0x4A7FFFF7,0xE", None),
    ],
)
def test_programs_that_claim_to_be_an_apple_tv_are_none(
    raop_text: str | None, airplay_text: str | None, manufacturer: str | None
) -> None:
    found = merge(
        None if raop_text is None else raop(raop_text),
        None if airplay_text is None else airplay(airplay_text),
    )

    assert found.manufacturer == manufacturer


def test_model_comes_from_airplay_first() -> None:
    found = merge(raop("am=AppleTV3,1"), airplay("model=AppleTV3,2"))

    assert found.model == "AppleTV3,2"


def test_a_receiver_may_have_no_model() -> None:
    assert merge(raop(), None).model is None


@pytest.mark.parametrize(
    ("raop_text", "airplay_text", "firmware"),
    [
        ("fv=r ov=o vs=v", "fv=a osvers=b srcvers=c", "a"),
        ("fv=r ov=o vs=v", "osvers=b srcvers=c", "b"),
        ("fv=r ov=o vs=v", "srcvers=c", "r"),
        ("ov=o vs=v", "srcvers=c", "o"),
        ("vs=v", "srcvers=c", "c"),
        ("vs=v", "", "v"),
        ("", "", None),
    ],
)
def test_firmware_is_the_most_specific_version(
    raop_text: str, airplay_text: str, firmware: str | None
) -> None:
    assert merge(raop(raop_text), airplay(airplay_text)).firmware == firmware


def test_keys_are_read_in_any_case() -> None:
    assert merge(raop("TP=TCP"), None).obstacle is Obstacle.TCP_ONLY


@given(SERVICES, SERVICES, st.sampled_from(["both", "raop", "airplay"]))
def test_every_property_has_a_value_for_any_records(
    first: Service, second: Service, seen: str
) -> None:
    found = merge(
        None if seen == "airplay" else first, None if seen == "raop" else second
    )

    for name in dir(Receiver):
        if not name.startswith("_"):
            getattr(found, name)
    assert bool(found.lanes) is (found.obstacle is None)
