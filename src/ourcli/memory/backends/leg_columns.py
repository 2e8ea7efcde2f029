"""What a leg needs of a table's rows: which columns are read, how they are held, and how they become a leg."""

from dataclasses import dataclass

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
TEXTS = ("text", "context")
"""What is long; the rest of a record is held of every row."""
_HELD = {
    ADDRESS: ADDRESS,
    **{name: name for name in arrow.RECORD_COLUMNS if name not in TEXTS},
    "chars": "character_length(text)",
}
LIGHT = _HELD
"""What is read of the rows of a large table to hold, by name, as SQL."""
WHOLE = {**_HELD, **{name: name for name in (*TEXTS, "embedding")}}
"""What is read of the rows of a small table to hold."""
TOLD = ("id", "ts", "kind", "session", "turn", "speaker", "chars")
"""What a leg tells of a row."""
NO_ROWS = pa.table(
    {name: pa.array([], type=arrow.SCHEMA.field(name).type) for name in LIGHT if name in arrow.SCHEMA.names}
    | {"chars": pa.array([], type=pa.int32())}
)
_REPEATED = frozenset(
    {"layer", "kind", "project", "session", "speaker", "source_uri", "source_sha256", "trust", "model"}
)


def to_held(read: pa.Table) -> pa.Table:
    """Return the columns to hold, without address and vectors; words that repeat become dictionaries."""
    names = [name for name in read.column_names if name not in {ADDRESS, "embedding"}]
    return pa.table({name: _encoded(name, read[name]) for name in names}).combine_chunks()


def _encoded(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.dictionary_encode(column) if name in _REPEATED else column


def plain(held: pa.Table) -> pa.Table:
    """Return rows with plain words in place of dictionaries."""
    return pa.table({name: _plain(held[name]) for name in held.column_names})


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Told:
    """What legs tell of rows, as arrays: taking a few hundred rows of them is ten times as quick as of an Arrow table.

    Attributes:
        ids, kinds, sessions, speakers: Words, [n].
        ts_us: Microseconds since 1970 UTC, [n].
        turns: -1 for none, [n].
        chars: Length of the text, [n].
    """

    ids: NDArray[np.object_]
    kinds: NDArray[np.object_]
    sessions: NDArray[np.object_]
    speakers: NDArray[np.object_]
    ts_us: NDArray[np.int64]
    turns: NDArray[np.int64]
    chars: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pa.Table) -> "Told":
        """Return the columns of held rows."""
        return cls(
            ids=_words(rows["id"]),
            kinds=_words(rows["kind"]),
            sessions=_words(rows["session"]),
            speakers=_words(rows["speaker"]),
            ts_us=_numbers(pc.cast(rows["ts"], pa.int64())),
            turns=_numbers(pc.fill_null(rows["turn"], NO_TURN)),
            chars=_numbers(rows["chars"]),
        )

    def taken(self, places: NDArray[np.int64]) -> "Told":
        """Return the rows at these places, in their order."""
        return Told(
            ids=self.ids[places],
            kinds=self.kinds[places],
            sessions=self.sessions[places],
            speakers=self.speakers[places],
            ts_us=self.ts_us[places],
            turns=self.turns[places],
            chars=self.chars[places],
        )

    def leg(self, layer: Layer, vectors: Matrix, scores: NDArray[np.floating]) -> Leg:
        """Return these rows, best first, with their unit vectors and scores as a leg."""
        return Leg(
            layer=layer,
            ids=tuple(self.ids.tolist()),
            scores=scores.astype(np.float64),
            vectors=vectors,
            ts_us=self.ts_us,
            kinds=tuple(self.kinds.tolist()),
            sessions=tuple(self.sessions.tolist()),
            turns=self.turns,
            speakers=tuple(self.speakers.tolist()),
            chars=self.chars,
        )


def _words(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Return words; `to_pylist` takes ten times as long."""
    return np.asarray(_plain(column).to_numpy(zero_copy_only=False), dtype=np.object_)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int64]:
    return np.asarray(column.to_numpy(), dtype=np.int64)
