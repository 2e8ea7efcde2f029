"""Format 1: three tables of records, their texts indexed by words; it has no number in the store."""

from ourcli.memory.migrations.migration import Migration

MIGRATION = Migration(format=1, what="three tables, one a layer, and a table of facts")
