"""The embedding cache: the same contract on the fake and on SQLite, then SQLite's own faults."""

import logging
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ourcli.ai.backends.embedding_cache import NullCache, SqliteEmbeddingCache, open_embedding_cache
from ourcli.ai.ports import EmbeddingCache, Matrix, PromptKind
from ourcli.common.clock import SystemClock
from ourcli.common.errors import StoreError
from ourcli.testing.embedding import FakeEmbeddingCache
from tests.promises import promise

QUERY, PASSAGE = PromptKind.QUERY, PromptKind.PASSAGE


class SteppingClock(SystemClock):
    """Stand still until moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def pass_hours(self, hours: float) -> None:
        self.moment += timedelta(hours=hours)


def vectors(*firsts: float) -> Matrix:
    matrix = np.full((len(firsts), 384), 0.25, dtype=np.float32)
    matrix[:, 0] = firsts
    return matrix


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "embeddings.sqlite"


@pytest.fixture(params=["fake", "sqlite"])
def cache(request: pytest.FixtureRequest, path: Path) -> Iterator[EmbeddingCache]:
    made: EmbeddingCache = (
        FakeEmbeddingCache() if request.param == "fake" else SqliteEmbeddingCache(path, clock=SystemClock())
    )
    yield made
    made.close()


def test_an_unknown_text_is_not_found(cache: EmbeddingCache) -> None:
    assert cache.get("m", QUERY, ["never seen"]) == {}
    assert cache.get("m", QUERY, []) == {}


def test_known_texts_are_found_by_position(cache: EmbeddingCache) -> None:
    cache.put("m", PASSAGE, ["one", "two"], vectors(1, 2))

    found = cache.get("m", PASSAGE, ["two", "three", "one", "two"])

    assert {position: vector.tolist() for position, vector in found.items()} == {
        0: vectors(2)[0].tolist(),
        2: vectors(1)[0].tolist(),
        3: vectors(2)[0].tolist(),
    }


def test_models_and_prompt_kinds_are_kept_apart(cache: EmbeddingCache) -> None:
    cache.put("m", PASSAGE, ["one"], vectors(1))

    assert cache.get("other", PASSAGE, ["one"]) == {}
    assert cache.get("m", QUERY, ["one"]) == {}


def test_a_text_that_is_put_again_is_replaced(cache: EmbeddingCache) -> None:
    cache.put("m", PASSAGE, ["one"], vectors(1))

    cache.put("m", PASSAGE, ["one"], vectors(9))

    assert cache.get("m", PASSAGE, ["one"])[0][0] == 9


def test_thousands_of_texts_are_looked_up_at_once(cache: EmbeddingCache) -> None:
    texts = [f"text {number}" for number in range(1200)]
    cache.put("m", PASSAGE, texts, vectors(*range(1200)))

    found = cache.get("m", PASSAGE, texts)

    assert [int(found[position][0]) for position in range(1200)] == list(range(1200))


def test_a_cache_of_nothing_finds_nothing() -> None:
    cache = NullCache()
    cache.put("m", PASSAGE, ["one"], vectors(1))

    assert cache.get("m", PASSAGE, ["one"]) == {}
    cache.close()


def put_one(path: Path) -> None:
    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        cache.put("m", PASSAGE, ["one"], vectors(1))


WRITER = """
import sys
from pathlib import Path
import numpy as np
from ourcli.ai.backends.embedding_cache import SqliteEmbeddingCache
from ourcli.ai.ports import PromptKind
from ourcli.common.clock import SystemClock
cache = SqliteEmbeddingCache(Path(sys.argv[1]), clock=SystemClock())
for number in range(100):
    cache.put("m", PromptKind.PASSAGE, [f"{sys.argv[2]} {number}"], np.full((1, 384), number, dtype=np.float32))
cache.close()
"""


@promise("ai.cache.persistent")
@promise("ai.cache.processes")
def test_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b", "c")]

    codes = [writer.wait() for writer in writers]

    assert codes == [0, 0, 0]
    texts = [f"{name} {number}" for name in ("a", "b", "c") for number in range(100)]
    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        assert len(cache.get("m", PASSAGE, texts)) == 300


@promise("ai.cache.private")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_its_files_are_private_and_hold_no_text(path: Path) -> None:
    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        cache.put("m", PASSAGE, ["the secret is out"], vectors(1))

        files = list(path.parent.iterdir())

        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert not any(b"secret" in file.read_bytes() for file in files)


@promise("ai.cache.bounded")
def test_the_least_recently_used_go_first(path: Path) -> None:
    clock = SteppingClock()
    with closing(SqliteEmbeddingCache(path, clock=clock, max_rows=100)) as cache:
        for number in range(100):
            cache.put("m", PASSAGE, [f"text {number}"], vectors(number))
            clock.pass_hours(2)
        cache.get("m", PASSAGE, ["text 0"])

        cache.put("m", PASSAGE, [f"new {number}" for number in range(20)], vectors(*range(20)))

        assert cache.get("m", PASSAGE, ["text 0", "new 0", "new 19", "text 99"]).keys() == {0, 1, 2, 3}
        assert cache.get("m", PASSAGE, ["text 1", "text 2"]) == {}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM vectors").fetchone()[0] <= 105


def test_use_is_noted_when_the_cache_closes_without_a_write(path: Path) -> None:
    clock = SteppingClock()
    with closing(SqliteEmbeddingCache(path, clock=clock)) as cache:
        cache.put("m", PASSAGE, ["one"], vectors(1))
        clock.pass_hours(5)
        cache.get("m", PASSAGE, ["one"])

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT used FROM vectors").fetchone()[0] == int(clock.now().timestamp())


@promise("ai.cache.damaged")
@pytest.mark.parametrize("size", [10, 5000])
def test_a_file_that_is_no_database_is_moved_aside(path: Path, size: int, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a db" * size)

    put_one(path)

    assert "begun anew" in caplog.text
    assert path.with_name("embeddings.sqlite.damaged").read_bytes() == b"not a db" * size
    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        assert cache.get("m", PASSAGE, ["one"]).keys() == {0}


@promise("ai.cache.damaged")
def test_a_file_damaged_while_open_is_moved_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        cache.put("m", PASSAGE, [f"text {number}" for number in range(300)], vectors(*range(300)))
    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        with path.open("r+b") as stream:
            stream.seek(4096)
            stream.write(b"\xff" * (path.stat().st_size - 4096))

        during = cache.get("m", PASSAGE, ["text 7"])
        cache.put("m", PASSAGE, ["text 7"], vectors(7))
        after = cache.get("m", PASSAGE, ["text 7"])

    assert during == {}
    assert after.keys() == {0}
    assert "begun anew" in caplog.text


def test_a_vector_whose_bytes_changed_is_not_returned(path: Path) -> None:
    put_one(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(1536)")

    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        assert cache.get("m", PASSAGE, ["one"]) == {}


def test_a_file_of_another_shape_is_begun_anew(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE vectors (something TEXT)")

    put_one(path)

    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        assert cache.get("m", PASSAGE, ["one"]).keys() == {0}


@promise("ai.cache.no-disk")
def test_a_home_that_cannot_be_written_costs_the_cache_and_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file in place of the folder")

    cache = open_embedding_cache(tmp_path / "cache" / "embeddings.sqlite", clock=SystemClock())

    cache.put("m", PASSAGE, ["one"], vectors(1))
    assert cache.get("m", PASSAGE, ["one"]) == {}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    cache.close()


def test_a_folder_in_place_of_the_file_is_an_error_of_the_store(path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(StoreError, match=r"embeddings\.sqlite"):
        SqliteEmbeddingCache(path, clock=SystemClock())


@promise("ai.cache.no-disk")
def test_a_full_disk_costs_later_vectors_and_one_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    resource = pytest.importorskip("resource", reason="this system has no limit on the size of files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache:
        cache.put("m", PASSAGE, ["one"], vectors(1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
        try:
            for number in range(200):
                cache.put("m", PASSAGE, [f"text {number}"], vectors(number))
            known = cache.get("m", PASSAGE, ["one"])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert known.keys() == {0}
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_cache_locked_by_another_is_skipped(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ourcli.ai.backends.embedding_cache._BUSY_S", 0.01)
    with closing(SqliteEmbeddingCache(path, clock=SystemClock())) as cache, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")

        cache.put("m", PASSAGE, ["one"], vectors(1))

        other.rollback()
        assert cache.get("m", PASSAGE, ["one"]) == {}
    assert "locked" in caplog.text
