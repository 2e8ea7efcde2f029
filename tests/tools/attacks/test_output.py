"""Guests that write too much, in the wrong place or at the wrong time."""

import pytest

from ourcli.common.errors import OurcliError, ToolCrashedError, ToolOutputError, ToolTimeoutError
from tests.promises import promise
from tests.support.arena import Arena, Attack

pytestmark = pytest.mark.anyio


def fails(word: str, kind: type[OurcliError], told: str, *, hint: str = "", mode: str = "persistent") -> Attack:
    """Return an attack that fails its call, in a second at most."""
    return Attack(guest="output", word=word, kind=kind, told=told, hint=hint, mode=mode, limits={"timeout_ms": 600})


def too_much(word: str, stream: str, mode: str = "persistent") -> Attack:
    """Return an attack that is cut off at the limit of a stream."""
    told = f"wrote more than 100000 bytes to {stream}"
    return fails(word, ToolOutputError, told, hint="limits.output_bytes", mode=mode)


ATTACKS = [
    too_much("gigabyte-out", "stdout"),
    too_much("gigabyte-out", "stdout", "fresh"),
    too_much("gigabyte-log", "stderr"),
    too_much("gigabyte-log", "stderr", "fresh"),
    too_much("no-line-end", "stdout"),
    too_much("no-line-end-log", "stderr"),
    too_much("only-line-ends", "stdout"),
    too_much("only-nulls", "stdout"),
    too_much("both", "(stdout|stderr)"),
    too_much("large-answer", "stdout"),
    fails("drip", ToolTimeoutError, "took longer than 0.6 s", hint="limits.timeout_ms"),
    fails("half-a-line", ToolTimeoutError, "took longer than 0.6 s", hint="limits.timeout_ms"),
    fails("close-stdout", ToolCrashedError, "exit code 9 and did not answer", hint="-v"),
    fails("log-into-stdout", ToolTimeoutError, "took longer than 0.6 s", hint="limits.timeout_ms"),
    Attack(guest="output", word="close-stdin", told="closed"),
    Attack(guest="output", word="seek-stdout", told="refused"),
]


@promise("tools.attacks.output")
@promise("tools.wasm.hostile-guest")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_a_guest_that_writes_what_it_must_not_is_cut_off(arena: Arena, attack: Attack) -> None:
    await arena.withstand(attack)


@promise("tools.attacks.output")
@pytest.mark.parametrize("word", ["answer-and-flood", "answer-and-flood-log"])
@pytest.mark.parametrize("mode", ["persistent", "fresh"])
async def test_a_flood_after_the_answer_spoils_no_later_call(arena: Arena, word: str, mode: str) -> None:
    attack = Attack(guest="output", word=word, mode=mode, told="", limits={"timeout_ms": 5000})
    outcomes = [await arena.attack(attack) for _ in range(3)]

    for outcome in outcomes:
        assert outcome.said == "first" or type(outcome.error) is ToolOutputError, f"{outcome.error!r}"
    await arena.live_on()


@promise("tools.attacks.output")
async def test_of_a_flood_of_log_lines_the_first_few_are_kept(arena: Arena) -> None:
    outcome = await arena.withstand(Attack(guest="output", word="many-log-lines", told="logged", mode="fresh"))

    assert outcome.log[:2] == ("line 0", "line 1")
    assert len(outcome.log) == 500
