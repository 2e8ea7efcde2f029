"""Words as BM25 counts them: SQLite's full-text tokenizer (Unicode, no accents, Porter stems) without stop words.

LanceDB stems with Snowball's English, which agrees with Porter on nearly every word.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from threading import Lock

from ourcli.common.errors import StoreError

_STOP_WORDS = re.compile(
    r"\b(?:an?|and|are|as|at|be|but|by|for|if|in|into|is|it|no|not|of|on|or|such|that|the|their|then|there|these|they|"
    r"this|to|was|will|with)\b",
    re.IGNORECASE,
)
_TABLES = """
CREATE VIRTUAL TABLE texts USING fts5(words, tokenize = 'porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE terms USING fts5vocab(texts, 'instance');
"""


class Stemmer:
    """Counts stemmed words, by a database in memory; may be used in any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.executescript(_TABLES)

    def counts(self, texts: Sequence[str]) -> list[Counter[str]]:
        """Return how often each stem stands in each text."""
        counted: list[Counter[str]] = [Counter() for _ in texts]
        clean = [(place, _STOP_WORDS.sub(" ", _storable(text))) for place, text in enumerate(texts)]
        with self._lock:
            try:
                self._connection.executemany("INSERT INTO texts (rowid, words) VALUES (?, ?)", clean)
                for place, term, times in self._connection.execute(
                    "SELECT doc, term, count(*) FROM terms GROUP BY 1, 2"
                ):
                    counted[place][term] = times
                self._connection.execute("DELETE FROM texts")
            except sqlite3.Error as exc:
                raise StoreError(f"cannot read the words of a text: {exc}") from exc
        return counted

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._connection.close()


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
