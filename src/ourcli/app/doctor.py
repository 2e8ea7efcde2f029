"""The doctor: looks at everything that ourcli stands on, and mends what can be mended."""

import shutil
import stat
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from anyio import to_thread

from ourcli.ai.models.library import ModelLibrary
from ourcli.common.errors import OurcliError
from ourcli.common.files import FILE_MODE, FOLDER_MODE
from ourcli.config.load import Loaded
from ourcli.config.locations import Home
from ourcli.memory.layers import Layer
from ourcli.memory.ports import LayerStats

LOW_BYTES = 1_000_000_000
FULL_BYTES = 50_000_000
_EXPECTED = {
    "linux": ("rlimits", "no-new-privs", "landlock", "no-capabilities", "seccomp"),
    "darwin": ("rlimits",),
}
MOST_FRAGMENTS = 64
"""With more data files in a table, searching gets slow."""


class State(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is, in a word or two.
        state: How it is.
        message: What was found.
        hint: What to do, or "".
    """

    name: str
    state: State
    message: str
    hint: str = ""


Guards = Callable[[], Awaitable[Sequence[str]]]


class Care(Protocol):
    """What the doctor needs of memory."""

    async def health(self) -> Sequence[Check]:
        """Look at the store without changing it; the store itself need not open."""
        ...

    async def stats(self) -> Mapping[Layer, LayerStats]:
        """Return size and health of each layer."""
        ...

    async def repair(self) -> Sequence[str]:
        """Mend what can be mended; return what was done, a line each."""
        ...


class Doctor:
    """Looks, and mends when told to.

    Args:
        home: Where everything lies.
        loaded: The settings.
        library: The models.
        memory: The store.
        guards: Names what holds the workers of plugins in; None leaves that out.
    """

    def __init__(
        self, home: Home, loaded: Loaded, library: ModelLibrary, memory: Care, *, guards: Guards | None = None
    ) -> None:
        self._home, self._loaded, self._library, self._memory = home, loaded, library, memory
        self._guards = guards

    async def repair(self) -> tuple[str, ...]:
        """Mend what can be mended; return what was done, a line each."""
        done = await to_thread.run_sync(lambda: tuple(_make_private(self._places())))
        return (*done, *await self._memory.repair())

    async def examine(self) -> tuple[Check, ...]:
        """Look at everything; never raises for what it finds."""
        checks = [self._configuration(), *await to_thread.run_sync(self._disk)]
        checks += [await self._model("embedding model", self._loaded.settings.ai.embed_model, self._library.locate)]
        checks += [await self._model("language model", self._loaded.settings.ai.llm_model, self._library.locate_llm)]
        if self._guards is not None:
            checks += [await _sandbox(self._guards)]
        return (*checks, *await self._examine_memory())

    def _configuration(self) -> Check:
        found = self._loaded.config_file
        where = f"{found} is read" if found.is_file() else f"{found} does not exist; the defaults hold"
        if self._loaded.warnings:
            return Check(name="configuration", state=State.WARNING, message="; ".join(self._loaded.warnings))
        return Check(name="configuration", state=State.OK, message=where)

    def _places(self) -> tuple[Path, ...]:
        home, settings = self._home, self._loaded.settings
        folders = (home.root, home.db(settings), home.cache, home.state, home.logs)
        inside = [path for folder in folders[1:] for path in sorted(folder.glob("*.*")) if path.is_file()]
        files = (home.config_file, home.grants, home.grants_policy, home.plugins_lock)
        return tuple(path for path in (*folders, *files, *inside) if path.exists())

    def _disk(self) -> list[Check]:
        return [_permissions(self._places()), _space(self._home.root)]

    async def _model(self, name: str, setting: str, locate: Callable[[str], object]) -> Check:
        try:
            await to_thread.run_sync(locate, setting)
        except OurcliError as exc:
            return Check(name=name, state=State.FAILED, message=exc.message, hint=exc.hint)
        return Check(name=name, state=State.OK, message=f"{setting} is here and whole")

    async def _examine_memory(self) -> list[Check]:
        try:
            health = list(await self._memory.health())
            if any(check.state is State.FAILED for check in health):
                return health
            return [*health, _indexes(await self._memory.stats())]
        except OurcliError as exc:
            hint = "`ourcli doctor --repair` brings back what can be read, and keeps what is damaged aside"
            return [Check(name="memory", state=State.FAILED, message=exc.message, hint=hint)]


async def _sandbox(guards: Guards) -> Check:
    try:
        active = tuple(await guards())
    except OurcliError as exc:
        return Check(name="plugin sandbox", state=State.WARNING, message=exc.message, hint=exc.hint)
    held = f"active: {', '.join(active) or 'none'}"
    lacking = [one for one in _EXPECTED.get(sys.platform, ()) if not any(name.startswith(one) for name in active)]
    if not lacking:
        return Check(name="plugin sandbox", state=State.OK, message=f"a worker gives up its rights; {held}")
    return Check(
        name="plugin sandbox",
        state=State.WARNING,
        message=f"this system lacks {', '.join(lacking)}; {held}",
        hint="the engine still holds plugins in; a newer kernel, or a container that allows it, adds the rest",
    )


def _permissions(places: Sequence[Path]) -> Check:
    open_to_others = list(_too_open(places))
    if open_to_others:
        named = ", ".join(str(path) for path in open_to_others[:3]) + (" …" if len(open_to_others) > 3 else "")
        return Check(
            name="permissions",
            state=State.WARNING,
            message=f"others on this machine can reach {named}",
            hint="`ourcli doctor --repair` makes them yours only",
        )
    return Check(name="permissions", state=State.OK, message="only you can read what is kept")


def _too_open(places: Sequence[Path]) -> Iterator[Path]:
    for path in places:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield path


def _make_private(places: Sequence[Path]) -> Iterator[str]:
    for path in _too_open(places):
        path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
        yield f"{path} is yours only now"


def _space(folder: Path) -> Check:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    state = State.OK if free >= LOW_BYTES else State.WARNING if free >= FULL_BYTES else State.FAILED
    hint = "" if state is State.OK else "make room: when the disk is full nothing can be remembered"
    return Check(name="free space", state=state, message=f"{free / 1e9:.1f} GB free at {there}", hint=hint)


def _indexes(stats: Mapping[Layer, LayerStats]) -> Check:
    rows = sum(one.rows for one in stats.values())
    crowded = [layer.value for layer, one in stats.items() if one.fragments > MOST_FRAGMENTS]
    if crowded:
        return Check(
            name="indexes",
            state=State.WARNING,
            message=f"{', '.join(crowded)} lies in many small files, which makes searching slow",
            hint="`ourcli memory vacuum` joins them",
        )
    unindexed = sum(one.unindexed for one in stats.values())
    message = f"{rows} records, {unindexed} of them not indexed yet (found all the same)"
    return Check(name="indexes", state=State.OK, message=message)
