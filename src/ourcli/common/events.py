"""Facts that rooms report, and the port they report them to.

Events are frozen values named in the past tense. Rooms emit them through an `EventSink`; the bus in
`core` is one sink, and `app` pumps it to the event log. Texts of records, prompts and answers are
never part of a logged event.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ourcli.common.ids import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        at: When, aware UTC.
        run_id: The run it belongs to, or None for work outside any run.
    """

    at: datetime
    run_id: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A plan began."""

    goal_chars: int
    recipe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """A plan ended; `state` is done, failed or cancelled."""

    state: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """A step of a plan began."""

    step: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """A step of a plan ended well."""

    step: str
    kind: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(Event):
    """A step of a plan failed; `error` is the error's kind, never its text."""

    step: str
    kind: str
    seconds: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTextProduced(Event):
    """A piece of the answer arrived. Delivered to the asker, never logged."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsStored(Event):
    """Records were added or replaced."""

    layer: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionContradicted(Event):
    """A record that was stored contradicts an older decision: `record` the new one, `older` the older one."""

    record: str
    older: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsForgotten(Event):
    """Records were forgotten at the user's word; which ones is forgotten too."""

    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsMoved(Event):
    """Records were promoted, demoted, summarised, tagged, pinned or unpinned.

    Attributes:
        entry: The ledger's entry.
        verb: What was done.
        rule: Who asked for it: a rule's name, or `user`.
        ids: The records, a new summary among them.
        target: The layer they are in now; "" where that did not change.
    """

    entry: str
    verb: str
    rule: str
    ids: tuple[str, ...]
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsExpired(Event):
    """Records were removed because a rule says that their time is over."""

    entry: str
    rule: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveUndone(Event):
    """A move was taken back: `entry` is the ledger's entry of that, `undoes` the one of the move."""

    entry: str
    undoes: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSkipped(Event):
    """A move that was due was not done; `reason` names no text of a record."""

    rule: str
    verb: str
    ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySearched(Event):
    """A search was answered."""

    hits: int
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressMade(Event):
    """Long work moved on. Delivered to the one who waits, never logged.

    Attributes:
        task: What is being done, in a few words.
        done: Units finished so far.
        total: Units in all, or None when unknown.
        unit: What is counted: `B`, `files`, `records`.
    """

    task: str
    done: int
    total: int | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesIngested(Event):
    """An ingestion ended."""

    files: int
    chunks: int
    removed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInstalled(Event):
    """A model was fetched and verified."""

    model: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCalled(Event):
    """A tool begins to run; what it is given is not told."""

    tool: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(Event):
    """A tool answered, and the answer fits its schema."""

    tool: str
    origin: str
    milliseconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFailed(Event):
    """A tool failed or was stopped; `error` is the error's kind, never its text."""

    tool: str
    origin: str
    milliseconds: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDenied(Event):
    """A tool did not run, because nobody granted it `capability`."""

    tool: str
    origin: str
    capability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolLogged(Event):
    """A tool wrote a line to its log. It may repeat what it was given: delivered to the caller, never logged."""

    tool: str
    origin: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsLost(Event):
    """A slow receiver lost the oldest events; `count` says how many."""

    count: int


class EventSink(Protocol):
    """Whatever takes events: the bus, a log, a test's list."""

    def emit(self, event: Event) -> None:
        """Take one event; never blocks and never raises."""
        ...


class NullSink:
    """Drop every event."""

    def emit(self, event: Event) -> None:
        """Drop it."""


TRANSIENT_EVENTS: tuple[type[Event], ...] = (AnswerTextProduced, ProgressMade, ToolLogged)
"""Events that are for the one who waits and carry text or noise: never logged."""
