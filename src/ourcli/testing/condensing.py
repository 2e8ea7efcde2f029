"""A condenser that cuts instead of thinking."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from ourcli.common.ids import RecordId, new_id
from ourcli.memory.ledger import Image
from ourcli.memory.record import DIMS
from ourcli.memory.vectors import Vector


@dataclass(slots=True)
class FakeCondenser:
    """Keep the first sentence of each text; `failure` is raised instead when it is set."""

    failure: Exception | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def distilled(self, image: Image) -> Image:
        """Return a record with its first sentence."""
        self._begin([image])
        text = _first_sentence(image.record.text)
        return Image(record=replace(image.record, text=text), vector=_vector(text))

    async def summary(self, images: Sequence[Image], at: datetime) -> Image:
        """Return a new record of the first sentences."""
        self._begin(images)
        text = " ".join(_first_sentence(one.record.text) for one in images)
        record = replace(
            images[0].record,
            id=RecordId(new_id(at)),
            text=text,
            kind="summary",
            parents=tuple(one.record.id for one in images),
        )
        return Image(record=record, vector=_vector(text))

    def _begin(self, images: Sequence[Image]) -> None:
        self.asked.append(tuple(one.record.id for one in images))
        if self.failure is not None:
            raise self.failure


def _first_sentence(text: str) -> str:
    return f"{text.split('.', maxsplit=1)[0]}."


def _vector(text: str) -> Vector:
    vector = np.zeros(DIMS, dtype=np.float32)
    vector[sum(text.encode()) % DIMS] = 1.0
    return vector
