"""The sentences of the doctor: what is wrong, and the one thing to do.

The only list of them. Home Assistant's translations and the page for troubleshooting
have the same codes, and the English sentences of the former are these.
"""

from ...diagnosis import DiagnosisCode as Code

# `{name}` is the receiver, `{detail}` an address, a port, or a request with its status.
SENTENCES: dict[Code, str] = {
    Code.OK: "{name} accepts audio and shows that it plays: there is nothing to do.",
    Code.UNCONFIRMED: (
        "{name} accepts audio, but receivers of its kind do not show whether they play: "
        "if it is silent, check its volume and its input."
    ),
    Code.ONE_WAY: (
        "{name} reaches this machine by UDP, but asked for none of the packets that were "
        "left out: if it is silent, let UDP through the firewall in both directions."
    ),
    Code.POOR_LINK: (
        "{name} loses too many packets ({detail}): move it closer to the access point, "
        "or connect it by cable."
    ),
    Code.NAME_UNKNOWN: (
        "The name of {name} has no address ({detail}): enter its IP address instead."
    ),
    Code.NO_ROUTE: (
        "This machine has no route to {name} ({detail}): connect both to the same "
        "network, or add a route between their networks."
    ),
    Code.OFFLINE: (
        "{name} does not answer ({detail}): turn it on, and connect it to the network."
    ),
    Code.TCP_BLOCKED: (
        "A device answers at the address of {name}, but connections to its port are "
        "dropped ({detail}): let this TCP port through the firewall."
    ),
    Code.PORT_CLOSED: (
        "A device answers at the address of {name}, but no AirPlay receiver listens "
        "there ({detail}): restart {name}, or enter its current address and port."
    ),
    Code.WRONG_RECEIVER: (
        "Another receiver answers at the address of {name}: enter the current address "
        "of {name}."
    ),
    Code.NOT_UNDERSTOOD: (
        "{name} does not answer as an AirPlay receiver does ({detail}): check its "
        "address and port."
    ),
    Code.MUTE: (
        "{name} accepts the connection, but does not answer ({detail}): disconnect it "
        "from power for a moment."
    ),
    Code.SLOW: (
        "{name} takes too long to answer ({detail}): restart it, and check its network "
        "connection."
    ),
    Code.HANGS_UP: (
        "{name} ends the connection ({detail}): restart it, and update its software."
    ),
    Code.IN_USE: (
        "{name} plays for another sender: stop what plays there, then try again."
    ),
    Code.PASSWORD_REQUIRED: "{name} requires a password: enter it.",
    Code.WRONG_PASSWORD: "{name} does not accept the password: enter the current one.",
    Code.NEEDS_PAIRING: (
        "{name} plays only for senders that are paired: pair with it by its code."
    ),
    Code.PAIRING_LOST: "{name} no longer knows the pairing: pair with it again.",
    Code.LOCKED: (
        "{name} is locked after too many attempts: disconnect it from power for a moment."
    ),
    Code.UNLOCKED: (
        "{name} asks for neither the known password nor the pairing: check that it is "
        "your receiver, then remove the password or the pairing here."
    ),
    Code.HOME_ONLY: (
        "{name} plays only for people in its Apple home: allow speaker access for "
        "everyone on the same network in the Home app."
    ),
    Code.UNSUPPORTED: (
        "{name} offers no method to play audio that is supported ({detail}): use "
        "another receiver."
    ),
    Code.REFUSED: (
        "{name} refuses a request that playing needs ({detail}): restart it, and report "
        "the problem if it stays."
    ),
    Code.PTP_PORTS_TAKEN: (
        "Another program on this machine uses UDP ports 319 and 320, which {name} needs "
        "for its clock ({detail}): stop that program."
    ),
    Code.PTP_NOT_PERMITTED: (
        "This program is not permitted to open UDP ports 319 and 320, which {name} "
        "needs for its clock: run it as root, or with CAP_NET_BIND_SERVICE."
    ),
    Code.PTP_UNAVAILABLE: (
        "This machine cannot open UDP ports 319 and 320, which {name} needs for its "
        "clock ({detail}): check its network."
    ),
    Code.PTP_BLOCKED: (
        "{name} shares no clock with this machine: let UDP ports 319 and 320 through "
        "the firewall in both directions."
    ),
    Code.UDP_PORTS_TAKEN: (
        "{name} needs UDP ports, and other programs use all of the selected range: "
        "select a larger range."
    ),
    Code.SEND_BLOCKED: (
        "This machine does not let audio packets out to {name} ({detail}): let UDP "
        "through its firewall."
    ),
    Code.UDP_BLOCKED: (
        "{name} accepts audio, but no UDP packet arrives from it: let UDP through the "
        "firewall in both directions, or restart {name} if there is none."
    ),
    Code.UDP_PORT_CLOSED: (
        "{name} accepts audio, but does not listen on the port that it names for it: "
        "restart it."
    ),
    Code.OTHER_ADDRESS: (
        "UDP packets arrive from an address that is not known to be one of {name} "
        "({detail}): connect {name} to one network only, or enter that address."
    ),
    Code.SILENT: (
        "{name} accepts audio and receives it, but does not play: restart it, and "
        "update its software."
    ),
    Code.FAILED: "The check of {name} failed ({detail}): report the problem.",
}


def sentence_of(code: Code, name: str, detail: str) -> str:
    """Return the sentence of a verdict about a receiver."""
    return SENTENCES[code].format(name=name, detail=detail or "-")
