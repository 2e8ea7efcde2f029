"""A store of token vectors in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ourcli.common.forgetting import Erasure
from ourcli.memory.tokens import TokenKey, TokenRow, TokenVectors


@dataclass(slots=True)
class FakeTokenStore:
    """Keep token vectors in a dictionary, the least recently used first.

    Attributes:
        max_bytes: Bound; what is put with `keep` goes last.
        rows: What is kept, by record: its digest, its vectors, and whether it goes last.
    """

    max_bytes: int = 1_000_000_000
    rows: dict[str, tuple[str, TokenVectors, bool]] = field(default_factory=dict)
    name: str = "token vectors"

    async def get(self, keys: Sequence[TokenKey]) -> dict[str, TokenVectors]:
        """Return what is there, by the record's id; what was kept under another digest is not there."""
        found: dict[str, TokenVectors] = {}
        for key in keys:
            row = self.rows.get(key.id)
            if row is not None and row[0] == key.digest:
                self.rows[key.id] = self.rows.pop(key.id)
                found[key.id] = row[1]
        return found

    async def put(self, rows: Sequence[TokenRow], *, keep: bool) -> None:
        """Keep token vectors, one text a record, in the place of what was kept of it before."""
        for key, vectors in rows:
            self.rows.pop(key.id, None)
            self.rows[key.id] = (key.digest, vectors, keep)
        for goes_last in (False, True):
            for record_id in [one for one, row in self.rows.items() if row[2] is goes_last]:
                if self._bytes() > self.max_bytes:
                    del self.rows[record_id]

    def _bytes(self) -> int:
        return sum(vectors.codes.nbytes + vectors.scales.nbytes for _, vectors, _ in self.rows.values())

    async def erase(self, what: Erasure) -> int:
        """Remove the vectors of these records; return how many went."""
        return sum(self.rows.pop(record_id, None) is not None for record_id in what.ids)

    async def wipe(self) -> None:
        """Do nothing: what was removed is gone."""
