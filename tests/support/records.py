"""Records and vectors for tests of memory."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from ourcli.common.ids import RecordId, new_id
from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS, Record
from ourcli.memory.vectors import Matrix

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_record(text: str, **changes: object) -> Record:
    """Return a record of the insights layer, written at noon."""
    base = Record(id=RecordId(new_id(NOON)), text=text, layer=Layer.INSIGHTS, ts=NOON)
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names fields of Record


def axis(*places: int) -> Matrix:
    """Return unit vectors, one an argument, each along its own axis; shape [n, 384]."""
    matrix = np.zeros((len(places), DIMS), dtype=np.float32)
    matrix[np.arange(len(places)), places] = 1.0
    return matrix
