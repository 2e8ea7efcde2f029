"""Judged data: what is refused, and how memory would hold it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ourcli.app.bench.judged import CorpusLine, read, record_id, to_record
from ourcli.common.errors import InvalidInputError
from ourcli.memory.layers import Layer
from tests.promises import promise
from tests.support.records import NOON

QUESTION = {"id": "q", "query": "when?", "relevant": {"a": 1}}


def a_file(path: Path, lines: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="nothing to measure"):
        read(a_file(tmp_path / "corpus", []), a_file(tmp_path / "queries", [QUESTION]))


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    corpus = a_file(tmp_path / "corpus.jsonl", [{"id": "a", "text": "b"}, {"id": "b"}])
    with pytest.raises(InvalidInputError, match=r"corpus\.jsonl, line 2"):
        read(corpus, a_file(tmp_path / "queries", [QUESTION]))


def test_columns_of_a_data_set_s_own_are_left_alone(tmp_path: Path) -> None:
    corpus = a_file(tmp_path / "corpus", [{"id": "a", "text": "b", "caption": "c", "session": 1, "scope": "x"}])
    judged = read(corpus, a_file(tmp_path / "queries", [{**QUESTION, "answer": 2022}]))
    assert judged.questions[0].relevant == {"a": 1}
    assert judged.sessions() == {str(record_id("a")): "x/1"}


@promise("cli.bench.as-stored")
def test_a_turn_is_held_in_l1_with_session_speaker_and_date() -> None:
    line = CorpusLine(
        id="a", text="def f(): pass", scope="x", session=3, turn=4, date="1:56 pm on 8 May, 2023", speaker="Ann"
    )
    record = to_record(line, NOON)
    assert (record.layer, record.kind, record.project) == (Layer.INTERACT, "note", "x")
    assert (record.session, record.turn, record.speaker) == ("x/3", 4, "Ann")
    assert record.ts == datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


@promise("cli.bench.as-stored")
@pytest.mark.parametrize(
    ("text", "kind"), [("def f():\n    pass", "code"), ("One is so. Two is not.", "document"), ("a thing", "note")]
)
def test_all_else_is_held_in_l3_with_the_kind_it_looks_like(text: str, kind: str) -> None:
    record = to_record(CorpusLine(id="a", text=text), NOON)
    assert (record.layer, record.kind, record.session, record.ts) == (Layer.ASSETS, kind, "", NOON)
    assert to_record(CorpusLine(id="a", text=text, kind="decision"), NOON).kind == "decision"


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("2023-05-08", datetime(2023, 5, 8, tzinfo=UTC)),
        ("2023-05-08T12:00:00+02:00", datetime(2023, 5, 8, 10, tzinfo=UTC)),
        ("8 May, 2023", datetime(2023, 5, 8, tzinfo=UTC)),
        ("May 8, 2023", datetime(2023, 5, 8, tzinfo=UTC)),
        ("last Tuesday", NOON),
        ("", NOON),
    ],
)
def test_a_date_is_read_in_the_usual_ways_and_one_that_cannot_be_is_now(date: str, at: datetime) -> None:
    assert to_record(CorpusLine(id="a", text="b", date=date), NOON).ts == at
