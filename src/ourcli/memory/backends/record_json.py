"""A record as a line of JSON, and back without losing anything: how SQLite files keep records."""

import json
from datetime import UTC, datetime
from typing import Any

from ourcli.common.ids import RecordId
from ourcli.memory.layers import Layer
from ourcli.memory.record import Record, Source, Trust


def to_json(record: Record) -> str:
    """Return every field of a record; equal records give equal text."""
    source = record.source
    return json.dumps(
        {
            "id": record.id,
            "text": record.text,
            "layer": record.layer.value,
            "ts": record.ts.astimezone(UTC).isoformat(),
            "kind": record.kind,
            "tags": record.tags,
            "project": record.project,
            "session": record.session,
            "speaker": record.speaker,
            "turn": record.turn,
            "source": None if source is None else [source.uri, source.lines, source.sha256, source.page],
            "parents": record.parents,
            "trust": record.trust.value,
            "context": record.context,
            "model": record.model,
        }
    )


def from_json(text: str) -> Record:
    """Return the record that `to_json` wrote; what an earlier format did not know gets its default."""
    cells = json.loads(text)
    return Record(
        id=RecordId(cells["id"]),
        text=cells["text"],
        layer=Layer(cells["layer"]),
        ts=datetime.fromisoformat(cells["ts"]),
        kind=cells["kind"],
        tags=tuple(cells["tags"]),
        project=cells["project"],
        session=cells["session"],
        speaker=cells["speaker"],
        turn=cells["turn"],
        source=_source(cells["source"]),
        parents=tuple(RecordId(parent) for parent in cells["parents"]),
        trust=Trust(cells["trust"]),
        context=cells.get("context", ""),
        model=cells["model"],
    )


def _source(cells: list[Any] | None) -> Source | None:
    if cells is None:
        return None
    uri, lines, sha256, *page = cells
    return Source(
        uri=uri, lines=None if lines is None else (lines[0], lines[1]), sha256=sha256, page=page[0] if page else None
    )
