"""Words as BM25 counts them: SQLite's full-text tokenizer (Unicode, no accents, Porter stems) without stop words.

LanceDB stems with Snowball's English, which agrees with Porter on nearly every word.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from threading import Lock

from ourcli.common.errors import StoreError

_STOP_WORDS = frozenset(
    re.split(
        r"\s+",
        """
        i me my myself we our ours you your yours yourself he him his himself she her hers herself it its itself
        they them their theirs what which who whom this that these those am is are was were be been being have
        has had having do did doing should a an the and but if or as until while of at by for with about against
        between into through after below to from up down in out on off over under again further then here there
        when where how all both each few more most other some such no nor not own same so than too will can just
        don now s t
        """.strip(),
    )
)
"""The words that LanceDB leaves out, as it was seen to."""
_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 50_000
_TABLES = """
CREATE VIRTUAL TABLE texts USING fts5(words, tokenize = 'porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE terms USING fts5vocab(texts, 'instance');
"""


class Stemmer:
    """Counts stemmed words, by a database in memory that sees each word once; may be used in any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stems: dict[str, tuple[str, ...]] = {}
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.executescript(_TABLES)

    def counts(self, texts: Sequence[str]) -> list[Counter[str]]:
        """Return how often each stem stands in each text."""
        split = [_WORD.findall(text.lower()) for text in texts]
        with self._lock:
            if len(self._stems) > _MOST_WORDS:
                self._stems.clear()
            self._learn({word for words in split for word in words} - self._stems.keys())
            return [Counter(stem for word in words for stem in self._stems[word]) for words in split]

    def _learn(self, words: set[str]) -> None:
        new = sorted(words)
        stems: list[list[str]] = [[] for _ in new]
        rows = [(place, _storable(word)) for place, word in enumerate(new) if word not in _STOP_WORDS]
        try:
            self._connection.execute("BEGIN")
            self._connection.executemany("INSERT INTO texts (rowid, words) VALUES (?, ?)", rows)
            for place, term in self._connection.execute("SELECT doc, term FROM terms ORDER BY doc, offset"):
                stems[place].append(term)
            self._connection.execute("ROLLBACK")
        except sqlite3.Error as exc:
            raise StoreError(f"cannot read the words of a text: {exc}") from exc
        self._stems |= {word: tuple(found) for word, found in zip(new, stems, strict=True)}

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._connection.close()


def _storable(word: str) -> str:
    return word.encode("utf-8", "replace").decode("utf-8")
