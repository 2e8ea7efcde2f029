"""The memory: add records, search them, look at them."""

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ourcli.common.clock import Clock
from ourcli.common.errors import InvalidInputError, NotFoundError, StoreError, StoreMismatchError
from ourcli.common.events import DecisionContradicted, EventSink, MemorySearched, RecordsStored
from ourcli.memory.builder import SearchBuilder
from ourcli.memory.contradiction.find import find_contradictions
from ourcli.memory.conversation import with_context
from ourcli.memory.interaction import LateInteraction
from ourcli.memory.layers import Layer
from ourcli.memory.ports import Embedder, LayerStats, RecordStore, Redactor, Reranker
from ourcli.memory.query import Filter, Query, SearchResult
from ourcli.memory.recall import RERANK_S, Recall
from ourcli.memory.record import DIMS, Record
from ourcli.memory.stored import Contradiction, Redaction, Stored
from ourcli.memory.tokens import TokenRow
from ourcli.memory.vectors import Matrix, Vector

WITH_TOKENS = (Layer.INTERACT, Layer.INSIGHTS)
"""Layers whose records get token vectors when they are added; the others get them when they are first reranked."""

_SCAN_ROWS = 256
_COMPARED = 8
"""So many records in one call are compared with older decisions; more of them are an import."""
_LOG = logging.getLogger(__name__)


class Memory(Protocol):
    """What the rest of the system needs of a memory."""

    def search(self, text: str, k: int = 10) -> SearchBuilder:
        """Start a search for `text` that returns `k` hits; await it or refine it first."""
        ...

    async def insert(self, record: Record) -> None:
        """Store one record."""
        ...


class MemoryService:
    """Memory over one record store and one embedding model."""

    def __init__(
        self,
        store: RecordStore,
        embedder: Embedder,
        reranker: Reranker | None,
        *,
        clock: Clock,
        sink: EventSink,
        redactor: Redactor | None = None,
        interaction: LateInteraction | None = None,
        rerank_s: float = RERANK_S,
    ) -> None:
        self._store = store
        self._interaction = interaction
        self._redactor = redactor
        self._embedder = embedder
        self._recall = Recall(store, embedder, reranker, clock, rerank_s=rerank_s)
        self._clock = clock
        self._sink = sink
        self._model_checked = False

    def search(self, text: str, k: int = 10) -> SearchBuilder:
        """Start a search for `text` that returns `k` hits; await it or refine it first."""
        return SearchBuilder(Query(text=text, limit=k), self.run)

    async def run(self, query: Query) -> SearchResult:
        """Run a search.

        Raises:
            InvalidInputError: The query is empty or its numbers make no sense.
            StoreMismatchError: The store was written by another embedding model.
        """
        _check_query(query)
        await self._check_model()
        result = await self._recall.run(query)
        self._sink.emit(
            MemorySearched(at=self._clock.now(), hits=len(result.hits), milliseconds=result.timing_ms.total)
        )
        return result

    async def insert(self, record: Record) -> None:
        """Store one record."""
        await self.add([record])

    async def add(
        self, records: Sequence[Record], vectors: dict[int, Vector] | None = None, *, allow_secrets: bool = False
    ) -> Stored:
        """Store records, embedding those whose vector is not given; an id that exists is replaced.

        Args:
            records: At least one; each with a text.
            vectors: Vectors that are known already, by position in `records`; that of a text in which secrets were
                replaced is made anew.
            allow_secrets: Store texts as they are, keys and passwords included.

        Returns:
            What was stored, and, for a few records whose vectors were made here, which older decisions they contradict.

        Raises:
            InvalidInputError: A record has no text or a given vector is not usable; nothing was stored.
        """
        cleaned = [_cleaned(record) for record in records]
        redacted: dict[int, Redaction] = {}
        if self._redactor is not None and not allow_secrets:
            cleaned, redacted = await _without_secrets(cleaned, self._redactor)
        await self._check_model(claim=True)
        known = {place: vector for place, vector in (vectors or {}).items() if place not in redacted}
        matrix, tokens = await self._vectors(cleaned, known)
        placed = await with_context(self._store, cleaned)
        stamped = [replace(record, model=self._embedder.digest) for record in placed]
        await self._store.upsert(stamped, matrix)
        if self._interaction is not None:
            await self._interaction.keep(tokens)
        for layer in Layer:
            if ids := tuple(record.id for record in stamped if record.layer is layer):
                self._sink.emit(RecordsStored(at=self._clock.now(), layer=layer.value, ids=ids))
        fresh = [(record, matrix[at]) for at, record in enumerate(stamped) if at not in known]
        return Stored(
            ids=tuple(record.id for record in stamped),
            redacted=tuple(redacted.values()),
            contradicts=await self._contradictions(fresh) if len(stamped) <= _COMPARED else (),
        )

    async def _contradictions(self, stored: Sequence[tuple[Record, Vector]]) -> tuple[Contradiction, ...]:
        """Return what records that are stored now contradict; nothing, with a word in the log, where that fails."""
        try:
            found = [one for record, vector in stored for one in await find_contradictions(self._store, record, vector)]
        except StoreError as exc:
            _LOG.warning("contradictions were not looked for: %s", exc.message)
            return ()
        for one in found:
            self._sink.emit(DecisionContradicted(at=self._clock.now(), record=one.id, older=one.record_id))
        return tuple(found)

    async def _vectors(self, records: Sequence[Record], known: dict[int, Vector]) -> tuple[Matrix, list[TokenRow]]:
        """Return a vector for each record, and token vectors for those of L1 and L2 that are embedded here."""
        matrix = np.zeros((len(records), DIMS), dtype=np.float32)
        for place, vector in known.items():
            matrix[place] = _unit(vector, records[place].id)
        missing = [i for i in range(len(records)) if i not in known]
        if self._interaction is None:
            by_token, whole = [], missing
        else:
            by_token = [i for i in missing if records[i].layer in WITH_TOKENS]
            whole = [i for i in missing if records[i].layer not in WITH_TOKENS]
        if whole:
            matrix[whole] = await self._embedder.embed_passages([records[i].text for i in whole])
        tokens: list[TokenRow] = []
        if self._interaction is not None and by_token:
            ids, texts = [records[i].id for i in by_token], [records[i].text for i in by_token]
            async for positions, vectors, rows in self._interaction.embed(ids, texts):
                matrix[[by_token[position] for position in positions]] = vectors
                tokens += rows
        return matrix, tokens

    async def get(self, record_id: str) -> Record:
        """Return one record.

        Raises:
            NotFoundError: There is none with this id.
        """
        found = await self._store.fetch(Filter(ids=(record_id,)), limit=1)
        if not found:
            raise NotFoundError(f"no record {record_id!r}", hint="`ourcli memory list` shows the ids there are")
        return found[0]

    async def records(self, where: Filter, limit: int | None = None) -> list[Record]:
        """Return records, newest first."""
        return await self._store.fetch(where, limit=limit)

    async def stats(self) -> dict[Layer, LayerStats]:
        """Return size and health of each layer."""
        return await self._store.stats()

    async def optimize(self) -> None:
        """Compact the tables and bring their indexes up to date."""
        await self._store.optimize()

    async def export(self, where: Filter) -> AsyncIterator[tuple[Record, Vector]]:
        """Yield all records with their vectors, in no order."""
        async for batch in self._store.scan(where, _SCAN_ROWS):
            for pair in batch:
                yield pair

    async def reembed(self) -> AsyncIterator[int]:
        """Embed every record again that another model embedded; yield how many are done after each batch.

        It can be stopped and started again at any time: what is done stays done.
        """
        digest = self._embedder.digest
        done = 0
        async for batch in self._store.scan(Filter(), _SCAN_ROWS):
            stale = [replace(record, model=digest) for record, _ in batch if record.model != digest]
            if stale:
                await self._store.upsert(stale, await self._embedder.embed_passages([r.text for r in stale]))
                done += len(stale)
                yield done
        await self._store.set_store_model(digest)
        self._model_checked = True

    async def _check_model(self, *, claim: bool = False) -> None:
        """Compare the store's embedding model with ours; a new store is claimed at the first write."""
        if self._model_checked:
            return
        written_with = await self._store.store_model()
        if written_with is None:
            if not claim:
                return
            await self._store.set_store_model(self._embedder.digest)
        elif written_with != self._embedder.digest:
            raise StoreMismatchError(
                f"this memory was written by another embedding model ({written_with[:12]}, "
                f"now {self._embedder.digest[:12]})",
                hint="run `ourcli memory reembed`, or set ai.embed_model back",
            )
        self._model_checked = True


def _check_query(query: Query) -> None:
    if not query.text.strip():
        raise InvalidInputError("the search is empty", hint="say what to look for")
    if query.limit < 1 or query.candidates < 1 or query.rerank < 0:
        raise InvalidInputError("a search needs at least one hit and one candidate", hint="use positive numbers")


def _cleaned(record: Record) -> Record:
    """Return the record with storable text: lone surrogates replaced, tags without doubles."""
    text = record.text.encode("utf-8", "replace").decode("utf-8")
    if not text.strip():
        raise InvalidInputError(f"record {record.id!r} has no text", hint="give it at least one word")
    return replace(record, text=text, tags=tuple(dict.fromkeys(record.tags)))


async def _without_secrets(records: Sequence[Record], redactor: Redactor) -> tuple[list[Record], dict[int, Redaction]]:
    """Return the records with their secrets replaced, in the text and in the context, and what was replaced where."""
    texts = await redactor.redact([record.text for record in records])
    contexts = await redactor.redact([record.context for record in records])
    clean: list[Record] = []
    redacted: dict[int, Redaction] = {}
    for place, (record, text, context) in enumerate(zip(records, texts, contexts, strict=True)):
        if kinds := tuple(dict.fromkeys((*text.found, *context.found))):
            redacted[place] = Redaction(id=record.id, kinds=kinds)
            clean.append(replace(record, text=text.text, context=context.text))
        else:
            clean.append(record)
    return clean, redacted


def _unit(vector: Vector, record_id: str) -> Vector:
    given = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(given)) if given.shape == (DIMS,) else 0.0
    if not np.isfinite(length) or length == 0.0:
        raise InvalidInputError(
            f"the embedding of record {record_id!r} is not {DIMS} finite numbers with a length",
            hint="leave it out and it will be made here",
        )
    return np.asarray(given / length, dtype=np.float32)
