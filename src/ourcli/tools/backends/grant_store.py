"""The book of grants as a file of the home: private, replaced whole, changed by one process at a time."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from ourcli.common.clock import Clock
from ourcli.common.files import atomic_write
from ourcli.tools.backends.file_lock import changing
from ourcli.tools.backends.grant_file import MOST_BYTES, read_grants, write_grants
from ourcli.tools.backends.watched_file import WatchedFile
from ourcli.tools.capabilities import Capability
from ourcli.tools.grants import Facts, Grant, Granted, with_grants, without
from ourcli.tools.spec import Origin

_Told = TypeVar("_Told")
_Change = Callable[[tuple[Granted, ...]], tuple[tuple[Granted, ...], _Told]]


class GrantStore:
    """Grants in one JSON file.

    Args:
        path: The file; need not exist.
        clock: Time.
    """

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self._file: WatchedFile[tuple[Granted, ...]] = WatchedFile(path, self._parse, (), most_bytes=MOST_BYTES)

    def _parse(self, content: bytes) -> tuple[Granted, ...]:
        return read_grants(content, self._path)

    async def entries(self) -> tuple[Granted, ...]:
        """Return all grants.

        Raises:
            StoreError: The file is damaged, or others can write it.
        """
        return await self._file.current()

    async def grant(self, origin: Origin, facts: Facts, grants: Sequence[Grant]) -> None:
        """Write down more grants.

        Raises:
            StoreError: The file is damaged or cannot be written; nothing was granted.
        """
        now = self._clock.now()

        def change(entries: tuple[Granted, ...]) -> tuple[tuple[Granted, ...], None]:
            return with_grants(entries, origin, facts, grants, now=now), None

        await to_thread.run_sync(partial(self._changed, change))

    async def revoke(self, origin: Origin, revoked: Sequence[Capability] | None = None) -> tuple[Capability, ...]:
        """Take back rights of an origin, None for all; return those that it had.

        Raises:
            StoreError: The file is damaged or cannot be written.
        """

        def change(entries: tuple[Granted, ...]) -> tuple[tuple[Granted, ...], tuple[Capability, ...]]:
            return without(entries, origin, revoked)

        return await to_thread.run_sync(partial(self._changed, change))

    def _changed(self, change: "_Change[_Told]") -> _Told:
        with changing(self._path):
            before: WatchedFile[tuple[Granted, ...]] = WatchedFile(self._path, self._parse, (), most_bytes=MOST_BYTES)
            entries, told = change(before.read())
            before.close()
            with atomic_write(self._path) as stream:
                stream.write(write_grants(entries))
        return told

    async def aclose(self) -> None:
        """Let the file go."""
        self._file.close()
