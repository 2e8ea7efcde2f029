"""Which conversation comes next: the last session of each project, remembered between processes."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread

from ourcli.app.requests import AskRequest
from ourcli.common.clock import Clock
from ourcli.common.errors import NotFoundError, StoreError
from ourcli.common.files import atomic_write, remove_halves
from ourcli.common.forgetting import Erasure
from ourcli.common.ids import new_id
from ourcli.core.prompt import Turn
from ourcli.memory.record import Record, Trust

_log = logging.getLogger(__name__)
_MOST_PROJECTS = 1000


class Sessions:
    """Open sessions and note the last one of each project in `file`."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def open(self, request: AskRequest, project: str) -> str:
        """Return the session that a request belongs to: the named one, the last one, or a new one.

        Raises:
            NotFoundError: The last one is asked for and there is none.
        """
        if request.session:
            return request.session
        if not request.continue_last:
            return new_id(self._clock.now())
        last = self._last().get(project)
        if last is None:
            raise NotFoundError(f"project {project!r} has no earlier session", hint="ask without -c to begin one")
        return last

    def note(self, project: str, session: str) -> None:
        """Remember a project's last session; a home that cannot be written only loses this comfort."""
        known = self._last()
        known.pop(project, None)
        known[project] = session
        kept = dict(list(known.items())[-_MOST_PROJECTS:])
        try:
            self._write(kept)
        except StoreError as exc:
            _log.warning("the last session is not noted: %s", exc.message)

    @property
    def name(self) -> str:
        """What it is, for messages."""
        return "last sessions"

    async def erase(self, what: Erasure) -> int:
        """Drop sessions of which nothing is left; return how many went."""
        return await to_thread.run_sync(self._drop, frozenset(what.sessions))

    def _drop(self, sessions: frozenset[str]) -> int:
        known = self._last()
        kept = {project: session for project, session in known.items() if session not in sessions}
        if len(kept) < len(known):
            self._write(kept)
        return len(known) - len(kept)

    async def wipe(self) -> None:
        """Remove halves of the file that a killed process left behind; the file itself is always written anew."""
        await to_thread.run_sync(remove_halves, self._file)

    def _write(self, known: dict[str, str]) -> None:
        with atomic_write(self._file) as stream:
            stream.write(json.dumps(known).encode())

    def _last(self) -> dict[str, str]:
        try:
            known = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return {str(project): str(session) for project, session in known.items()} if isinstance(known, dict) else {}


def conversation(records: Sequence[Record]) -> tuple[tuple[Turn, ...], int]:
    """Return a session's records as turns, oldest first, and the number of the turn that comes next."""
    said = sorted(
        ((record.turn, record.ts, record) for record in records if record.turn is not None),
        key=lambda one: one[:2],
    )
    turns = tuple(
        Turn(role="assistant" if record.trust is Trust.MODEL else "user", text=record.text) for _, _, record in said
    )
    return turns, (said[-1][0] + 1 if said else 0)
