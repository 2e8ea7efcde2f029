"""A store as ourcli wrote it before formats had numbers: three tables without context, and a journal of its own."""

import json
import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from ourcli.memory.backends import arrow, lance_facts
from ourcli.memory.backends.lance_import import FTS
from ourcli.memory.backends.lance_opening import connect
from ourcli.memory.backends.record_json import to_json
from ourcli.memory.layers import Layer
from ourcli.memory.record import Record
from ourcli.memory.vectors import Matrix, Vector

_NEW = {"context", "indexed", "source_page"}
_JOURNAL = """
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('upsert', 'delete')),
    id TEXT NOT NULL,
    layer TEXT,
    record TEXT,
    vector BLOB,
    crc INTEGER NOT NULL
) STRICT
"""


async def write_store(folder: Path, records: Sequence[Record], vectors: Matrix) -> None:
    """Write a store of format 1, its records in the tables."""
    database = await connect(folder)
    for layer in Layer:
        places = [place for place, record in enumerate(records) if record.layer is layer]
        rows = arrow.to_table([records[place] for place in places], vectors[places]).drop_columns(list(_NEW))
        table = await database.create_table(layer.value, rows)
        await table.create_index("text", config=FTS())
    facts = lance_facts.Facts(await database.create_table("facts", schema=lance_facts.SCHEMA))
    await facts.note(lance_facts.MODEL, "digest")
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal:
        journal.execute("PRAGMA journal_mode = WAL")
        journal.execute(_JOURNAL)
        journal.execute("PRAGMA user_version = 1")


def put_in_journal(folder: Path, record: Record, vector: Vector) -> None:
    """Add a row to the journal of a store of format 1."""
    cells = json.loads(to_json(record))
    del cells["context"]
    if cells["source"]:
        cells["source"].pop()
    blob = np.asarray(vector, dtype="<f4").tobytes()
    row = ["upsert", record.id, record.layer.value, json.dumps(cells)]
    crc = zlib.crc32(blob, zlib.crc32(json.dumps(row).encode()))
    with closing(sqlite3.connect(folder / "journal.sqlite")) as journal, journal:
        journal.execute(
            "INSERT INTO changes (kind, id, layer, record, vector, crc) VALUES (?, ?, ?, ?, ?, ?)", (*row, blob, crc)
        )
