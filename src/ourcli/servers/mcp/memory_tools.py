"""The server's own tools: search, add and explain memory, and read files into it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from anyio import to_thread
from mcp import types

from ourcli.app.requests import NewRecord
from ourcli.common.errors import DeniedError, InvalidInputError, NotFoundError
from ourcli.common.jsondata import to_json
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Hit, Query
from ourcli.memory.record import Trust
from ourcli.servers.mcp.arguments import (
    AddArguments,
    Arguments,
    IngestArguments,
    SearchArguments,
    WhyArguments,
    read,
)
from ourcli.servers.mcp.call import Call
from ourcli.servers.mcp.ports import Facade
from ourcli.servers.mcp.shapes import entry_data, record_data
from ourcli.tools.data import Json, JsonObject

_Work = Callable[[JsonObject, Call], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    description: str
    arguments: type[Arguments]
    answers: Mapping[str, str]
    annotations: types.ToolAnnotations
    work: _Work


class MemoryTools:
    """Tools over the memory of one project.

    Args:
        facade: Does the work.
        roots: Folders whose files may be ingested; relative paths count from the first.
    """

    def __init__(self, facade: Facade, roots: Sequence[Path]) -> None:
        self._facade, self._roots = facade, tuple(roots)
        self._tools: Mapping[str, _Own] = {
            "memory_search": _Own(
                description="Search what the user told, decided and ingested, by meaning and by words. Best first.",
                arguments=SearchArguments,
                answers={"hits": "array"},
                annotations=types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
                work=self._search,
            ),
            "memory_add": _Own(
                description="Remember a text for the long run. Keys, tokens and passwords in it are replaced.",
                arguments=AddArguments,
                answers={"ids": "array", "notices": "array"},
                annotations=types.ToolAnnotations(
                    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
                ),
                work=self._add,
            ),
            "memory_why": _Own(
                description="Explain where a record came from and every rule and command that moved it.",
                arguments=WhyArguments,
                answers={"lineage": "array", "ledger": "array"},
                annotations=types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
                work=self._why,
            ),
            "ingest": _Own(
                description="Read files into memory: new and changed ones; those that are gone are removed from it.",
                arguments=IngestArguments,
                answers={"files": "integer", "chunks": "integer", "skipped": "integer", "removed": "integer"},
                annotations=types.ToolAnnotations(
                    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
                ),
                work=self._ingest,
            ),
        }

    @property
    def names(self) -> frozenset[str]:
        """What they are called; these names stay."""
        return frozenset(self._tools)

    def definitions(self) -> list[types.Tool]:
        """Return what clients are told of them."""
        return [
            types.Tool(
                name=name,
                description=own.description,
                input_schema=own.arguments.model_json_schema(),
                output_schema={
                    "type": "object",
                    "properties": {key: {"type": kind} for key, kind in own.answers.items()},
                    "required": list(own.answers),
                },
                annotations=own.annotations,
            )
            for name, own in self._tools.items()
        ]

    async def call(self, name: str, arguments: JsonObject, call: Call) -> JsonObject:
        """Run one of them."""
        return cast("dict[str, Json]", to_json(await self._tools[name].work(arguments, call)))

    @property
    def _project(self) -> str:
        return self._facade.settings.project

    async def _search(self, arguments: JsonObject, _call: Call) -> object:
        given = read(SearchArguments, arguments)
        where = Filter(
            project=self._project,
            layers=tuple(Layer(name) for name in given.layers) or tuple(Layer),
            tags=tuple(given.tags),
            kind=given.kind,
        )
        found = await self._facade.search(Query(text=given.query, filter=where, limit=given.limit))
        return {"hits": [_hit_data(hit) for hit in found.hits]}

    async def _add(self, arguments: JsonObject, call: Call) -> object:
        given = read(AddArguments, arguments)
        if not given.text.strip():
            raise InvalidInputError("there is nothing to remember", hint="give a text")
        record = NewRecord(
            text=given.text.strip(), kind=given.kind, tags=tuple(dict.fromkeys(given.tags)), trust=Trust.TOOL
        )
        stored = await call.listening(lambda listen: self._facade.add([record], listen))
        return {"ids": stored.ids, "notices": stored.notices}

    async def _why(self, arguments: JsonObject, _call: Call) -> object:
        wanted = read(WhyArguments, arguments).id
        found = await self._facade.lifecycle.why(wanted)
        seen = [image.record for entry in found.ledger for image in (*entry.before, *entry.after)]
        seen += [one.record for one in found.lineage if one.record]
        projects = {record.project for record in (found.record, *seen) if record is not None}
        if projects - {self._project}:
            raise NotFoundError(f"no record {wanted!r}", hint="search for it first: memory_search")
        return {
            "record": record_data(found.record) if found.record else None,
            "lineage": [
                {"id": one.id, "gone": one.gone, "record": record_data(one.record) if one.record else None}
                for one in found.lineage
            ],
            "ledger": [entry_data(entry) for entry in found.ledger],
        }

    async def _ingest(self, arguments: JsonObject, call: Call) -> object:
        given = read(IngestArguments, arguments)
        paths = [await to_thread.run_sync(self._below_roots, text) for text in given.paths]
        return await call.listening(lambda listen: self._facade.ingest(paths, None, listen))

    def _below_roots(self, text: str) -> Path:
        """Return a path that a client may have ingested; what it names may not lie elsewhere, links followed."""
        if not self._roots:
            raise DeniedError(
                "no folder may be ingested", hint="start the server in a project's folder, or with --root FOLDER"
            )
        if "\0" in text:
            raise InvalidInputError("a path holds a zero byte")
        path = (self._roots[0] / text).resolve()
        if not any(path.is_relative_to(root.resolve()) for root in self._roots):
            raise DeniedError(
                f"{text!r} lies outside of what may be ingested", hint="start the server with --root FOLDER"
            )
        if not path.exists():
            raise InvalidInputError(f"{text!r} does not exist")
        return path


def _hit_data(hit: Hit) -> dict[str, object]:
    return {**record_data(hit.record), "score": hit.score}
