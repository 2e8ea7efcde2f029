"""Records as Arrow rows and back: the one place that knows the columns of the tables."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import numpy as np
import pyarrow as pa

from ourcli.common.ids import RecordId
from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS, Record, Source, Trust
from ourcli.memory.vectors import Matrix, Vector

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("embedding", pa.list_(pa.float32(), DIMS), nullable=False),
        pa.field("layer", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("tags", pa.list_(pa.string()), nullable=False),
        pa.field("project", pa.string(), nullable=False),
        pa.field("session", pa.string(), nullable=False),
        pa.field("ts", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("speaker", pa.string(), nullable=False),
        pa.field("turn", pa.int32()),
        pa.field("source_uri", pa.string()),
        pa.field("source_first", pa.int32()),
        pa.field("source_last", pa.int32()),
        pa.field("source_sha256", pa.string()),
        pa.field("parents", pa.list_(pa.string()), nullable=False),
        pa.field("trust", pa.string(), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("context", pa.string(), nullable=False),
        pa.field("indexed", pa.string(), nullable=False),
        pa.field("source_page", pa.int32()),
    ]
)
"""Columns of every table, in order; format 2 added the last three. The text index stands on `indexed`."""

RECORD_COLUMNS = [name for name in SCHEMA.names if name not in {"embedding", "indexed"}]
COLUMNS = [name for name in SCHEMA.names if name != "indexed"]


def to_table(records: Sequence[Record], vectors: Matrix) -> pa.Table:
    """Return records and their vectors (shape [n, 384], float32) as rows."""
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    columns: dict[str, Any] = {
        "id": [record.id for record in records],
        "text": [record.text for record in records],
        "embedding": pa.FixedSizeListArray.from_arrays(flat, DIMS),
        "layer": [record.layer.value for record in records],
        "kind": [record.kind for record in records],
        "tags": [list(record.tags) for record in records],
        "project": [record.project for record in records],
        "session": [record.session for record in records],
        "ts": [record.ts.astimezone(UTC) for record in records],
        "speaker": [record.speaker for record in records],
        "turn": [record.turn for record in records],
        "parents": [list(record.parents) for record in records],
        "trust": [record.trust.value for record in records],
        "model": [record.model for record in records],
        "context": [record.context for record in records],
        "indexed": [record.indexed for record in records],
        **_source_columns(records),
    }
    return pa.table([pa.array(columns[field.name], type=field.type) for field in SCHEMA], schema=SCHEMA)


def _source_columns(records: Sequence[Record]) -> dict[str, list[object]]:
    sources = [record.source for record in records]
    return {
        "source_uri": [source.uri if source else None for source in sources],
        "source_first": [source.lines[0] if source and source.lines else None for source in sources],
        "source_last": [source.lines[1] if source and source.lines else None for source in sources],
        "source_sha256": [source.sha256 if source else None for source in sources],
        "source_page": [source.page if source else None for source in sources],
    }


def to_records(rows: pa.Table) -> list[Record]:
    """Return rows as records; the embedding is not needed among the columns."""
    return [_record(row) for row in rows.select(RECORD_COLUMNS).to_pylist()]


def _record(row: dict[str, Any]) -> Record:
    return Record(
        id=RecordId(row["id"]),
        text=row["text"],
        layer=Layer(row["layer"]),
        ts=row["ts"].astimezone(UTC),
        kind=row["kind"],
        tags=tuple(row["tags"]),
        project=row["project"],
        session=row["session"],
        speaker=row["speaker"],
        turn=row["turn"],
        source=_source(row),
        parents=tuple(RecordId(parent) for parent in row["parents"]),
        trust=Trust(row["trust"]),
        context=row["context"],
        model=row["model"],
    )


def _source(row: dict[str, Any]) -> Source | None:
    if row["source_uri"] is None:
        return None
    first, last = row["source_first"], row["source_last"]
    lines = (first, last) if first is not None and last is not None else None
    return Source(uri=row["source_uri"], lines=lines, sha256=row["source_sha256"] or "", page=row["source_page"])


def to_vectors(rows: pa.Table) -> list[Vector]:
    """Return the embedding of each row, shape [384] each; views of one matrix."""
    return list(to_matrix(rows))


def to_matrix(rows: pa.Table) -> Matrix:
    """Return the embeddings of rows, shape [n, 384]."""
    if not rows.num_rows:
        return np.zeros((0, DIMS), dtype=np.float32)
    flat = rows["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat.reshape(rows.num_rows, DIMS))
