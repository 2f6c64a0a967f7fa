"""Deviations of a virtual receiver from a well-behaved one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
import json

from tests.virtual_receiver.network.rtsp import Request

ALL = "*"


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction to a request that is not handled, except that an answer may be late."""

    status: int | None = None
    hangs_up: bool = False
    is_garbage: bool = False
    late_s: float = 0.0
    """Seconds until the request is handled as usual; 0 for never."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """Faults and oddities of a receiver; the defaults are shairport-sync's manners."""

    # RTSP: replies
    refuse: Mapping[str, int] = field(default_factory=dict)
    """Status answered to a method, for example {"ANNOUNCE": 453}."""
    refuse_as_200: frozenset[str] = frozenset()
    """Methods refused with 200 and nothing in it, as shairport-sync does when busy."""
    unanswered: frozenset[str] = frozenset()
    """Methods that are read and never answered; "*" means all."""
    garbage_reply: frozenset[str] = frozenset()
    """Methods answered with bytes that are not RTSP."""
    endless_headers: frozenset[str] = frozenset()
    """Methods answered with header lines that do not end."""
    reply_delay_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds between handling a method and answering it."""
    setup_delay_s: float = 0.0
    """Seconds before a SETUP is handled at all."""
    byte_by_byte: bool = False
    """Send each byte of a reply as a separate TCP segment."""
    wrong_cseq: bool = False
    """Answer with another CSeq than asked, as Airfoil and Reflector do."""
    leading_crlf: bool = False
    """Begin GET_PARAMETER bodies with an empty line, as shairport-sync 5.1 does."""
    zero_timing_port: bool = False
    """Send timing_port=0 in the SETUP reply, as Apple TV 4 and HomePod do."""

    react: Callable[[Request], Reaction | None] | None = None
    """Return how it reacts to a request in place of the usual, if it does."""
    rewrite: Callable[[str, bytes], bytes] | None = None
    """Return other bytes for the reply to a method, as in `network.habits`."""

    # RTSP: connection
    drop_at: str | None = None
    """Close the connection when this method or path arrives, without an answer."""
    drop_after_s: float | None = None
    """Close the connection this long after RECORD."""
    idle_close_s: float | None = None
    """Close the connection after this long without audio; 120 in 3.3.8."""
    takes_over: bool = True
    """Let a second sender's ANNOUNCE end the first one's session; else 453."""

    # AirPlay 1, on receivers that may do better by AirPlay 2
    raop_refuse: Mapping[str, int] = field(default_factory=dict)
    """Status answered to a method of AirPlay 1 alone, for example {"RECORD": 500}."""
    raop_unanswered: frozenset[str] = frozenset()
    """Methods of AirPlay 1 alone that are read and never answered (Bose: SETUP)."""
    raop_accepted_and_silent: bool = False
    """Answer 200 to all of AirPlay 1 and play nothing (HomePod 27, Samsung, Sonos)."""
    raop_audio_latency_ms: int = 0
    """The Audio-Latency of RECORD; packets that come with less to spare are late."""
    record_waits_for_time: bool = False
    """Answer RECORD only after a timing request was answered, or after 10 s."""
    plays_by_arrival: bool = False
    """Play packets as they come and never ask for the time, as libshairplay does."""
    needs_rsa: bool = False
    """Refuse an ANNOUNCE without a key, as receivers of unencrypted audio never do."""
    needs_rsa_status: int = 400
    """Status of that refusal; 0 closes the connection without an answer."""

    # authentication
    uppercase_digest: bool = False
    """Accept only upper-case digests, as the first AirPort Express does."""
    digest_extra: str = ""
    """Appended to the challenge, for example a qop and an opaque of RFC 2617."""
    digest_user: str | None = None
    """The only user name whose digest is accepted; None for any."""
    requires_auth_setup: bool = False
    """Answer 403 to ANNOUNCE before POST /auth-setup."""
    auth_setup_status: int = 200
    """Status answered to POST /auth-setup."""
    auth_setup_silences: bool = False
    """Play nothing, and ask for no time, once /auth-setup was answered (RX-V773)."""

    # pairing
    back_off_after: int = 0
    """Wrong codes after which HomeKit pairing asks for a pause; 0 for never."""
    back_off_s: int = 30
    """Seconds of that pause, as sent."""
    refuse_proofs_s: int = 0
    """Seconds of a pause that HomeKit pairing asks for at each proof; 0 for none."""
    max_wrong_codes: int = 0
    """Wrong codes after which HomeKit pairing is over; 0 for never."""

    pairs_with_one: bool = False
    """Answer "busy" to a sender while another one pairs."""
    hides_pin_without_client_name: bool = False
    """Show the code only to senders with X-Apple-Client-Name, as tvOS 27 does."""
    pin_start_status: int = 200
    """Status answered to /pair-pin-start, also if the code is shown; 453 in tvOS 27."""

    # /info
    info_needs_airplay_user_agent: bool = False
    """Answer 403 to other senders than AirPlay's, as software 27 does."""
    info_has_txt_on_request: bool = False
    """Add the records that the request names to the answer, as HomePods do."""

    # volume
    ignores_volume: bool = False
    """Answer 200 to a volume and keep the old one."""
    forgets_early_volume: bool = False
    """Lose a volume set before RECORD."""
    forgets_silent_volume: bool = False
    """Lose a volume set before the session's first frame was played."""
    volume_status: int = 200
    """Status answered to a volume; others than 200 leave it as it was."""
    volume_unanswered: bool = False
    """Read a volume, leave it as it was, and never answer."""
    volume_steps: int = 0
    """Percent of a step to which volumes are rounded down; 20 on the OD-11."""
    reported_volume_db: float | None = None
    """Answer this to GET_PARAMETER volume, whatever the volume is."""

    # packets that come in
    loss: float = 0.0
    """Share of audio packets thrown away, also of those sent again."""
    burst_loss_every: int = 0
    """Begin a burst of losses every so many packets; 0 for never."""
    burst_loss_length: int = 0
    """Packets lost in one burst."""
    jitter_s: float = 0.0
    """Audio and sync packets are delayed by up to this many seconds."""
    jitter_rarity: float = 1.0
    """How much rarer long delays are: 1 for all alike, 8 for queues that seldom fill."""
    jitters_timing: bool = False
    """Delay timing requests and their answers too, each on its own."""
    seed: int = 1
    """Seed of everything random."""
    drops_audio_before_sync: bool = False
    """Throw audio away until a sync packet was accepted, instead of keeping it."""
    mutes_first_packets: int = 0
    """Packets played as silence after each start and FLUSH; 9 in 3.3.8."""
    forgets_flush_point: bool = False
    """Accept frames older than the last FLUSH, as 5.1 does and 3.3.8 does not."""

    # packets that go out
    asks_resends: bool = True
    """Ask for lost packets."""
    ask_received_every: int = 0
    """Ask for every n-th packet although it was received; 0 for never."""
    ask_burst: int = 0
    """Ask once a second for this many of the last packets."""
    ask_never_sent: bool = False
    """Ask once a second for sequence numbers that were never sent."""
    asks_time: bool = True
    """Send timing requests."""
    asks_time_after_s: float = 0.0
    """Seconds from the beginning of the stream to the first of them."""
    timing_copies: int = 1
    """How often each timing request is sent."""
    stamps_time: bool = False
    """Stamp timing requests with its own time; shairport-sync stamps them with filler."""

    # AirPlay 2: offered features (bits 38, 40, 41 and 48)
    encrypts_control: bool = True
    """Announce feature 38; without it and 48 a sender treats us as AirPlay 1."""
    takes_buffered: bool = True
    """Announce feature 40; without it a stream of type 103 is answered 400."""
    takes_ptp: bool = True
    """Announce feature 41; without it SETUP with PTP is answered 400."""
    takes_ntp: bool = True
    """Play with NTP timing; else SETUP with it is 200 and empty, as 5.1 does."""

    # AirPlay 2: control
    setup_wants_digest: bool = False
    """Ask for the password by a 401 on SETUP, as HomePods do, and pair with 3939."""
    needs_record_first: bool = False
    """Stay silent when RECORD comes after the stream's SETUP, as Samsung does."""
    needs_events_first: bool = False
    """Answer 500 to a stream's SETUP before the event channel is connected (Apple TV)."""
    needs_metadata: bool = False
    """Stay silent until metadata came, as Sonos does."""
    anchor_needs_clock: bool = False
    """Answer 400 to an anchor before the clock is measured (Sonos, WiiM)."""
    sends_update_info: bool = True
    """Send `updateInfo` on the event channel as soon as it is connected."""
    closes_event_port: bool = False
    """Name an event port on which nothing listens."""
    event_port_opens_after_s: float = 0.0
    """Seconds from the SETUP reply until the event port listens; it refuses before."""
    drops_event_syn: bool = False
    """Never react to a connection to the event port, as behind a firewall."""
    ntp_stream_setup_400: bool = False
    """Accept a session with NTP timing, and answer 400 to its stream (HomePod 27)."""
    ntp_accepted_and_silent: bool = False
    """Accept NTP timing, ask for no time, and play nothing (Samsung's soundbars)."""
    refuses_bare_rate: bool = False
    """Answer 400 to a rate of 1 without the frame and time of an anchor."""

    # AirPlay 2: clock and buffer
    follows_ptp: bool = True
    """Follow the sender's clock; else PTP packets are read and ignored."""
    keeps_own_clock: bool = False
    """Follow no clock and send an own one, as a single HomePod with software 27."""
    probes_while_leading: bool = False
    """Measure the path to the sender although the own clock is kept (HomePod 27)."""
    announces_until_ours: bool = False
    """Announce an own clock three times in 0.4 s, and follow then (grouped HomePod)."""
    late_syncs: bool = False
    """Delay the clock's messages by 3 ms and up to 24 ms more, each on its own, and put
    up to 0.1 s of a departure's time into the correction (HomePod 27, busy Wi-Fi)."""
    delay_req_needs_profile: bool = False
    """Answer the sender's Delay_Req only with the profile number of 802.1AS in it, and
    with a useless time (HomePod 27); a clock that is kept answers others too."""
    ptp_settle_s: float = 0.4
    """Seconds a clock must be the master before anything plays; nqptp's 0.4."""
    claims_clock: bool = True
    """Answer an Announce with two of its own, as nqptp does and no other receiver."""
    sends_delay_req: bool = False
    """Measure the path to the sender and back, once a second (Sonos, WiiM)."""
    delay_req_after_s: float = 1.05
    """Seconds from the stream's SETUP to the first of these."""
    starves_below_ms: int = 0
    """Realtime packets that come with less to spare are not played (LinkPlay)."""
    buffer_bytes: int = 8 * 1024 * 1024
    """Bytes of buffered audio that are accepted before the sender must wait."""
    loses_on_pause_s: float = 0.0
    """Sound lost by rate 0, from audio that has not played yet; 0.85 in 5.1."""

    def applies(self, methods: frozenset[str], method: str) -> bool:
        """Return whether a set of methods contains one."""
        return method in methods or ALL in methods


# measured: differences between the two versions of shairport-sync
SHAIRPORT_5_1 = Quirks(leading_crlf=True, forgets_flush_point=True)
SHAIRPORT_5_1_AIRPLAY_2 = Quirks(
    leading_crlf=True,
    forgets_flush_point=True,
    takes_ntp=False,
    loses_on_pause_s=0.85,
)
SHAIRPORT_3_3_8 = Quirks(mutes_first_packets=9, idle_close_s=120.0)


def parse_quirks(assignments: list[str]) -> Quirks:
    """Read quirks from the command line's NAME=VALUE texts."""
    known = {item.name for item in fields(Quirks)}
    values: dict[str, object] = {}
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name not in known:
            raise ValueError(f"no such quirk: {name}")
        values[name] = _value(text, getattr(Quirks(), name))
    return Quirks(**values)  # type: ignore[arg-type]


def _value(text: str, default: object) -> object:
    """Read a value as JSON, or as the type of the field's default."""
    if isinstance(default, frozenset):
        return frozenset(part for part in text.split(",") if part)
    try:
        return json.loads(text or "true")
    except ValueError:
        return text
