"""The bus: everybody sees everything, the slow are told what they lost, nobody is waited for."""

import asyncio
from datetime import UTC, datetime
from threading import Thread

import anyio
import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ourcli.common.events import Event, EventsLost, ProgressMade
from ourcli.core.bus import Bus, Subscription
from tests.promises import promise

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 22, tzinfo=UTC)


def event(number: int) -> ProgressMade:
    return ProgressMade(at=AT, task="t", done=number, total=None, unit="n")


def number(received: Event) -> int:
    assert isinstance(received, ProgressMade)
    return received.done


async def collect(subscription: Subscription) -> list[Event]:
    return [received async for received in subscription]


def test_a_bus_needs_room_for_one_event() -> None:
    with pytest.raises(ValueError, match="capacity must be at least 1"):
        Bus(capacity=0)


@promise("core.bus.broadcast")
async def test_every_subscriber_sees_every_event_since_it_subscribed() -> None:
    bus = Bus()
    early = bus.subscribe()
    bus.emit(event(1))
    late = bus.subscribe()
    bus.emit(event(2))
    bus.close()
    assert [number(one) for one in await collect(early)] == [1, 2]
    assert [number(one) for one in await collect(late)] == [2]


@promise("core.bus.lag")
async def test_a_slow_subscriber_loses_the_oldest_and_is_told_how_many() -> None:
    bus = Bus(capacity=3)
    slow = bus.subscribe()
    for one in range(10):
        bus.emit(event(one))
    bus.close()
    lost, *rest = await collect(slow)
    assert lost == EventsLost(at=AT, count=7)
    assert [number(one) for one in rest] == [7, 8, 9]


@promise("core.bus.lag")
@given(st.integers(1, 5), st.lists(st.booleans(), max_size=60))
def test_received_and_lost_events_are_all_that_were_emitted_in_order(capacity: int, moves: list[bool]) -> None:
    bus = Bus(capacity)
    subscription = bus.subscribe()
    emitted, place = 0, 0
    for emits in [*moves, *[False] * (capacity + 1)]:
        if emits:
            bus.emit(event(emitted))
            emitted += 1
            continue
        received = subscription.receive_nowait()
        if isinstance(received, EventsLost):
            place += received.count
        elif received is not None:
            assert number(received) == place
            place += 1
    assert place == emitted


@promise("core.bus.threads")
async def test_events_from_other_threads_wake_a_waiting_subscriber() -> None:
    bus = Bus(capacity=10_000)
    subscriptions = [bus.subscribe() for _ in range(3)]
    received: list[list[Event]] = [[] for _ in subscriptions]

    async def receive(place: int) -> None:
        received[place] = await collect(subscriptions[place])

    def emit_some() -> None:
        for one in range(500):
            bus.emit(event(one))

    def emit_all() -> None:
        threads = [Thread(target=emit_some) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bus.close()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for place in range(3):
                tasks.start_soon(receive, place)
            await anyio.wait_all_tasks_blocked()
            await anyio.to_thread.run_sync(emit_all)

    assert [len(events) for events in received] == [2000] * 3


async def test_closing_the_bus_ends_a_waiting_subscriber() -> None:
    bus = Bus()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(collect, bus.subscribe())
            await anyio.wait_all_tasks_blocked()
            bus.close()


async def test_closing_a_subscription_ends_its_receiver_and_nobody_else_s() -> None:
    bus = Bus()
    other = bus.subscribe()
    with anyio.fail_after(5), bus.subscribe() as closing:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(collect, closing)
            await anyio.wait_all_tasks_blocked()
            closing.close()
    bus.emit(event(1))
    assert other.receive_nowait() == event(1)
    assert closing.receive_nowait() is None


async def test_an_event_after_the_close_is_dropped() -> None:
    bus = Bus()
    subscription = bus.subscribe()
    bus.close()
    bus.emit(event(1))
    assert await collect(subscription) == []


def test_a_receiver_whose_loop_has_ended_is_no_trouble() -> None:
    bus = Bus()

    async def wait_a_moment() -> None:
        with anyio.move_on_after(0.01):
            await bus.subscribe().__anext__()

    asyncio.run(wait_a_moment())
    bus.emit(event(1))
