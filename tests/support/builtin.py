"""The built-in tools over a folder that a test made, with the rights it gives, through the real runner."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ourcli.app.tools.builtin_source import BuiltinParts, BuiltinSource
from ourcli.testing.clock import FrozenClock
from ourcli.testing.events import RecordingSink
from ourcli.testing.memory_access import FakeMemoryAccess
from ourcli.testing.tools import FakeGrants
from ourcli.testing.web import FakeFetcher
from ourcli.tools.backends.builtin.undoing import UndoHistory
from ourcli.tools.backends.undo_store import UndoStore
from ourcli.tools.data import Json
from ourcli.tools.fetching import Fetched
from ourcli.tools.ports import ToolContext
from ourcli.tools.registry import Registry
from ourcli.tools.runner import ToolRunner

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(slots=True)
class Workshop:
    """Tools that work in `folder`; ourcli's own home is `home`."""

    folder: Path
    home: Path
    rights: list[str]
    quotas: Mapping[str, int] = field(default_factory=dict)
    pages: Mapping[str, Fetched] = field(default_factory=dict)
    memory: FakeMemoryAccess = field(default_factory=FakeMemoryAccess)
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOW))
    shell: bool = False

    @property
    def store(self) -> UndoStore:
        """What keeps what was before."""
        return UndoStore(self.home / "undo", self.clock)

    @property
    def history(self) -> UndoHistory:
        """The way back."""
        return UndoHistory(self.store)

    async def runner(self) -> ToolRunner:
        """Return the real runner over the real tools."""
        parts = BuiltinParts(
            clock=self.clock,
            undo=self.store,
            memory=self.memory,
            fetcher=FakeFetcher(self.pages),
            off_limits=(self.home,),
            shell=self.shell,
        )
        grants = FakeGrants({"": self.rights}, self.quotas)
        return ToolRunner(Registry(await BuiltinSource(parts).tools()), grants, clock=self.clock, sink=RecordingSink())

    def context(self) -> ToolContext:
        """Return the context of a call in the folder."""
        return ToolContext(folder=self.folder, project="p", session="s")

    async def call(self, name: str, **given: Json) -> dict[str, Json]:
        """Call a tool in the folder and return its answer."""
        return dict((await (await self.runner()).call(name, given, self.context())).output)


def a_workshop(tmp_path: Path, *rights: str, **more: object) -> Workshop:
    """Return a workshop in an empty folder; `{}` in a right stands for it. Without rights all of it may be written."""
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    home = tmp_path / "own"
    home.mkdir(exist_ok=True)
    texts = [one.replace("{}", str(folder)) for one in (rights or ("fs:write={}",))]
    return Workshop(folder, home, texts, **more)  # type: ignore[arg-type]  # the fields by name
