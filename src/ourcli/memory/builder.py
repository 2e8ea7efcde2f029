"""A search said step by step: `await memory.search(q).with_layers(...).top_k(200).rerank(32)`."""

from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import replace
from datetime import datetime

from ourcli.memory.layers import Layer
from ourcli.memory.query import Query, SearchResult
from ourcli.memory.record import Trust


class SearchBuilder:
    """Collects what a search asks for; awaiting it runs the search. Every method returns a new builder."""

    def __init__(self, query: Query, run: Callable[[Query], Awaitable[SearchResult]]) -> None:
        self.query = query
        self._run = run

    def __await__(self) -> Generator[object, None, SearchResult]:
        """Run the search."""
        return self._run(self.query).__await__()

    def with_layers(self, layers: Iterable[Layer]) -> "SearchBuilder":
        """Look only in these layers."""
        return self._filtered(layers=tuple(layers))

    def with_project(self, project: str | None) -> "SearchBuilder":
        """Look only in this project's memory; None for all projects."""
        return self._filtered(project=project)

    def with_tags(self, *tags: str) -> "SearchBuilder":
        """Keep only records that carry all these tags."""
        return self._filtered(tags=tags)

    def with_kind(self, kind: str) -> "SearchBuilder":
        """Keep only records of this kind."""
        return self._filtered(kind=kind)

    def with_session(self, session: str) -> "SearchBuilder":
        """Keep only records of this session."""
        return self._filtered(session=session)

    def with_trust(self, trust: Trust) -> "SearchBuilder":
        """Keep only records that come from this kind of source."""
        return self._filtered(trust=trust)

    def between(self, since: datetime | None = None, until: datetime | None = None) -> "SearchBuilder":
        """Keep only records of this time, both ends included."""
        return self._filtered(since=since, until=until)

    def top_k(self, candidates: int) -> "SearchBuilder":
        """Let each leg bring this many candidates."""
        return self._with(replace(self.query, candidates=candidates))

    def rerank(self, count: int) -> "SearchBuilder":
        """Rerank the best `count` and return them; 0 leaves the first ranking."""
        limit = count if count else self.query.limit
        return self._with(replace(self.query, rerank=count, limit=limit))

    def limit(self, hits: int) -> "SearchBuilder":
        """Return at most this many hits."""
        return self._with(replace(self.query, limit=hits))

    def _filtered(self, **changes: object) -> "SearchBuilder":
        where = replace(self.query.filter, **changes)  # type: ignore[arg-type]  # checked by the callers above
        return self._with(replace(self.query, filter=where))

    def _with(self, query: Query) -> "SearchBuilder":
        return SearchBuilder(query, self._run)
