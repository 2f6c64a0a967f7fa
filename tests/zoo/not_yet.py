"""What is wrong today, by device; each must fail until it is right, and then go."""

_AIRPLAY_1_FIRST = "AirPlay 1 comes first although the sources name AirPlay 2 alone"
_NO_RECORD = "AirPlay 1 is tried without any record or feature of it"
_NEVER_ASKS = "a receiver that never asks for the time is cut off as silent"
_LEADS = "a receiver that goes on announcing its clock is led, not followed"
_RAOP_SILENT = "AirPlay 1 comes first, asks for the time, and is silent"

NOT_YET: dict[str, str] = {
    "Apple HomeView": _LEADS,
    "Apple TV 4K gen 3 (tvOS 27)": _AIRPLAY_1_FIRST,
    "B&W Zeppelin (2021)": "an unanswered SETUP costs more than 3 s",
    "Edifier MS50A (old LinkPlay)": "the depth stays below its Audio-Latency",
    "HomePod gen 2 (27.0), alone": _LEADS,
    "Kodi (audio)": _NEVER_ASKS,
    "LG webOS TV (2018-2023)": _NO_RECORD,
    "Mac mini as receiver (macOS 26)": _AIRPLAY_1_FIRST,
    "Marshall Woburn Multi-Room (Frontier, AirPlay 1)": (
        "a code is asked for by the flags of AirPlay 2, which it does not speak"
    ),
    "Roku (3810X Streambar)": _NO_RECORD,
    "Roku Ultra": _NO_RECORD,
    "Samsung Music Frame HW-LS60D": _RAOP_SILENT,
    "Samsung TV / Frame (377.25-377.40)": "NTP is never tried",
    "Samsung soundbar HW-Q/S series (S61A, S801B, Q935, Q990)": _RAOP_SILENT,
    "Sony Bravia / Google TV (AirPlay 2 TV)": f"{_NO_RECORD}, and NTP is never tried",
    "UxPlay": "a receiver of FairPlay only is offered as a speaker",
    "WiiM Pro": _AIRPLAY_1_FIRST,
    "Yamaha RX-V773": "it is never tried without /auth-setup",
    "libshairplay": _NEVER_ASKS,
    "nodetunes": _NEVER_ASKS,
    "openairplay AirPlay 2 receiver": (
        "the flow proves access by AirPlay 1 alone, whose SETUP fails"
    ),
    "shairport 1.x": _NEVER_ASKS,
}
