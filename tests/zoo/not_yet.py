"""What is wrong today, by device; each must fail until it is right, and then go."""

_AIRPLAY_1_FIRST = "AirPlay 1 comes first although the sources name AirPlay 2 alone"
_BUFFERED_FIRST = "a buffered stream comes first although the sources name realtime"
_NO_RECORD = "AirPlay 1 is tried without any record or feature of it"
_NEVER_ASKS = "a song shorter than the wait for proof plays and never ends"
_LEADS = "a receiver that goes on announcing its clock is led, not followed"

NOT_YET: dict[str, str] = {}
_OLD = {
    "Apple HomeView": _LEADS,
    "HomePod gen 2 (27.0), alone": _LEADS,
    "Kodi (audio)": _NEVER_ASKS,
    "LG webOS TV (2018-2023)": _NO_RECORD,
    "Mac mini as receiver (macOS 26)": _AIRPLAY_1_FIRST,
    "Roku (3810X Streambar)": _NO_RECORD,
    "Roku Ultra": _NO_RECORD,
    "Samsung TV 2018 (NU7090)": _BUFFERED_FIRST,
    "Sony Bravia / Google TV (AirPlay 2 TV)": _NO_RECORD,
    "UxPlay": "a receiver of FairPlay only is offered as a speaker",
    "libshairplay": _NEVER_ASKS,
    "nodetunes": _NEVER_ASKS,
    "openairplay AirPlay 2 receiver": (
        "each start waits 1 s for an event port that opens late"
    ),
    "shairport 1.x": _NEVER_ASKS,
}
