"""A sink that keeps what it is told."""

from typing import TypeVar

from ourcli.common.events import Event

_Kind = TypeVar("_Kind", bound=Event)


class RecordingSink:
    """Keep every event, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def of(self, kind: type[_Kind]) -> list[_Kind]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]
