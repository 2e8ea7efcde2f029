"""The rows of a store to measure: every row follows from its number."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from ourcli.app.bench.grown_texts import Grower
from ourcli.common.ids import RecordId
from ourcli.memory.layers import Layer
from ourcli.memory.record import Record
from ourcli.memory.vectors import Matrix

CHUNK = 10_000
ASKED_PROJECT = "p1"
_PROJECTS = 4
_TURNS = 20
_KINDS = {Layer.ASSETS: "document", Layer.INSIGHTS: "decision", Layer.INTERACT: "turn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyRows:
    """So many rows: 90 % assets, 9 % insights, 1 % interact; a quarter of each in every project.

    Attributes:
        count: How many.
        grower: Makes texts and vectors.
        now: The newest row's time, aware.
    """

    count: int
    grower: Grower
    now: datetime

    def chunks(self) -> Iterator[tuple[list[Record], Matrix]]:
        """Yield all rows as records and vectors; the same ones every time."""
        for start in range(0, self.count, CHUNK):
            texts, vectors = self.grower.rows(start, min(CHUNK, self.count - start))
            yield [self._record(start + place, text) for place, text in enumerate(texts)], vectors

    def _record(self, number: int, text: str) -> Record:
        layer = layer_of(number)
        talk = layer is Layer.INTERACT
        return Record(
            id=RecordId(str(UUID(int=number))),
            text=text,
            layer=layer,
            ts=self.now - timedelta(minutes=number),
            kind=_KINDS[layer],
            project=f"p{number // 100 % _PROJECTS}",
            session=f"s{number // 100 // _TURNS}" if talk else "",
            speaker=("Anna", "Ben")[number // 100 % 2] if talk else "",
            turn=number // 100 % _TURNS if talk else None,
        )

    def nearest(self, questions: Matrix, k: int) -> list[set[str]]:
        """Return for each question the ids of the k rows that are truly nearest, by comparing all."""
        scores = np.full((len(questions), k), -np.inf, dtype=np.float32)
        places = np.zeros((len(questions), k), dtype=np.int64)
        start = 0
        for _, vectors in self.chunks():
            both = np.concatenate([scores, questions @ vectors.T], axis=1)
            at = np.broadcast_to(np.arange(start, start + len(vectors)), (len(questions), len(vectors)))
            from_all = np.concatenate([places, at], axis=1)
            best = np.argpartition(-both, k - 1, axis=1)[:, :k]
            scores, places = np.take_along_axis(both, best, axis=1), np.take_along_axis(from_all, best, axis=1)
            start += len(vectors)
        return [
            {str(UUID(int=int(one))) for one, score in zip(row, given, strict=True) if np.isfinite(score)}
            for row, given in zip(places, scores, strict=True)
        ]


def layer_of(number: int) -> Layer:
    """Return the layer of a row."""
    share = number % 100
    return Layer.ASSETS if share < 90 else Layer.INSIGHTS if share < 99 else Layer.INTERACT
