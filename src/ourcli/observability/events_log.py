"""The event log: one line of JSON an event, `{at, event, run_id, ...}`, never with anybody's words."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import fields
from datetime import datetime

from ourcli.common.errors import StoreError
from ourcli.common.events import TRANSIENT_EVENTS, Event
from ourcli.observability.ports import LineLog

MOST_ITEMS = 100
"""A list longer than this is cut in the log; `NAME_total` says how long it was."""


class EventLog:
    """Write events down and read them back; an `EventSink` that never raises.

    Args:
        lines: Where lines are kept.
        warn: Told once, in a sentence, when the log cannot be written; the command goes on.
    """

    def __init__(self, lines: LineLog, *, warn: Callable[[str], None]) -> None:
        self._lines = lines
        self._warn = warn
        self._warned = False

    def emit(self, event: Event) -> None:
        """Write one event down; pieces of answers and progress are not for the log."""
        if isinstance(event, TRANSIENT_EVENTS):
            return
        try:
            self._lines.append(json.dumps(as_json(event), ensure_ascii=False))
        except StoreError as exc:
            if not self._warned:
                self._warned = True
                self._warn(f"events are not being logged: {exc.message}")

    async def tail(self, *, since: datetime | None = None, follow: bool = False) -> AsyncIterator[Mapping[str, object]]:
        """Yield logged events, oldest first; lines that are no event are skipped.

        Args:
            since: Not older than this, aware.
            follow: Go on with events that are logged later.
        """
        async for line in self._lines.lines(follow=follow):
            entry = _parse(line)
            if entry is not None and (since is None or _is_since(entry, since)):
                yield entry


def as_json(event: Event) -> dict[str, object]:
    """Return an event as JSON data: `at`, `event`, `run_id`, then its own fields."""
    entry: dict[str, object] = {
        "at": event.at.isoformat(timespec="milliseconds"),
        "event": type(event).__name__,
        "run_id": event.run_id,
    }
    for field in fields(event):
        if field.name in entry:
            continue
        value: object = getattr(event, field.name)
        if isinstance(value, tuple) and len(value) > MOST_ITEMS:
            entry[f"{field.name}_total"] = len(value)
            value = value[:MOST_ITEMS]
        entry[field.name] = value
    return entry


def _parse(line: str) -> Mapping[str, object] | None:
    try:
        entry: object = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "event" in entry else None


def _is_since(entry: Mapping[str, object], since: datetime) -> bool:
    try:
        return datetime.fromisoformat(str(entry.get("at"))) >= since
    except (ValueError, TypeError):
        return False
