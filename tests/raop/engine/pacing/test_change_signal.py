"""Coroutines that wait for changes made by other threads."""

import asyncio
import threading

from custom_components.airplay.raop.engine.net import clock
from custom_components.airplay.raop.engine.pacing.change_signal import ChangeSignal

MS = 1_000_000
FAR_NS = 10_000 * MS


async def test_notification_from_another_thread_wakes_all_that_wait() -> None:
    signal, facts = ChangeSignal(), list[str]()
    until_ns = clock.now_ns() + FAR_NS
    waiting = [
        asyncio.create_task(signal.wait_for(lambda: bool(facts), until_ns))
        for _ in range(3)
    ]
    await asyncio.sleep(0)

    def change() -> None:
        facts.append("true")
        signal.notify_threadsafe()

    thread = threading.Thread(target=change)
    thread.start()

    async with asyncio.timeout(5):
        assert await asyncio.gather(*waiting) == [True, True, True]
    thread.join()


async def test_notification_without_the_fact_keeps_it_waiting() -> None:
    signal = ChangeSignal()
    looks = list[int]()

    def is_true() -> bool:
        looks.append(1)
        return False

    waiting = asyncio.create_task(signal.wait_for(is_true, clock.now_ns() + 50 * MS))
    await asyncio.sleep(0)
    signal.notify()

    assert not await waiting
    assert 3 <= len(looks) <= 4


async def test_wait_ends_at_its_instant_and_not_before() -> None:
    signal = ChangeSignal()
    until_ns = clock.now_ns() + 30 * MS

    await signal.wait(until_ns)

    assert abs(clock.now_ns() - until_ns) < 500 * MS
    assert clock.now_ns() > until_ns - MS


async def test_fact_that_is_true_already_is_not_waited_for() -> None:
    signal = ChangeSignal()

    assert await signal.wait_for(lambda: True, 0)
    assert not await signal.wait_for(lambda: False, 0)


async def test_cancelled_waiter_is_forgotten() -> None:
    signal = ChangeSignal()
    waiting = asyncio.create_task(signal.wait())
    await asyncio.sleep(0)

    waiting.cancel()
    await asyncio.wait([waiting])
    signal.notify()

    assert waiting.cancelled()
    assert not signal._waiting


def test_notification_after_the_loop_has_ended_does_no_harm() -> None:
    async def make() -> ChangeSignal:
        return ChangeSignal()

    asyncio.run(make()).notify_threadsafe()
