"""What a leg needs of a table's rows: which columns are read, how they are held, and how they become a leg."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ourcli.memory.backends import arrow
from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS
from ourcli.memory.retrieval.legs import NO_TURN
from ourcli.memory.retrieval.pool import Leg
from ourcli.memory.vectors import Matrix

ADDRESS = "_rowid"
"""Where a row stands: fragment and place in it. Never given to another row."""
HELD = {
    ADDRESS: ADDRESS,
    "id": "id",
    "ts": "ts",
    "kind": "kind",
    "session": "session",
    "turn": "turn",
    "speaker": "speaker",
    "project": "project",
    "chars": "character_length(text)",
}
"""What is read of the rows to hold, by name, as SQL."""
_WORDS = ("kind", "session", "speaker", "project")


def to_held(read: pa.Table) -> pa.Table:
    """Return the columns to hold: numbers without gaps, and words that repeat as dictionaries."""
    columns = {
        "id": read["id"],
        "ts": pc.cast(read["ts"], pa.int64()),
        "turn": pc.fill_null(read["turn"], NO_TURN),
        "chars": read["chars"],
        **{name: pc.dictionary_encode(read[name]) for name in _WORDS},
    }
    return pa.table(columns).combine_chunks()


def picked(held: pa.Table, places: NDArray[np.int64]) -> pa.Table:
    """Return the rows at these places, with plain words."""
    rows = held.take(places)
    return pa.table({name: _plain(rows[name]) for name in rows.column_names})


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(column, pa.string()) if pa.types.is_dictionary(column.type) else column


def of_project(held: pa.Table, project: str) -> NDArray[np.int64]:
    """Return the places of the rows of a project."""
    return np.flatnonzero(pc.equal(held["project"], project).to_numpy())


def to_unit(read: pa.Table) -> Matrix:
    """Return the embeddings of rows at unit length, [n, 384]; [0, 384] where they were not read."""
    if "embedding" not in read.column_names:
        return np.zeros((0, DIMS), dtype=np.float32)
    matrix = arrow.to_matrix(read)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)


def to_leg(layer: Layer, rows: pa.Table, vectors: Matrix, scores: NDArray[np.floating]) -> Leg:
    """Return rows (plain), their unit vectors and scores, best first, as a leg."""
    return Leg(
        layer=layer,
        ids=tuple(rows["id"].to_pylist()),
        scores=scores.astype(np.float64),
        vectors=vectors,
        ts_us=_numbers(rows["ts"]),
        kinds=tuple(rows["kind"].to_pylist()),
        sessions=tuple(rows["session"].to_pylist()),
        turns=_numbers(rows["turn"]),
        speakers=tuple(rows["speaker"].to_pylist()),
        chars=_numbers(rows["chars"]),
    )


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(column.to_numpy(), dtype=np.int64)
