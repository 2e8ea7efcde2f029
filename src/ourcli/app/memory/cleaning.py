"""Joins everything under the home that may hold a record to the one who forgets.

Whatever is added to ourcli that keeps a record's words or id belongs into this list.
"""

from ourcli.ai.backends.embedding_forgetting import EmbeddingForgetting
from ourcli.app.memory.chat_history import ChatHistory
from ourcli.app.memory.forgetting import Forgetting
from ourcli.app.memory.moving import Moving
from ourcli.app.sessions import Sessions
from ourcli.common.clock import Clock
from ourcli.common.events import EventSink
from ourcli.common.forgetting import Forgettable
from ourcli.config.locations import Home
from ourcli.memory.backends.database import Database
from ourcli.memory.backends.sqlite_erasures import SqliteErasures
from ourcli.memory.forgetting import RecordsForgetting
from ourcli.memory.ports import RecordStore
from ourcli.observability.backends.jsonl import JsonLines
from ourcli.observability.forgetting import LogForgetting
from ourcli.tools.backends.undo_store import UndoStore


def open_forgetting(
    *,
    home: Home,
    store: RecordStore,
    database: Database,
    moving: Moving,
    tokens: Forgettable,
    clock: Clock,
    sink: EventSink,
) -> Forgetting:
    """Return what forgets, over an open store and its file."""
    places: tuple[Forgettable, ...] = (
        RecordsForgetting(store),
        moving.forgetting,
        tokens,
        EmbeddingForgetting(home.embeddings),
        LogForgetting(JsonLines(home.events), "event log"),
        LogForgetting(JsonLines(home.diagnostics), "diagnostic log"),
        Sessions(home.sessions, clock),
        ChatHistory(home.chat_history),
        UndoStore(home.undo, clock),
    )
    return Forgetting(
        store=store,
        ledger=moving.ledger,
        book=SqliteErasures(database),
        places=places,
        clock=clock,
        sink=sink,
    )
