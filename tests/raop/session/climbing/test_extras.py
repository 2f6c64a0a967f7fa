"""What is learned about requests that sound does not need."""

from custom_components.airplay.raop.session.climbing.extras import Extra, Omissions


def test_an_extra_is_left_out_once_it_ended_a_connection() -> None:
    omissions = Omissions()

    assert Extra.VOLUME not in omissions
    assert omissions.leave_out(Extra.VOLUME)
    assert Extra.VOLUME in omissions
    assert Extra.TEXT not in omissions
    assert not omissions.leave_out(Extra.VOLUME)


def test_nothing_counts_against_an_extra_that_was_answered() -> None:
    omissions = Omissions()
    omissions.answer(Extra.VOLUME, is_answered=True)

    assert not omissions.leave_out(Extra.VOLUME)
    assert Extra.VOLUME not in omissions


def test_a_refusal_is_new_once() -> None:
    omissions = Omissions()

    assert [omissions.refuse(Extra.FLUSH) for _ in range(2)] == [True, False]
    assert omissions.refuse(Extra.TEXT)


def test_an_answer_that_did_not_come_is_awaited_no_more_until_one_comes() -> None:
    omissions = Omissions()
    seen = [omissions.is_awaited(Extra.FLUSH)]
    for is_answered in (False, True):
        omissions.answer(Extra.FLUSH, is_answered=is_answered)
        seen.append(omissions.is_awaited(Extra.FLUSH))

    assert seen == [True, False, True]


def test_a_copy_knows_the_same_and_changes_on_its_own() -> None:
    known = Omissions()
    known.leave_out(Extra.VOLUME)
    known.refuse(Extra.TEXT)
    known.answer(Extra.FLUSH, is_answered=False)
    known.answer(Extra.INFO, is_answered=True)

    copied = known.copy()
    copied.leave_out(Extra.ARTWORK)

    assert Extra.VOLUME in copied
    assert not copied.refuse(Extra.TEXT)
    assert not copied.is_awaited(Extra.FLUSH)
    assert not copied.leave_out(Extra.INFO)
    assert Extra.ARTWORK not in known
