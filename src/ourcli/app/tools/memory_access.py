"""Memory as tools may use it (`ourcli.tools.ports.MemoryAccess`)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ourcli.app.memory.records import to_record
from ourcli.app.requests import NewRecord
from ourcli.app.tools.needs import ToolRooms
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query
from ourcli.memory.record import Trust
from ourcli.tools.data import Json, JsonObject

if TYPE_CHECKING:
    from ourcli.memory.query import Hit
    from ourcli.memory.record import Source


class RoomsMemory:
    """The memory of this installation, opened when a tool first asks. What a tool finds does not count as used.

    Args:
        rooms: Open it.
    """

    def __init__(self, rooms: ToolRooms) -> None:
        self._rooms = rooms

    async def search(self, query: str, *, project: str, limit: int) -> Sequence[JsonObject]:
        """Return the best records of a project: `id, text, layer, kind, tags, ts, source, score`."""
        memory = await self._rooms.memory()
        found = await memory.run(Query(text=query, filter=Filter(project=project), limit=limit))
        return [_told(hit) for hit in found.hits]

    async def remember(self, text: str, *, project: str, session: str, tags: Sequence[str]) -> str:
        """Store a text as `trust = tool`, without its secrets, and return its id."""
        memory = await self._rooms.memory()
        new = NewRecord(text=text, layer=Layer.INSIGHTS, tags=tuple(tags), session=session, trust=Trust.TOOL)
        stored = await memory.add([to_record(new, project=project, clock=self._rooms.clock)])
        return stored.ids[0]


def _told(hit: "Hit") -> JsonObject:
    record = hit.record
    tags: list[Json] = list(record.tags)
    return {
        "id": record.id,
        "text": record.text,
        "layer": record.layer.value,
        "kind": record.kind,
        "tags": tags,
        "ts": record.ts.isoformat(),
        "source": _source(record.source),
        "trust": record.trust.value,
        "score": hit.score,
    }


def _source(source: "Source | None") -> Json:
    if source is None:
        return None
    lines: Json = list(source.lines) if source.lines else None
    return {"uri": source.uri, "lines": lines, "page": source.page}
