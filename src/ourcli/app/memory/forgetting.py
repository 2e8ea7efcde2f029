"""Forgetting: everything under the home that may hold a record is asked to let go of it.

It is written down first, so that what was begun is finished whatever happens; `wipe` then makes the bytes go.
"""

import logging
from collections.abc import Sequence

from ourcli.common.clock import Clock
from ourcli.common.errors import NotFoundError, StoreError
from ourcli.common.events import EventSink, RecordsForgotten
from ourcli.common.forgetting import Erasure, Forgettable
from ourcli.memory.forgetting import ErasureBook, derived_from, known, of_session, versions_of
from ourcli.memory.ledger import Ledger
from ourcli.memory.ports import RecordStore
from ourcli.memory.query import Filter

_log = logging.getLogger(__name__)


class Forgetting:
    """Forgets records.

    Args:
        store: The records.
        ledger: Knows records that are gone, and what was made from what.
        book: Lists what is being forgotten.
        places: Everything that may hold a record; the records' own tables first.
        clock: Time.
        sink: Told how many records were forgotten.
    """

    def __init__(
        self,
        *,
        store: RecordStore,
        ledger: Ledger,
        book: ErasureBook,
        places: Sequence[Forgettable],
        clock: Clock,
        sink: EventSink,
    ) -> None:
        self._store, self._ledger, self._book = store, ledger, book
        self._places, self._clock, self._sink = tuple(places), clock, sink

    async def forget(self, ids: Sequence[str], *, cascade: bool = False) -> tuple[str, ...]:
        """Forget records and, with `cascade`, all that was made from them; return the ids, given ones first.

        Also a record that only the ledger knows any more can be forgotten.

        Raises:
            NotFoundError: One of them is not known; nothing was forgotten.
            StoreError: Something could not let go of them; what remains is done when memory is opened next.
        """
        wanted = tuple(dict.fromkeys(ids))
        there = await known(wanted, self._store, self._ledger) if wanted else frozenset()
        if missing := [one for one in wanted if one not in there]:
            raise NotFoundError(
                f"no record {missing[0]!r}", hint="nothing was forgotten; `ourcli memory list` shows the ids there are"
            )
        if cascade:
            wanted += await derived_from(wanted, self._store, self._ledger)
        if wanted:
            what = await self._erasure(wanted)
            await self._carry_out(await self._book.begin(what), what)
            self._sink.emit(RecordsForgotten(at=self._clock.now(), records=len(wanted)))
        return wanted

    async def forget_session(self, project: str, session: str, *, cascade: bool = False) -> tuple[str, ...]:
        """Forget all that was said in a session.

        Raises:
            NotFoundError: There is no such session in the project.
            StoreError: As with `forget`.
        """
        ids = await of_session(project, session, self._store, self._ledger)
        if not ids:
            raise NotFoundError(
                f"no record of session {session!r}",
                hint=f"nothing was forgotten; sessions of other projects need --project, this is {project!r}",
            )
        return await self.forget(ids, cascade=cascade)

    async def _erasure(self, ids: Sequence[str]) -> Erasure:
        going = {image.record.id: image.record for image in await self._store.images(ids)}
        ended = []
        for session in dict.fromkeys(record.session for record in going.values() if record.session):
            left = await self._store.fetch(Filter(session=session), limit=len(going) + 1)
            if all(record.id in going for record in left):
                ended.append(session)
        versions = await versions_of(ids, self._store, self._ledger)
        texts = dict.fromkeys(text for one in versions for text in (one.text, one.indexed))
        talks = dict.fromkeys((one.project, one.session) for one in versions if one.session)
        return Erasure(ids=tuple(ids), texts=tuple(texts), sessions=tuple(ended), talks=tuple(talks))

    async def _carry_out(self, number: int, what: Erasure) -> None:
        """Ask every place; one that fails does not keep the others from letting go."""
        failures: list[StoreError] = []
        for place in self._places:
            try:
                await place.erase(what)
            except StoreError as exc:
                _log.warning("the %s could not let go of what is to be forgotten: %s", place.name, exc.message)
                failures.append(exc)
        if failures:
            raise StoreError(
                f"not everything is forgotten yet: {failures[0].message}",
                hint="it is finished when memory is opened next, or by `ourcli memory vacuum`",
            ) from failures[0]
        await self._book.finish(number)

    async def finish(self) -> int:
        """Carry out what was begun and cut off; return how many records it was about.

        Raises:
            StoreError: Something still cannot let go of them.
        """
        unfinished = await self._book.unfinished()
        for number, what in unfinished:
            await self._carry_out(number, what)
        return sum(len(what.ids) for _, what in unfinished)

    async def finish_quietly(self) -> None:
        """Do the same, but tell a failure in the log only: memory must open all the same."""
        try:
            done = await self.finish()
            _log.warning("a forgetting that was cut off is finished: %d records", done)
        except StoreError as exc:
            _log.warning("%s", exc.message)

    async def wipe(self) -> bool:
        """Make the bytes go of all that was forgotten; say if there was any. Cut off anywhere, again does the rest.

        Raises:
            StoreError: A file could not be written anew.
        """
        await self.finish()
        finished = await self._book.finished()
        for _, what in finished:  # another process may have brought something back that it still had in its hands
            for place in self._places:
                await place.erase(what)
        for place in self._places:
            if finished or place is not self._places[0]:  # the tables are written anew only when they must be
                await place.wipe()
        await self._book.clear([number for number, _ in finished])
        return bool(finished)
