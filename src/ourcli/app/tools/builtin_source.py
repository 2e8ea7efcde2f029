"""The tools that come with ourcli, as a source."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ourcli.app.tools.memory_access import RoomsMemory
from ourcli.app.tools.web import LateFetcher
from ourcli.common.clock import Clock
from ourcli.tools.backends.builtin.calc import Calculator
from ourcli.tools.backends.builtin.changing import FileChanger
from ourcli.tools.backends.builtin.file_change_tool import FileChangeTool
from ourcli.tools.backends.builtin.file_tool import FileTool
from ourcli.tools.backends.builtin.fs_count import SPEC as COUNT
from ourcli.tools.backends.builtin.fs_count import count
from ourcli.tools.backends.builtin.fs_list import SPEC as LIST
from ourcli.tools.backends.builtin.fs_list import list_folder
from ourcli.tools.backends.builtin.fs_read import SPEC as READ
from ourcli.tools.backends.builtin.fs_read import read
from ourcli.tools.backends.builtin.fs_search import SPEC as SEARCH
from ourcli.tools.backends.builtin.fs_search import search
from ourcli.tools.backends.builtin.fs_write import EDIT, WRITE, edited, written
from ourcli.tools.backends.builtin.http_fetch import HttpFetch
from ourcli.tools.backends.builtin.memory_tools import Remember, SearchMemory
from ourcli.tools.backends.builtin.shell_run import ShellRun
from ourcli.tools.backends.builtin.time_now import TimeNow
from ourcli.tools.backends.builtin.undoing import UndoHistory
from ourcli.tools.backends.undo_store import UndoStore
from ourcli.tools.ports import Fetcher, MemoryAccess, Tool
from ourcli.tools.undo import FileHistory

if TYPE_CHECKING:
    from ourcli.app.tools.needs import ToolRooms


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltinParts:
    """What the built-in tools are made of.

    Attributes:
        clock: Time.
        undo: Keeps what files held before they were changed.
        memory: What tools may do with memory.
        fetcher: Fetches pages.
        off_limits: Folders that no right opens: ourcli's own home.
        shell: Offer `shell.run`.
        network: Programs that it runs may open connections.
    """

    clock: Clock
    undo: UndoStore
    memory: MemoryAccess
    fetcher: Fetcher
    off_limits: tuple[Path, ...]
    shell: bool = False
    network: bool = False


class BuiltinSource:
    """The built-in tools (`ourcli.tools.ports.ToolSource`).

    Args:
        parts: What they are made of.
    """

    def __init__(self, parts: BuiltinParts) -> None:
        self._parts = parts

    async def tools(self) -> Sequence[Tool]:
        """Return them; `shell.run` only where it is switched on."""
        parts = self._parts
        looking = ((READ, read), (LIST, list_folder), (SEARCH, search), (COUNT, count))
        changing = ((WRITE, written), (EDIT, edited))
        changer = FileChanger(parts.undo)
        tools: list[Tool] = [FileTool(spec, work, parts.clock, parts.off_limits) for spec, work in looking]
        tools += [FileChangeTool(spec, rewrite, changer, parts.off_limits) for spec, rewrite in changing]
        tools += [HttpFetch(parts.fetcher), SearchMemory(parts.memory), Remember(parts.memory)]
        tools += [TimeNow(parts.clock), Calculator()]
        if parts.shell:
            tools.append(ShellRun(os.environ, parts.off_limits, network=parts.network))
        return tools

    async def problems(self) -> Sequence[str]:
        """Return none: they are part of ourcli."""
        return ()


def open_undo(rooms: "ToolRooms") -> UndoStore:
    """Return what keeps the files that tools changed."""
    return UndoStore(rooms.home.undo, rooms.clock)


def open_history(rooms: "ToolRooms") -> FileHistory:
    """Return what tools did to files, and the way back."""
    return UndoHistory(open_undo(rooms))


def open_builtins(rooms: "ToolRooms") -> BuiltinSource:
    """Return the built-in tools of this installation; nothing is opened or connected to yet."""
    return BuiltinSource(
        BuiltinParts(
            clock=rooms.clock,
            undo=open_undo(rooms),
            memory=RoomsMemory(rooms),
            fetcher=LateFetcher(rooms.gate),
            off_limits=(rooms.home.root,),
            shell=rooms.settings.tools.shell,
            network=rooms.gate.network,
        )
    )
