"""Guests that use up time and stack, or end in odd ways."""

import threading
from functools import partial

import anyio
import psutil  # type: ignore[import-untyped]  # it ships none
import pytest
from anyio import to_thread
from anyio._backends._asyncio import WorkerThread  # how long a thread waits for work is not told elsewhere

from ourcli.common.errors import ToolCrashedError, ToolOutputError, ToolTimeoutError
from tests.promises import promise
from tests.support.arena import Arena, Attack, workers

pytestmark = pytest.mark.anyio


def endless(word: str, mode: str = "persistent") -> Attack:
    """Return an attack that never ends by itself."""
    return Attack(
        guest="computing",
        word=word,
        mode=mode,
        kind=ToolTimeoutError,
        told=r"took longer than 0\.4 s and was stopped",
        hint="limits.timeout_ms",
    )


def crash(word: str, told: str, *, path: str = "", mode: str = "persistent", hint: str = "") -> Attack:
    """Return an attack that breaks its own instance."""
    return Attack(guest="computing", word=word, path=path, mode=mode, kind=ToolCrashedError, told=told, hint=hint)


ATTACKS = [
    endless("loop"),
    endless("loop", "fresh"),
    endless("loop-in-host"),
    endless("random-bytes"),
    endless("sleep"),
    endless("sleep", "fresh"),
    endless("doze"),
    endless("wait-for-many"),
    endless("read-on"),
    crash("recurse", "too deeply"),
    crash("recurse", "too deeply", mode="fresh"),
    crash("trap", "crashed: .*unreachable"),
    crash("divide", "crashed: .*integer overflow"),
    crash("stray-write", "crashed: .*out of bounds"),
    crash("wrong-function", "crashed: .*indirect call type mismatch"),
    crash("leave", "exit code 0 and did not answer", path="0", hint="-v"),
    crash("leave", "exit code 101", path="101", hint="-v", mode="fresh"),
    Attack(
        guest="computing",
        word="many-vectors",
        kind=ToolOutputError,
        told="more than 100000 bytes to stderr",
        hint="limits.output_bytes",
    ),
]


@promise("tools.attacks.computing")
@promise("tools.wasm.hostile-guest")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_a_guest_that_does_not_end_or_breaks_is_stopped_and_named(arena: Arena, attack: Attack) -> None:
    await arena.withstand(attack)


@promise("tools.attacks.computing")
async def test_a_guest_that_leaves_at_every_call_costs_one_worker_at_a_time(arena: Arena) -> None:
    for code in range(10):
        attack = crash("leave", f"exit code {code} and", path=str(code), hint="-v")
        await arena.withstand(attack)

        assert len(workers()) <= 2, "the good guest's, and one that is about to end"


@promise("tools.attacks.computing")
async def test_a_guest_that_goes_on_after_its_answer_is_stopped_until_it_is_asked_again(arena: Arena) -> None:
    attack = Attack(guest="computing", word="answer-and-loop", told="first")

    await arena.withstand(attack)
    with anyio.fail_after(20):
        while psutil.STATUS_RUNNING in [worker.status() for worker in workers()]:  # noqa: ASYNC110  # no event tells
            await anyio.sleep(0.01)

    await arena.withstand(endless("answer-and-loop"))


@promise("tools.attacks.computing")
@promise("tools.wasm.killed-worker")
async def test_threads_of_the_host_that_end_take_no_worker_with_them(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    well = Attack(guest="computing", word="well", told="well", limits={"timeout_ms": 20_000})
    await arena.withstand(well)
    known = {worker.pid for worker in workers()}
    together = threading.Barrier(4)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(to_thread.run_sync, partial(together.wait, None))
    monkeypatch.setattr(WorkerThread, "MAX_IDLE_TIME", 0)

    await to_thread.run_sync(int)
    with anyio.fail_after(20):
        while sum(isinstance(thread, WorkerThread) for thread in threading.enumerate()) > 1:  # noqa: ASYNC110  # as above
            await anyio.sleep(0.01)

    assert {worker.pid for worker in workers()} == known
