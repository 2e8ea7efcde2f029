"""Records as resources: `ourcli://record/ID`, the newest of the project to choose from."""

import json
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote

from mcp import types

from ourcli.common.errors import NotFoundError
from ourcli.common.jsondata import iso, to_json
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.servers.mcp.ports import Facade
from ourcli.servers.mcp.shapes import record_data
from ourcli.tools.logtext import harmless

PREFIX: Final = "ourcli://record/"
_LISTED: Final = 500
"""Most records in the list; every other one is read by its id."""
_TITLE_CHARS: Final = 80
_JSON: Final = "application/json"


class Records:
    """The records of one project.

    Args:
        facade: Reads them.
    """

    def __init__(self, facade: Facade) -> None:
        self._facade = facade

    async def newest(self) -> list[types.Resource]:
        """Return the newest records, newest first."""
        return [_resource(record) for record in await self._find(Filter(project=self._facade.settings.project))]

    async def _find(self, where: Filter) -> Sequence[Record]:
        return await self._facade.records(where, _LISTED)

    @staticmethod
    def templates() -> list[types.ResourceTemplate]:
        """Return how any record is named."""
        return [
            types.ResourceTemplate(
                uri_template=f"{PREFIX}{{id}}",
                name="record",
                title="A record of memory",
                description="One remembered text with where it came from; ids come from memory_search.",
                mime_type=_JSON,
            )
        ]

    async def read(self, uri: str) -> types.ReadResourceResult:
        """Return a record of this project as JSON.

        Raises:
            NotFoundError: There is none.
        """
        wanted = unquote(uri.removeprefix(PREFIX))
        project = self._facade.settings.project
        if not uri.startswith(PREFIX) or not await self._find(Filter(project=project, ids=(wanted,))):
            raise NotFoundError(f"no resource {uri[:200]!r}")
        record = await self._facade.get(wanted)
        text = json.dumps(to_json(record_data(record)), ensure_ascii=False)
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=_JSON, text=text)])

    async def complete(self, beginning: str) -> list[str]:
        """Return the ids among the newest that begin so."""
        project = self._facade.settings.project
        return [record.id for record in await self._find(Filter(project=project)) if record.id.startswith(beginning)]


def _resource(record: Record) -> types.Resource:
    words = harmless(" ".join(record.text.split()))
    title = words if len(words) <= _TITLE_CHARS else f"{words[: _TITLE_CHARS - 1]}…"
    return types.Resource(
        uri=f"{PREFIX}{quote(record.id, safe='')}",
        name=record.id,
        title=title,
        description=f"{record.kind} in {record.layer.value}",
        mime_type=_JSON,
        annotations=types.Annotations(last_modified=iso(record.ts)),
    )
