"""Records and the ledger's entries as clients get them, with the keys that commands print."""

from ourcli.memory.ledger import LedgerEntry
from ourcli.memory.record import Record

_SHOWN = ("id", "text", "layer", "kind", "project", "session", "ts", "tags", "source", "parents", "trust")


def record_data(record: Record) -> dict[str, object]:
    """Return a record without what only the store needs."""
    return {name: getattr(record, name) for name in _SHOWN}


def entry_data(entry: LedgerEntry) -> dict[str, object]:
    """Return a move; records stand in it without their vectors."""
    names = ("id", "verb", "rule", "rule_version", "at", "inputs", "sources", "trace_id", "undoes", "undone_by")
    images = {
        "before": [record_data(image.record) for image in entry.before],
        "after": [record_data(image.record) for image in entry.after],
    }
    return {name: getattr(entry, name) for name in names} | images
