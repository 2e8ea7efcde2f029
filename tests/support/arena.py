"""Where attacks are tried: a real host with a hostile guest, a good one beside it, and what neither may touch."""

import asyncio
import hashlib
import json
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships none
from wasmtime import wat2wasm

from ourcli.common.errors import OurcliError
from ourcli.common.events import ToolFailed, ToolLogged
from ourcli.testing.clock import FrozenClock
from ourcli.testing.events import RecordingSink
from ourcli.testing.tools import FakeGrants
from ourcli.tools.backends.wasm.host import WasmHost
from ourcli.tools.data import Json
from ourcli.tools.plugins import Plugin, load_plugin
from ourcli.tools.ports import ToolContext, ToolResult
from ourcli.tools.registry import Registry
from ourcli.tools.runner import ToolRunner
from tests.support.guests import Workshop, full_manifest

GUESTS = Path(__file__).parent.parent / "tools" / "attacks" / "guests"
SECRET = "the secret outside"
MOST_GROWTH_BYTES = 96 * 1024 * 1024
"""So much more memory may the host hold after attacks that write a gigabyte."""
MOST_MESSAGE = 700
_TIMEOUT_MS = 400
_OUTPUT_BYTES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack, and what the user must be told of it.

    Attributes:
        guest: The file of C in `guests`.
        word: What the guest does.
        path: What it does it to; `{...}` stands for a place of the arena.
        kind: The error that the user gets; None when the guest only fails and may say so.
        told: Pattern of the error's message, else of what the guest says of its attempt.
        hint: What the error's hint holds.
        mode: How long an instance lives.
        limits: Of the manifest, in place of the arena's short ones.
        rights: What is requested and granted; `{...}` as above.
    """

    guest: str
    word: str
    path: str = ""
    kind: type[OurcliError] | None = None
    told: str
    hint: str = ""
    mode: str = "persistent"
    limits: Mapping[str, Json] = field(default_factory=dict)
    rights: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join(
            part for part in (self.word, self.path[:30], self.mode if self.mode != "persistent" else "") if part
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call: an answer or an error, lines of log, and what was told in events."""

    result: ToolResult | None
    error: OurcliError | None
    log: tuple[str, ...]
    sink: RecordingSink

    @property
    def said(self) -> Json:
        """What the guest said, where it answered."""
        return None if self.result is None else self.result.output.get("said")


class Arena:
    """A host that goes through one attack after the other, and must serve a good plugin after each.

    Args:
        host: Runs both guests.
        workshop: Compiles them.
        folder: For plugins, grants, and what no guest may see.
    """

    def __init__(self, host: WasmHost, workshop: Workshop, folder: Path) -> None:
        self.host, self._workshop, self.folder = host, workshop, folder
        self._plugins: dict[str, Plugin] = {}
        self.connections = 0
        self._server: asyncio.Server | None = None
        self.port = 0
        self.outside, self.granted, self.writable = folder / "outside", folder / "granted", folder / "writable"
        for place in (self.outside, self.granted, self.writable):
            place.mkdir()
            (place / "note.txt").write_text(f"a note in {place.name}")
        (folder / "home" / ".ssh").mkdir(parents=True)
        for secret in (self.outside / "secret.txt", folder / "home" / ".ssh" / "id_ed25519"):
            secret.write_text(SECRET)
        self._kept: dict[str, str] = {}
        self.keep()
        self._neighbours = strangers()
        self._begun_bytes = psutil.Process().memory_info().rss

    async def listen(self) -> None:
        """Listen on a port of 127.0.0.1 that no guest may reach."""
        self._server = await asyncio.start_server(self._note, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _note(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()

    async def aclose(self) -> None:
        """Listen no longer, end all workers."""
        await self.host.aclose()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    # Attacks

    async def withstand(self, attack: Attack) -> Outcome:
        """Try an attack; assert that the user is told what he must be, that nothing was damaged, and the host lives."""
        outcome = await self.attack(attack)
        _judge(attack, outcome)
        await self.live_on()
        return outcome

    async def attack(self, attack: Attack, path: str | None = None) -> Outcome:
        """Try an attack and return what came of it."""
        rights = [self.placed(text) for text in attack.rights]
        manifest = full_manifest("evil", capabilities=rights, mode=attack.mode)
        manifest["limits"] = {"timeout_ms": _TIMEOUT_MS, "output_bytes": _OUTPUT_BYTES, **attack.limits}
        plugin = self.plugin(attack.guest, manifest)
        given: dict[str, Json] = {"do": attack.word, "path": self.placed(attack.path if path is None else path)}
        return await self.call(plugin, given, rights)

    def plugin(self, guest: str, manifest: dict[str, Json]) -> Plugin:
        """Return the plugin of a file of C and a manifest; the same for the same."""
        key = hashlib.sha256(f"{guest} {manifest}".encode()).hexdigest()[:16]
        if key not in self._plugins:
            folder = self.folder / "plugins" / f"{guest}-{key}"
            self._plugins[key] = self._workshop.plugin(folder, GUESTS / f"{guest}.c", manifest)
        return self._plugins[key]

    def bare(self, text: str, name: str = "evil") -> Plugin:
        """Return the plugin of a module in WebAssembly's text format; the simple form, so its question's id is 1."""
        return self.of_bytes(bytes(wat2wasm(text)), name)

    def of_bytes(self, content: bytes, name: str = "evil") -> Plugin:
        """Return the plugin of a module, whatever it is, and a manifest of the simple form."""
        folder = self.folder / "plugins" / hashlib.sha256(name.encode() + content).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "guest.wasm").write_bytes(content)
        limits: Json = {"memory_mib": 16, "timeout_ms": _TIMEOUT_MS}
        manifest: Json = {"name": name, "description": "", "inputs": [], "limits": limits}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return load_plugin(folder)

    async def call(
        self,
        plugin: Plugin,
        given: dict[str, Json],
        rights: list[str] | None = None,
        quotas: Mapping[str, int] | None = None,
    ) -> Outcome:
        """Call a plugin's first tool as every tool is called: rights, quotas, schema, events."""
        sink, log = RecordingSink(), list[str]()
        tools = self.host.tools(plugin)
        clock = FrozenClock(datetime(2026, 1, 2, tzinfo=UTC))
        runner = ToolRunner(Registry(tools), FakeGrants({"*": rights or []}, quotas), clock=clock, sink=sink)
        try:
            result = await runner.call(tools[0].spec().name, given, ToolContext(log=log.append))
        except OurcliError as exc:
            return Outcome(result=None, error=exc, log=tuple(log), sink=sink)
        return Outcome(result=result, error=None, log=tuple(log), sink=sink)

    def placed(self, text: str) -> str:
        """Return `text` with the places of the arena filled in."""
        places: dict[str, object] = {"outside": self.outside, "granted": self.granted, "writable": self.writable}
        places |= {"port": self.port, "home": self.folder / "home"}
        return re.sub(r"{(\w+)}", lambda found: str(places[found[1]]), text)

    # What must hold after every attack

    async def live_on(self) -> None:
        """Assert that nothing outside was damaged and that the host serves the next call to a good plugin."""
        good = self.plugin("computing", full_manifest("good", timeout_ms=20_000))
        answered = await self.call(good, {"do": "well", "path": ""})
        assert answered.error is None, f"the host fails the next call: {answered.error!r}"
        assert answered.said == "well"
        assert self._digest() == self._kept, "files outside of a granted folder changed"
        assert self.connections == 0, "a guest reached the listener"
        assert strangers() - self._neighbours == set(), "a process was started"
        grown = psutil.Process().memory_info().rss - self._begun_bytes
        assert grown < MOST_GROWTH_BYTES, f"the host grew by {grown} bytes"

    def keep(self) -> None:
        """Remember what stands in the folders that no guest may change, for `live_on`."""
        self._kept = self._digest()

    def _digest(self) -> dict[str, str]:
        return {str(path): _content(path) for path in _below(self.outside, self.granted, self.folder / "home")}


@asynccontextmanager
async def an_arena(host: WasmHost, workshop: Workshop, folder: Path) -> AsyncIterator[Arena]:
    """Give an arena over a host; at its end nothing of it is left in this process."""
    descriptors = psutil.Process().num_fds()
    made = Arena(host, workshop, folder)
    await made.listen()
    yield made
    await made.aclose()
    assert workers() == [], "a worker outlived its host"
    assert psutil.Process().num_fds() <= descriptors, "the host lost track of descriptors"


def _below(*places: Path) -> Iterator[Path]:
    for place in places:
        yield place
        yield from sorted(place.rglob("*"))


def _content(path: Path) -> str:
    status = path.lstat()
    content = path.read_text() if path.is_file() else ""
    return f"{status.st_mode} {status.st_nlink} {status.st_size} {content}"


def _judge(attack: Attack, outcome: Outcome) -> None:
    """Assert that the user is told what the attack says, in words that can be shown."""
    if attack.kind is None:
        assert outcome.error is None, f"{outcome.error!r}"
        assert re.fullmatch(attack.told, str(outcome.said)), f"the guest says {outcome.said!r}"
        return
    error = outcome.error
    assert error is not None, f"the guest answered {str(outcome.said)[:200]!r}"
    assert type(error) is attack.kind, f"{error!r}"
    assert re.search(attack.told, error.message), error.message
    assert attack.hint in error.hint, error.hint
    assert error.message.isprintable()
    assert error.hint.isprintable()
    assert len(error.message) < MOST_MESSAGE
    assert [event.error for event in outcome.sink.of(ToolFailed)] == [error.kind]
    assert all(event.text.replace("\t", "").isprintable() for event in outcome.sink.of(ToolLogged))


def workers() -> list[psutil.Process]:
    """Return the worker processes of this one that live."""
    return [child for child in _living() if "ourcli.app.worker" in " ".join(_words(child))]


def strangers() -> set[tuple[int, str]]:
    """Return every process below this one that is no worker, or is a worker's child, with its command."""
    known = {process.pid for process in workers() if _parent(process) == os.getpid()}
    return {(child.pid, " ".join(_words(child))) for child in _living() if child.pid not in known}


def _living() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if _lives(child)]


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _parent(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except psutil.NoSuchProcess:
        return os.getpid()  # it ended just now


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ["ourcli.app.worker"]  # it ended just now, as workers do when they are killed
