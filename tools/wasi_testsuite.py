"""Run the official tests of WASI preview 1 (WebAssembly/wasi-testsuite) through the real worker, guards and all.

python tools/wasi_testsuite.py FOLDER     FOLDER holds the suite with its compiled tests (`prod/testsuite-base`)
"""

import json
import os
import selectors
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from ourcli.app.worker import worker_command
from ourcli.common.errors import PluginError
from ourcli.tools.backends.wasm.compiling import compiled
from ourcli.tools.backends.wasm.orders import PERSISTENT, Orders, Preopen, read_report, write_orders
from ourcli.tools.backends.wasm.sealed import SealedFile
from ourcli.tools.backends.wasm.spawn import spawn

WAIT_S = 60.0
MEMORY_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test of the suite, and what is expected of it.

    Attributes:
        module: The compiled test.
        arguments: Its command line, without its name.
        environment: Its variables.
        root: A folder that it sees as `/`, or None.
        exit_code: With which it must leave.
        stdout: What it must write; None when that is not told.
    """

    module: Path
    arguments: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    root: Path | None = None
    exit_code: int = 0
    stdout: str | None = None


def cases(folder: Path) -> Iterator[Case]:
    """Read the tests of WASI preview 1 below a folder, with what the JSON file beside each one expects."""
    for module in sorted(folder.glob("**/wasm32-wasip1/*.wasm")):
        told = module.with_suffix(".json")
        spec = json.loads(told.read_text("utf-8")) if told.exists() else {}
        yield Case(
            module=module,
            arguments=tuple(spec.get("args", ())),
            environment=tuple(spec.get("env", {}).items()),
            root=module.parent / spec["root"] if spec.get("root") else None,
            exit_code=spec.get("exit_code", 0),
            stdout=spec.get("stdout"),
        )


def fault(case: Case) -> str:
    """Run one test in a worker; return what is wrong, or "" when it does what it must."""
    with TemporaryDirectory() as place:
        opened: tuple[Preopen, ...] = ()
        if case.root is not None:
            shutil.copytree(case.root, Path(place) / "root", symlinks=True)
            opened = (Preopen(path=str(Path(place) / "root"), name="/", writable=True),)
        orders = Orders(
            task=PERSISTENT,
            memory_bytes=MEMORY_BYTES,
            preopens=opened,
            environment=case.environment,
            arguments=(case.module.name, *case.arguments),
        )
        try:
            code = anyio.run(_native, case.module.read_bytes())
        except PluginError as exc:
            return exc.message
        stdout, stderr, reports = _streams(orders, code)
    ended = [report for report in map(read_report, reports.splitlines()) if report.what != "ready"]
    if not ended or ended[0].why != "exit":
        return f"it did not leave: {ended[0].detail if ended else 'its worker died'} {stderr[-300:].decode()}"
    if ended[0].code != case.exit_code:
        return f"it left with {ended[0].code} instead of {case.exit_code}: {stderr[-300:].decode()}"
    if case.stdout is not None and stdout.decode("utf-8", "replace") != case.stdout:
        return f"it wrote {stdout[:300]!r}"
    return ""


async def _native(wasm: bytes) -> bytes:
    return await compiled(worker_command(), wasm, fuel=False)


def _streams(orders: Orders, code: bytes) -> Sequence[bytes]:
    """Run a worker to its end; return all of stdout, stderr and reports."""
    module = SealedFile(code)
    spawned = spawn(worker_command(), module)
    found = {spawned.pipes.stdout: b"", spawned.pipes.stderr: b"", spawned.pipes.reports: b""}
    os.write(spawned.pipes.orders, write_orders(orders))
    with selectors.DefaultSelector() as selector:
        for descriptor in found:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map() and (ready := selector.select(WAIT_S)):
            for key, _ in ready:
                data = os.read(key.fd, 1 << 16)
                found[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
    spawned.discard()
    module.close()
    return tuple(found.values())


def main(arguments: Sequence[str]) -> int:
    """Run everything, print what failed, and return the exit code."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    found = list(cases(Path(arguments[0])))
    faults = {case.module: words for case in found if (words := fault(case))}
    for module, words in faults.items():
        print(f"FAILED {module.parent.parent.parent.name}/{module.stem}: {words}")
    print(f"{len(found) - len(faults)} of {len(found)} tests of WASI preview 1 pass through the worker")
    return 1 if faults or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
