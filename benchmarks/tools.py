"""What a sandboxed call costs, with rights, validation and events, beside a bare pipe and a process a call.

    python -m benchmarks.tools [--calls 2000] [--json]

The guest is the sample in C. `bare pipe` writes a line to `cat` and reads it back; `bare worker` does the same with a
warm guest, around everything of ours; `process a call` starts `cat` for each line. `first call` is measured in new
processes that have loaded the host's modules (the command's own start) and find the compiled module in the cache.
With extism installed (`python -m pip install extism`), a guest that gives back its input is called in this process,
warm and made anew: no pipe, no process around it, no rights and no schemas.
Goals: a warm call 0.1 ms over the bare pipe, a fresh instance 1 ms, a first call 150 ms (medians).
"""

import argparse
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import anyio
from wasmtime import wat2wasm

from benchmarks.report import Row, show
from ourcli.app.worker import worker_command
from ourcli.common.clock import SystemClock
from ourcli.testing.events import RecordingSink
from ourcli.testing.grants import NoGrants
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.backends.wasm.orders import PERSISTENT, SETTINGS, Orders, write_orders
from ourcli.tools.backends.wasm.sealed import SealedFile
from ourcli.tools.backends.wasm.spawn import spawn
from ourcli.tools.plugins import Plugin, load_plugin
from ourcli.tools.ports import ToolContext
from ourcli.tools.registry import Registry
from ourcli.tools.runner import ToolRunner
from tools.plugins import build

LINE = b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"name":"Ada"}}\n'
EXTISM_ECHO = """
(module
  (import "extism:host/env" "input_offset" (func $offset (result i64)))
  (import "extism:host/env" "input_length" (func $length (result i64)))
  (import "extism:host/env" "output_set" (func $set (param i64 i64)))
  (memory (export "memory") 1)
  (func (export "echo") (result i32) (call $set (call $offset) (call $length)) (i32.const 0)))
"""
OVER_PIPE_MS = 0.1
FRESH_MS = 1.0
FIRST_MS = 150.0
WARM_UP = 50


def timed(calls: int, call: Callable[[], object]) -> list[float]:
    """Return the milliseconds of each call, a few unmeasured ones before."""
    for _ in range(WARM_UP):
        call()
    taken = []
    for _ in range(calls):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return taken


def bare_pipe(calls: int) -> list[float]:
    """Write a line to `cat` and read it back."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as cat:
        assert cat.stdin is not None
        assert cat.stdout is not None
        stdin, stdout = cat.stdin, cat.stdout

        def call() -> None:
            stdin.write(LINE)
            stdout.read(4096)

        taken = timed(calls, call)
        stdin.close()
    return taken


def process_a_call(calls: int) -> list[float]:
    """Start `cat` for each line."""
    return timed(calls, lambda: subprocess.run(["cat"], input=LINE, capture_output=True, check=True))


def bare_worker(calls: int, code: bytes) -> list[float]:
    """Ask a warm guest over its pipes, with nothing of ours between."""
    orders = Orders(task=PERSISTENT, memory_bytes=256 * 1024 * 1024)
    spawned = spawn(worker_command(), SealedFile(code))
    process, pipes = spawned.process, spawned.pipes
    os.write(pipes.orders, write_orders(orders))
    os.set_blocking(pipes.stdin, True)
    os.set_blocking(pipes.stdout, True)

    def call() -> None:
        os.write(pipes.stdin, LINE)
        os.read(pipes.stdout, 4096)

    taken = timed(calls, call)
    process.kill()
    process.wait()
    pipes.close()
    return taken


async def through_everything(calls: int, host: WasmHost, plugin: Plugin) -> list[float]:
    """Call as the product does; return the milliseconds of each call, the first of them a cold one."""
    sink = RecordingSink()
    runner = ToolRunner(Registry(host.tools(plugin)), NoGrants(), clock=SystemClock(), sink=sink)
    taken, context = [], ToolContext(caller="benchmark")
    for _ in range(calls + 1):
        started = time.perf_counter()
        await runner.call("hello.hello", {"name": "Ada"}, context)
        taken.append((time.perf_counter() - started) * 1000)
        sink.events.clear()
    await host.aclose()
    return taken


def through_extism(calls: int) -> tuple[list[float], list[float]] | None:
    """Call a guest that gives back its input by extism, warm and made anew; None where it is not installed."""
    if importlib.util.find_spec("extism") is None:
        return None
    make = importlib.import_module("extism").Plugin
    code = bytes(wat2wasm(EXTISM_ECHO))
    warm = make(code)
    return (
        timed(calls, lambda: warm.call("echo", LINE)),
        timed(calls // 10, lambda: make(code).call("echo", LINE)),
    )


def a_host(folder: Path) -> WasmHost:
    """Return a host whose compiled modules lie in `folder`."""
    return WasmHost(worker_command(), CompiledCache(folder / "code", folder / "digests", settings=SETTINGS))


def first_calls(rounds: int, folder: Path, plugin: Path) -> list[float]:
    """Measure the first call in processes of their own."""
    command = [sys.executable, "-m", "benchmarks.tools", "--first", str(folder), str(plugin)]
    return [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(rounds)]


@contextmanager
def plugins() -> Iterator[tuple[Path, Plugin, Plugin]]:
    """Build the sample; yield a folder, the sample with a warm instance and with a fresh one a call."""
    with TemporaryDirectory() as text:
        folder = Path(text)
        fresh = build("hello-c", folder / "fresh")
        warm = build("hello-c", folder / "warm")
        manifest = json.loads((warm / "manifest.json").read_text("utf-8"))
        (warm / "manifest.json").write_text(json.dumps(manifest | {"mode": "persistent"}), "utf-8")
        yield folder, load_plugin(warm), load_plugin(fresh)


def rows(calls: int) -> list[Row]:
    """Measure everything, the kinds of call one after the other."""
    with plugins() as (folder, warm, fresh):
        code = anyio.run(a_host(folder).compile, warm)
        pipe = bare_pipe(calls)
        found: dict[str, tuple[list[float], float | None]] = {
            "bare pipe": (pipe, None),
            "bare worker": (bare_worker(calls, code), None),
            "process a call": (process_a_call(calls // 10), None),
            "warm call": (anyio.run(through_everything, calls, a_host(folder), warm)[1:], median(pipe) + OVER_PIPE_MS),
            "fresh instance": (anyio.run(through_everything, calls, a_host(folder), fresh)[1:], FRESH_MS),
            "first call": (first_calls(max(5, calls // 200), folder, warm.folder), FIRST_MS),
        }
    if (others := through_extism(calls)) is not None:
        found |= {"extism, warm": (others[0], None), "extism, a new plugin": (others[1], None)}
    baseline = median(pipe)
    return [_row(name, taken, goal, baseline) for name, (taken, goal) in found.items()]


def _row(name: str, taken: list[float], goal: float | None, baseline: float) -> Row:
    middle = median(taken)
    return {
        "call": name,
        "p50_ms": middle,
        "p95_ms": sorted(taken)[int(len(taken) * 0.95)],
        "of_pipe": middle / baseline,
        "over_pipe_ms": middle - baseline,
        "goal_ms": goal,
        "met": None if goal is None else middle <= goal,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=2000, help="calls of each kind (2000)")
    parser.add_argument("--first", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    if arguments.first:
        folder, plugin = arguments.first
        print(anyio.run(through_everything, 0, a_host(folder), load_plugin(plugin))[0])
        return
    about = f"calls of a sandboxed tool, {arguments.calls} of each kind, through registry, validation and events"
    show(rows(arguments.calls), about=about, as_json=arguments.json)


if __name__ == "__main__":
    main()
