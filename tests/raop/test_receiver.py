"""What receivers say of themselves, and what follows from it."""

from hypothesis import given, strategies as st
import pytest

from custom_components.airplay.raop.receiver import (
    Codec,
    Lane,
    Obstacle,
    Receiver,
    Service,
    merge,
    normalise_id,
    receiver_id,
    split_instance,
)

from .records import AIRPLAY, KNOWN, RAOP, Known, txt

EACH_KNOWN = pytest.mark.parametrize(
    "known", [pytest.param(known, id=name) for name, known in KNOWN]
)
RAOP_INSTANCE = "0011AABBCCDD@Kitchen"
MAC = "00:11:AA:BB:CC:DD"
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


def receiver(known: Known) -> Receiver:
    service = known.service()
    return merge(service, None) if known.is_raop else merge(None, service)


def raop(text: str = "", *, instance: str = RAOP_INSTANCE) -> Service:
    return Service(instance, "10.0.0.2", 5000, txt(text))


def airplay(text: str = "", *, instance: str = "Kitchen Speaker") -> Service:
    return Service(instance, "10.0.0.3", 7000, txt(text))


@EACH_KNOWN
def test_codec_of_known_receivers(known: Known) -> None:
    assert receiver(known).codec is known.codec


@EACH_KNOWN
def test_encryption_of_known_receivers(known: Known) -> None:
    assert receiver(known).encrypts is known.encrypts


@EACH_KNOWN
def test_auth_setup_of_known_receivers(known: Known) -> None:
    assert receiver(known).needs_auth_setup is known.auth_setup


@EACH_KNOWN
def test_password_of_known_receivers(known: Known) -> None:
    assert receiver(known).needs_password is known.password


@EACH_KNOWN
def test_pairing_of_known_receivers(known: Known) -> None:
    assert receiver(known).needs_pairing is known.pairing


@EACH_KNOWN
def test_first_express_among_known_receivers(known: Known) -> None:
    assert receiver(known).is_first_express is known.first_express


@EACH_KNOWN
def test_metadata_of_known_receivers(known: Known) -> None:
    found = receiver(known)
    takes = {
        "text": found.takes_text,
        "artwork": found.takes_artwork,
        "progress": found.takes_progress,
    }

    assert {kind for kind, taken in takes.items() if taken} == known.shows


@EACH_KNOWN
def test_obstacle_of_known_receivers(known: Known) -> None:
    assert receiver(known).obstacle is known.obstacle


@EACH_KNOWN
def test_lanes_of_known_receivers(known: Known) -> None:
    expected = () if known.obstacle else known.lanes

    assert receiver(known).lanes == expected


def test_a_maker_that_is_poor_at_raop_is_played_to_by_airplay_2_first() -> None:
    txt = "features=0x445F8A00,0x1C340"
    samsung = merge(raop(), airplay(f"manufacturer=Samsung {txt}"))
    old = merge(raop(), airplay(f"manufacturer=Sonos model=One {txt}"))
    new = Service("Den", "h", 7000, {**old.airplay.txt, "model": "Era 100"})  # type: ignore[union-attr]

    assert samsung.lanes[0] is merge(raop(), new).lanes[0] is Lane.AIRPLAY2_REALTIME
    assert samsung.lanes[-1] is Lane.RAOP
    assert old.lanes[0] is Lane.RAOP


@EACH_KNOWN
def test_maker_of_known_receivers(known: Known) -> None:
    assert receiver(known).manufacturer == known.manufacturer


@EACH_KNOWN
def test_firmware_of_known_receivers(known: Known) -> None:
    assert receiver(known).firmware == known.firmware


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
        ("sf=0x80", "flags=0x4", False),
    ],
)
def test_a_password_is_said_in_words_or_flags(
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
def test_pairing_is_said_in_flags(flags: str, needs: bool) -> None:
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
        (None, "features=0x200", Obstacle.AIRPLAY2_ONLY),
        (None, "", Obstacle.AIRPLAY2_ONLY),
        (None, "features=0x40000200", None),
        (None, "features=0x40000200 acl=1", Obstacle.HOME_ONLY),
    ],
)
def test_obstacles_are_told_apart(
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
def test_firmware_is_the_most_telling_version(
    raop_text: str, airplay_text: str, firmware: str | None
) -> None:
    assert merge(raop(raop_text), airplay(airplay_text)).firmware == firmware


def test_keys_are_read_in_any_case() -> None:
    assert merge(raop("TP=TCP"), None).obstacle is Obstacle.TCP_ONLY


def test_two_records_make_one_receiver() -> None:
    first, second = raop("et=0,4"), airplay(f"deviceid={MAC}")

    found = merge(first, second)

    assert (found.id, found.name) == ("0011aabbccdd", "Kitchen Speaker")
    assert (found.host, found.port) == ("10.0.0.2", 5000)
    assert (found.raop, found.airplay) == (first, second)


def test_a_raop_record_alone_makes_a_receiver() -> None:
    found = merge(raop(), None)

    assert (found.id, found.name) == ("0011aabbccdd", "Kitchen")
    assert (found.host, found.port) == ("10.0.0.2", 5000)


def test_an_airplay_record_alone_makes_a_receiver() -> None:
    found = merge(None, airplay(f"deviceid={MAC}"))

    assert (found.id, found.name) == ("0011aabbccdd", "Kitchen Speaker")
    assert (found.host, found.port) == ("10.0.0.3", 7000)


def test_no_record_makes_no_receiver() -> None:
    with pytest.raises(ValueError, match="at least one service"):
        merge(None, None)


def test_a_receiver_without_records_has_no_port() -> None:
    assert Receiver("id", "name", "host", None, None).port == 0


@pytest.mark.parametrize(
    ("first", "second", "identity"),
    [
        (raop(), airplay("deviceid=FF:FF:FF:FF:FF:FF"), "0011aabbccdd"),
        (raop(instance="Kitchen"), airplay(f"deviceid={MAC}"), "0011aabbccdd"),
        (raop("pk=abc", instance="Kitchen"), None, "abc"),
        (raop("pk=abc", instance="Kitchen"), airplay("deviceid=junk"), "abc"),
        (raop(instance="Kitchen"), None, "Kitchen"),
        (None, airplay("pk=abc"), "abc"),
        (None, airplay(), "Kitchen Speaker"),
    ],
)
def test_identity_falls_back_to_what_is_known(
    first: Service | None, second: Service | None, identity: str
) -> None:
    assert merge(first, second).id == identity


def test_a_name_that_is_empty_falls_back_to_the_instance() -> None:
    assert merge(raop(instance="0011AABBCCDD@"), None).name == "0011AABBCCDD@"


def test_an_airplay_record_without_a_name_leaves_the_raop_name() -> None:
    assert merge(raop(), airplay(instance="")).name == "Kitchen"


def test_both_records_of_a_receiver_have_one_identity() -> None:
    first = receiver_id(raop(), is_raop=True)
    second = receiver_id(airplay(f"deviceid={MAC}"), is_raop=False)

    assert first == second == "0011aabbccdd"


def test_known_receivers_with_records_of_both_kinds_stay_known() -> None:
    found = merge(RAOP["Apple TV 3"].service(), AIRPLAY["Apple TV 3"].service())

    assert found.needs_password
    assert found.lanes == (Lane.RAOP,)


@pytest.mark.parametrize(
    ("instance", "parts"),
    [
        ("0011AABBCCDD@Kitchen", ("0011aabbccdd", "Kitchen")),
        ("0011AABBCCDD@me@home.local", ("0011aabbccdd", "me@home.local")),
        ("me@home", (None, "me@home")),
        ("0011AABBCCDD", (None, "0011AABBCCDD")),
        ("@", (None, "@")),
    ],
)
def test_instances_are_split_at_the_first_at(
    instance: str, parts: tuple[str | None, str]
) -> None:
    assert split_instance(instance) == parts


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        (MAC, "0011aabbccdd"),
        ("00-11-aa-bb-cc-dd", "0011aabbccdd"),
        ("0011AABBCCD", None),
        ("0011AABBCCDDE", None),
        ("0011AABBCCDG", None),
        ("", None),
    ],
)
def test_identities_are_twelve_hex_digits(text: str, identity: str | None) -> None:
    assert normalise_id(text) == identity


@given(SERVICES, SERVICES, st.sampled_from(["both", "raop", "airplay"]))
def test_every_question_has_an_answer_whatever_records_say(
    first: Service, second: Service, seen: str
) -> None:
    found = merge(
        None if seen == "airplay" else first, None if seen == "raop" else second
    )

    for name in dir(Receiver):
        if not name.startswith("_"):
            getattr(found, name)
    assert bool(found.lanes) is (found.obstacle is None)


@given(st.binary(min_size=6, max_size=6), st.text(min_size=1), st.text(min_size=1))
def test_records_of_one_receiver_always_share_its_identity(
    mac: bytes, name: str, other_name: str
) -> None:
    first = raop(instance=f"{mac.hex().upper()}@{name}")
    second = Service(other_name, "h", 1, {"deviceid": mac.hex(":")})

    assert receiver_id(first, is_raop=True) == receiver_id(second, is_raop=False)
    assert merge(first, second).id == mac.hex()


@pytest.mark.parametrize(
    ("features", "port"), [("0x5A7FFFF7,0xE", 5000), ("0x5A7FDFD5,0x3C155FDE", 7000)]
)
def test_port_of_pairing_is_that_of_the_newer_protocol_where_it_is_spoken(
    features: str, port: int
) -> None:
    raop = Service("0A0B0C0D0E01@Den", "10.0.0.7", 5000, {"tp": "UDP"})
    airplay = Service("Den", "10.0.0.7", 7000, {"features": features})

    known = merge(raop, airplay)

    assert known.pairing_port == port
    assert known.takes_airplay2 is (port == 7000)
    assert merge(raop, None).pairing_port == 5000


@pytest.mark.parametrize(
    ("said", "pair_id", "title", "leads"),
    [
        ("tsid=AB-1 gpn=Den flags=0x1a404", "ab-1", "Den", True),
        ("tsid=AB-1 gpn=Den flags=0x18404", "ab-1", "Den", False),
        ("tsid=AB-1 flags=0x2000", "ab-1", "Kitchen Speaker", True),
        ("gpn=TV flags=0x2000", None, "Kitchen Speaker", False),
        ("tsid= gpn=Den flags=nonsense", None, "Kitchen Speaker", False),
        ("", None, "Kitchen Speaker", False),
    ],
)
def test_stereo_pair_is_told_by_its_id(
    said: str, pair_id: str | None, title: str, *, leads: bool
) -> None:
    found = merge(None, airplay(said))

    assert found.pair_id == pair_id
    assert found.pair_name == (title if title == "Den" else None)
    assert found.title == title
    assert found.leads_pair is leads
