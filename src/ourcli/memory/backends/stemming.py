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
    r"(?:"
    r"i|me|my|myself|we|our|ours|you|your|yours|yourself|he|him|his|himself|she|her|hers|herself|it|its|itself|"
    r"they|them|their|theirs|what|which|who|whom|this|that|these|those|am|is|are|was|were|be|been|being|have|"
    r"has|had|having|do|did|doing|should|a|an|the|and|but|if|or|as|until|while|of|at|by|for|with|about|against|"
    r"between|into|through|after|below|to|from|up|down|in|out|on|off|over|under|again|further|then|here|there|"
    r"when|where|how|all|both|each|few|more|most|other|some|such|no|nor|not|own|same|so|than|too|will|can|just|"
    r"don|now|s|t"
    r")",
    re.IGNORECASE,
)
"""The words that LanceDB leaves out, as it was seen to."""
_WORD = re.compile(r"[^\W_]+")
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
        clean = [(place, _telling(text)) for place, text in enumerate(texts)]
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


def _telling(text: str) -> str:
    """Return the words that tell something, in storable characters."""
    words = _WORD.findall(text.encode("utf-8", "replace").decode("utf-8"))
    return " ".join(word for word in words if not _STOP_WORDS.fullmatch(word))
