"""Guests that take memory, tables and instances."""

import psutil  # type: ignore[import-untyped]  # it ships none
import pytest

from ourcli.common.errors import PluginError, ToolTimeoutError
from tests.promises import promise
from tests.support.arena import Arena, Attack, workers

pytestmark = pytest.mark.anyio
LIMIT_MIB = 32
OWN_BYTES = 256 * 1024 * 1024
"""What a worker holds besides its guest, at most: the interpreter, the engine, compiled code."""


def grabs(word: str, told: str, mode: str = "persistent") -> Attack:
    """Return an attack that takes what it can get of 32 MiB and says how much that was."""
    return Attack(
        guest="computing", word=word, told=told, mode=mode, limits={"memory_mib": LIMIT_MIB, "timeout_ms": 10_000}
    )


ATTACKS = [
    grabs("grow", r"MiB ([12]\d|3[012])"),
    grabs("grow", r"MiB ([12]\d|3[012])", "fresh"),
    grabs("grow-at-once", "refused"),
    Attack(
        guest="computing",
        word="grow-always",
        kind=ToolTimeoutError,
        told="took longer than",
        hint="limits.timeout_ms",
        limits={"memory_mib": LIMIT_MIB},
    ),
]


@promise("tools.attacks.memory")
@promise("tools.wasm.limits")
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
async def test_memory_beyond_the_limit_is_refused(arena: Arena, attack: Attack) -> None:
    await arena.withstand(attack)

    assert heaviest() < OWN_BYTES + LIMIT_MIB * 1024 * 1024


@promise("tools.attacks.memory")
async def test_memory_that_a_warm_guest_keeps_from_call_to_call_is_counted(arena: Arena) -> None:
    keep = Attack(guest="computing", word="keep", told="", limits={"memory_mib": 48, "timeout_ms": 20_000})
    said = [(await arena.attack(keep)).said for _ in range(8)]

    assert said[0] == "given"
    assert said[4:] == ["refused"] * 4
    assert heaviest() < OWN_BYTES + 48 * 1024 * 1024
    await arena.live_on()


def heaviest() -> int:
    """Return the bytes that the largest worker holds."""
    held = [0]
    for worker in workers():
        try:
            held.append(worker.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return max(held)


ANSWER = r'(data (i32.const 16) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"said\":\"refused\"}}\n")'
TABLE_BOMB = f"""
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (table $all 1 externref)
  {ANSWER}
  (func (export "_start")
    (loop $more
      (if (i32.gt_u (table.size $all) (i32.const 10000000)) (then (call $exit (i32.const 77))))
      (br_if $more (i32.ne (table.grow $all (ref.null extern) (i32.const 1000)) (i32.const -1))))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 53))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""


@promise("tools.attacks.memory")
async def test_a_table_that_grows_without_end_is_refused(arena: Arena) -> None:
    outcome = await arena.call(arena.bare(TABLE_BOMB), {})

    assert (outcome.error, outcome.said) == (None, "refused")
    await arena.live_on()


@promise("tools.attacks.memory")
@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ('(memory (export "memory") 65536)', "memory"),
        ("(memory 1) (table 10000001 funcref)", "table"),
        ("(memory 200) (memory 200)", "multiple memories"),
        ("(memory 1) " + "(table 1 funcref) " * 9, "table"),
        ("(memory i64 1)", "memory64"),
        ("(memory 1 2 shared)", "threads"),
    ],
)
async def test_a_module_that_begins_with_too_much_is_refused_with_the_reason(
    arena: Arena, inside: str, told: str
) -> None:
    outcome = await arena.call(arena.bare(f'(module {inside} (func (export "_start")))'), {})

    assert type(outcome.error) is PluginError, f"{outcome.error!r} {outcome.said!r}"
    assert told in outcome.error.message, outcome.error.message
    assert outcome.error.hint
    await arena.live_on()
