"""What the store knows about itself: a small table of keys and values."""

from typing import Any

import pyarrow as pa

from ourcli.memory.backends.lance_access import merge
from ourcli.memory.backends.sql import quoted

NAME = "facts"
SCHEMA = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("value", pa.string())])
MODEL = "embedding_model"
FORMAT = "format"
_NOT_NUMBERED = "1"


class Facts:
    """The open table of facts."""

    def __init__(self, table: Any) -> None:
        self.table = table

    async def value(self, key: str) -> str | None:
        """Return what is noted, or None."""
        rows = await self.table.query().where(f"key = {quoted(key)}").limit(1).to_list()
        return str(rows[0]["value"]) if rows else None

    async def note(self, key: str, value: str) -> None:
        """Note a value in place of an older one."""
        await merge(self.table, "key", pa.table({"key": [key], "value": [value]}, schema=SCHEMA))

    async def format(self) -> int:
        """Return the format of the store; the first one was not numbered."""
        return int(await self.value(FORMAT) or _NOT_NUMBERED)
