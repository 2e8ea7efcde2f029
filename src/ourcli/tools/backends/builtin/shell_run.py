"""`shell.run`: run a program of this machine, by its words and never through a shell."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread
from anyio.abc import Process

from ourcli.common.errors import DeniedError, ToolError, ToolTimeoutError
from ourcli.tools.backends.builtin.confine import CONFINED, SYSTEM
from ourcli.tools.backends.builtin.describing import TEXT, a_list, a_number, a_text, an_object, described
from ourcli.tools.backends.builtin.file_tool import check_system
from ourcli.tools.backends.builtin.given import number, refused, text, texts
from ourcli.tools.backends.builtin.reach import Reach
from ourcli.tools.capabilities import Capability, CapabilityKind
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import ToolContext
from ourcli.tools.spec import SideEffects, ToolExample, ToolSpec

MOST_BYTES: Final = 100_000
"""So much is kept of each stream; the rest is read and dropped."""
MOST_SECONDS: Final = 600
_MOST_WORDS: Final = 256
_KEPT: Final = ("PATH", "HOME", "LANG")
_GRACE_S: Final = 5.0

SPEC: Final = replace(
    described(
        "shell.run",
        "Run a program with its arguments, without a shell: no pipes, no wildcards. It works in a granted folder, "
        "writes only below granted ones, and gets no input.",
        takes=an_object(
            {
                "argv": a_list(
                    TEXT, minItems=1, maxItems=_MOST_WORDS, description="The program, then its words, each by itself"
                ),
                "folder": a_text("Where it works; must be granted with fs:write", default="."),
                "timeout_s": a_number("After so many seconds it is killed", 1, MOST_SECONDS, 60),
            },
            ["argv"],
        ),
        gives=an_object(
            {"exit_code": {"type": "integer"}, "stdout": TEXT, "stderr": TEXT, "truncated": {"type": "boolean"}}
        ),
        examples=(ToolExample(input={"argv": ["git", "status", "--short"]}, description="what changed here"),),
        side_effects=SideEffects.EXTERNAL,
        idempotent=False,
        timeout_s=float(MOST_SECONDS),
    ),
    capabilities=(Capability(CapabilityKind.EXEC),),
)


@dataclass(slots=True)
class _Stream:
    """What came of one stream, up to a bound."""

    kept: bytearray
    lost: bool = False

    def take(self, data: bytes) -> None:
        """Keep what there is room for."""
        room = MOST_BYTES - len(self.kept)
        self.kept += data[: max(0, room)]
        self.lost = self.lost or len(data) > room

    @property
    def text(self) -> str:
        """What was kept."""
        return self.kept.decode("utf-8", "replace")


class ShellRun:
    """The tool.

    Args:
        environment: Of this process; little of it is passed on.
        off_limits: Folders that no right opens.
        network: Programs may open TCP connections.
    """

    def __init__(self, environment: Mapping[str, str], off_limits: Sequence[Path] = (), *, network: bool) -> None:
        self._environment, self._off_limits, self._network = environment, tuple(off_limits), network

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return SPEC

    async def preview(self, input: JsonObject, context: ToolContext) -> str:  # noqa: A002
        """Return the words, one a line, and the folder; see `ourcli.tools.ports.Previews`."""
        words, reach = texts(input, "argv"), Reach(SPEC.name, context, self._off_limits)
        return "".join(f"{word!r}\n" for word in words) + f"in {reach.absolute(text(input, 'folder', '.'))!r}\n"

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Run it; see `ourcli.tools.ports.Tool`."""
        check_system(SPEC.name)
        words = texts(input, "argv")
        if not words[0] or any("\0" in word for word in words):
            raise refused("argv", "names no program, or holds a zero character")
        limit_s = min(float(number(input, "timeout_s", 60)), context.timeout_s or MOST_SECONDS)
        reach = Reach(SPEC.name, context, self._off_limits)
        with reach.working(text(input, "folder", ".")) as (descriptor, folder), _scratch() as scratch:
            confined = self._confined(words, context, scratch)
            environment = self._passed_on(context) | {"TMPDIR": scratch, "PWD": folder}
            process = await _started(confined, descriptor, folder, environment)
            return await _run(process, limit_s)

    def _passed_on(self, context: ToolContext) -> dict[str, str]:
        keys = {right.value for right in context.granted if right.kind is CapabilityKind.ENV}
        return {key: self._environment[key] for key in (*_KEPT, *sorted(keys)) if key in self._environment}

    def _check_roots(self, context: ToolContext) -> None:
        """Return when no folder that a program sees holds one that no right opens, or lies in it, links resolved."""
        files = (CapabilityKind.FS_READ, CapabilityKind.FS_WRITE)
        granted = {str(right): right.value for right in context.granted if right.kind in files}
        searched = self._environment.get("PATH", "").split(os.pathsep)
        seen = granted | {path: path for path in (*SYSTEM, *searched) if path.startswith("/")}
        for own in (Path(os.path.realpath(folder)) for folder in self._off_limits):
            for words, path in seen.items():
                root = Path(os.path.realpath(path))
                if own.is_relative_to(root) or root.is_relative_to(own):
                    raise DeniedError(
                        f"{words} leads into ourcli's own folder, and a program would not be kept out of it",
                        hint="grant a folder that neither holds it nor lies inside it",
                    )

    def _confined(self, words: Sequence[str], context: ToolContext, scratch: str) -> list[str]:
        """Return the words that start the program with no more rights than were granted."""
        self._check_roots(context)
        if getattr(sys, "frozen", False):
            return list(words)  # one file of everything cannot start its own interpreter
        reads = sorted(right.value for right in context.granted if right.kind is CapabilityKind.FS_READ)
        writes = [*sorted(right.value for right in context.granted if right.kind is CapabilityKind.FS_WRITE), scratch]
        package = str(Path(__file__).resolve().parents[4])
        counts = [str(int(self._network)), str(len(reads)), str(len(writes))]
        return [sys.executable, "-I", "-S", "-B", "-c", CONFINED, package, *counts, *reads, *writes, *words]


@contextmanager
def _scratch() -> Iterator[str]:
    """Make a folder for temporary files, which goes with the call."""
    with tempfile.TemporaryDirectory(prefix="ourcli-shell-", ignore_cleanup_errors=True) as folder:
        yield os.path.realpath(folder)


async def _started(words: Sequence[str], descriptor: int, folder: str, environment: Mapping[str, str]) -> Process:
    has_descriptors = sys.platform == "linux"
    inside = f"/proc/self/fd/{descriptor}" if has_descriptors else folder  # what was opened, whatever its name means
    try:
        return await anyio.open_process(
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=inside,
            env=dict(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as exc:
        raise ToolError(f"{words[0]!r} cannot be started: {exc}") from exc


async def _run(process: Process, limit_s: float) -> JsonObject:
    """Read both streams until the program ends or its time is over; its whole group is gone afterwards."""
    out, err = _Stream(bytearray()), _Stream(bytearray())

    async def drain(stream: anyio.abc.ByteReceiveStream | None, into: _Stream) -> None:
        if stream is not None:
            async for data in stream:
                into.take(data)

    ended = False
    try:
        with anyio.move_on_after(limit_s):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(drain, process.stdout, out)
                tasks.start_soon(drain, process.stderr, err)
                await process.wait()
                _kill_group(process.pid)  # what it left behind holds the streams open, and must not stay
            ended = True
    finally:
        await _end(process)
    if not ended:
        raise ToolTimeoutError(
            f"the program took longer than {limit_s:g} s and was killed with all that it started",
            hint=f"it said: {err.text[-300:] or out.text[-300:] or 'nothing'}",
        )
    return {
        "exit_code": process.returncode if process.returncode is not None else -1,
        "stdout": out.text,
        "stderr": err.text,
        "truncated": out.lost or err.lost,
    }


async def _end(process: Process) -> None:
    """Kill the whole group and wait for the program, also when whoever waited was cancelled."""
    with anyio.CancelScope(shield=True), anyio.move_on_after(_GRACE_S, shield=True):
        await to_thread.run_sync(_kill_group, process.pid)
        await process.wait()
        await process.aclose()


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
