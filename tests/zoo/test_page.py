"""Check that the table of the documentation is that of the data."""

from .device import DEVICES, Clock, Lane, Way
from .page import BEGIN, END, PAGE, method, row, written


def test_page_is_up_to_date() -> None:
    page = PAGE.read_text()

    assert page.count(BEGIN) == page.count(END) == 1
    assert page == written(page), "run: python -m tests.zoo.page"


def test_page_has_every_receiver_once() -> None:
    page = PAGE.read_text()

    assert all(page.count(row(device)) == 1 for device in DEVICES)


def test_old_table_is_replaced() -> None:
    page = f"Above\n{BEGIN}\nold\n{END}\nBelow\n"

    assert written(page).startswith(f"Above\n{BEGIN}\n### ")
    assert written(page).endswith(f"|\n\n{END}\nBelow\n")
    assert "old\n" not in written(page).split(BEGIN)[1][:5]


def test_methods_are_named_as_on_the_screen() -> None:
    assert method(Way(Lane.RAOP, Clock.NTP)) == "AirPlay 1"
    assert (
        method(Way(Lane.REALTIME, Clock.NTP, 1750))
        == "AirPlay 2 realtime (with NTP, at least 1750 ms ahead)"
    )
    assert method(Way(Lane.REALTIME, Clock.PTP_FOLLOW)) == (
        "AirPlay 2 realtime (by its own clock)"
    )
