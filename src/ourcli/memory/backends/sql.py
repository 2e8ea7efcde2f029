"""Filters as the SQL that the tables understand. Every value is quoted here and nowhere else."""

from collections.abc import Iterable
from datetime import UTC, datetime

from ourcli.memory.query import Filter


def quoted(text: str) -> str:
    """Return `text` as an SQL string literal; a quote is doubled, nothing else has a meaning inside."""
    return "'" + text.replace("'", "''") + "'"


def one_of(column: str, values: Iterable[str]) -> str:
    """Return the condition that a column holds one of the values."""
    return f"{column} IN ({', '.join(quoted(value) for value in values)})"


def _moment(at: datetime) -> str:
    return f"to_timestamp_micros({round(at.astimezone(UTC).timestamp() * 1_000_000)})"


def condition(where: Filter) -> str | None:
    """Return the SQL condition of a filter, or None when every row counts. Layers are tables, not part of it."""
    equal = {
        "project": where.project,
        "kind": where.kind,
        "session": where.session,
        "trust": where.trust.value if where.trust else None,
        "source_uri": where.source_uri,
    }
    parts = [f"{column} = {quoted(value)}" for column, value in equal.items() if value is not None]
    parts += [f"array_has(tags, {quoted(tag)})" for tag in where.tags]
    if where.ids:
        parts.append(one_of("id", where.ids))
    if where.parents:
        parts.append(f"array_has_any(parents, [{', '.join(quoted(parent) for parent in where.parents)}])")
    if where.since is not None:
        parts.append(f"ts >= {_moment(where.since)}")
    if where.until is not None:
        parts.append(f"ts <= {_moment(where.until)}")
    return " AND ".join(parts) or None
