"""Who may send to the sockets of a session, and who tried."""

from custom_components.airplay.raop.engine.net.senders import Senders


def test_only_the_addresses_of_the_receiver_are_admitted() -> None:
    senders = Senders(frozenset({"10.0.0.2", "fe80::1"}))

    assert senders.admits("10.0.0.2")
    assert senders.admits("fe80::1%eth0")
    assert not senders.admits("10.0.0.9")
    assert senders.heard == {"10.0.0.2", "fe80::1"}
    assert senders.strangers == {"10.0.0.9"}


def test_a_crowd_of_strangers_costs_no_memory() -> None:
    senders = Senders(frozenset())

    for number in range(1000):
        assert not senders.admits(f"10.0.{number // 250}.{number % 250}")

    assert len(senders.strangers) == 4
