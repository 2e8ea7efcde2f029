"""`memory add|search|get|list|stats|forget|export|import|reembed`."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ourcli.cli import bulk
from ourcli.common.errors import StoreError
from ourcli.memory.layers import Layer
from ourcli.memory.record import DIMS, Source, Trust
from ourcli.testing.service import MORNING, FakeService, a_record
from tests.cli.running import Run
from tests.promises import promise


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add",), "nothing to remember"),
        (("add", "  "), "nothing to remember"),
        (("add", "-"), "nothing to remember"),
        (("add", "x", "--jsonl", "-"), "not both"),
        (("add", "x", "--layer", "attic"), "--layer"),
        (("add", "x", "--ts", "yesterday"), "no ISO date or time"),
        (("add", "--jsonl", "/no/such/file"), "cannot read '/no/such/file'"),
        (("search", " "), "the query is empty"),
        (("search", "x", "--layers", "insights,attic"), "no layer 'attic'"),
        (("search", "x", "--top-k", "0"), "--top-k"),
        (("forget",), "say what to forget"),
        (("forget", "a", "--session", "s"), "say what to forget"),
    ],
)
def test_wrong_words_are_usage_errors(run: Run, service: FakeService, words: tuple[str, ...], message: str) -> None:
    ran = run("memory", *words)

    assert ran.code == 2
    assert message in ran.err
    assert not service.stored


@promise("cli.memory.add-lines")
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "line 3: Invalid JSON"),
        ("[]", "line 3: Input should be an object"),
        ("{}", "line 3: text: Field required"),
        ('{"txt": "x"}', "line 3: unknown key 'txt'; did you mean 'text'?"),
        ('{"text": ""}', "line 3: text: "),
        ('{"text": "x", "layer": "attic"}', "line 3: layer: "),
        ('{"text": "x", "turn": -1}', "line 3: turn: "),
        ('{"text": "x", "embedding": [1.0]}', "line 3: embedding: "),
        ('{"text": "x", "ts": "soon"}', "line 3: ts: "),
    ],
)
def test_a_wrong_line_is_named_with_its_reason(run: Run, service: FakeService, line: str, reason: str) -> None:
    ran = run("memory", "add", "--jsonl", "-", stdin=f'{{"text": "a"}}\n\n{line}\n')

    assert ran.code == 1
    assert f"error: {reason}" in ran.err
    assert "hint: nothing was stored; a line is one JSON object" in ran.err
    assert not service.stored


@promise("cli.memory.add-lines")
def test_lines_are_stored_in_batches_and_acknowledged_as_they_are_safe(
    run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BATCH_RECORDS", 2)
    lines = "\n".join(f'{{"text": "{n}"}}' for n in range(5)) + "\n{}\n"

    ran = run("memory", "add", "--jsonl", "-", stdin=lines)

    assert ran.code == 1
    assert service.batches == [2, 2]
    assert ran.out == "0190-1\n0190-2\n0190-3\n0190-4\n"
    assert "the 4 records before this batch are stored" in ran.err


@promise("cli.memory.add-lines")
def test_a_line_may_say_everything_about_a_record(run: Run, service: FakeService, tmp_path: Path) -> None:
    line = {
        "text": "said",
        "id": "0190-9",
        "layer": "interact",
        "kind": "question",
        "tags": ["a", "b", "a"],
        "project": "p",
        "session": "s",
        "speaker": "Ann",
        "turn": 3,
        "ts": "2026-01-02T05:04:05+02:00",
        "source": {"uri": "/f", "lines": [1, 2], "sha256": "ab", "page": 3},
        "embedding": [1.0] + [0.0] * (DIMS - 1),
    }
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps(line), encoding="utf-8")

    ran = run("memory", "add", "--jsonl", str(file), "--json")

    assert json.loads(ran.out) == {"ids": ["0190-9"], "redacted": [], "contradicts": []}
    assert service.stored["0190-9"] == a_record(
        "said",
        9,
        layer=Layer.INTERACT,
        kind="question",
        tags=("a", "b"),
        project="p",
        session="s",
        speaker="Ann",
        turn=3,
        ts=MORNING,
        source=Source(uri="/f", lines=(1, 2), sha256="ab", page=3),
    )


@promise("cli.memory.add")
def test_a_text_is_stored_with_what_the_options_say(run: Run, service: FakeService) -> None:
    ran = run(
        *("memory", "add", "We decided", "to cache", "--tag", "decision", "--kind", "decision"),
        *("--session", "s", "--layer", "assets", "--ts", "2026-01-02T03:04:05Z", "--project", "p"),
    )

    assert (ran.code, ran.out) == (0, "0190-1\n")
    assert service.stored["0190-1"] == a_record(
        "We decided to cache", tags=("decision",), kind="decision", session="s", layer=Layer.ASSETS, project="p"
    )


@promise("cli.memory.add")
def test_a_dash_reads_the_text_from_stdin(run: Run, service: FakeService) -> None:
    run("memory", "add", "-", stdin="two\nlines\n")

    assert service.stored["0190-1"].text == "two\nlines"


@promise("cli.memory.search")
def test_every_filter_reaches_the_facade(run: Run, service: FakeService) -> None:
    run(
        *("memory", "search", "cache", "TTL", "--layers", "insights,assets", "--top-k", "3", "--candidates", "50"),
        *("--rerank", "0", "--tag", "a", "--tag", "b", "--kind", "note", "--session", "s", "--trust", "user"),
        *("--since", "2026-01-01", "--until", "2026-01-02", "--project", "p"),
    )

    query = service.queries[0]
    assert (query.text, query.limit, query.candidates, query.rerank) == ("cache TTL", 3, 50, 0)
    where = query.filter
    assert (where.project, where.layers) == ("p", (Layer.INSIGHTS, Layer.ASSETS))
    assert (where.tags, where.kind, where.session, where.trust) == (("a", "b"), "note", "s", Trust.USER)
    assert where.since == datetime(2026, 1, 1, tzinfo=UTC)
    assert where.until == datetime(2026, 1, 2, 23, 59, 59, 999999, tzinfo=UTC)


@promise("cli.memory.search")
def test_one_project_is_searched_alone_unless_all_are_asked_for(run: Run, service: FakeService) -> None:
    run("memory", "search", "cache")
    run("memory", "search", "cache", "--all-projects")

    assert [query.filter.project for query in service.queries] == ["default", None]


@promise("cli.memory.search")
def test_hits_carry_the_keys_of_the_contract(run: Run, service: FakeService) -> None:
    service.stored["0190-1"] = a_record("TTL is 15", tags=("t",))

    found = json.loads(run("memory", "search", "TTL", "--json").out)

    assert found == {
        "hits": [
            {
                "id": "0190-1",
                "text": "TTL is 15",
                "layer": "insights",
                "kind": "note",
                "project": "default",
                "session": "",
                "ts": "2026-01-02T03:04:05.000Z",
                "tags": ["t"],
                "source": None,
                "score": 0.5,
                "card": {
                    "vector": {"rank": 1, "score": 0.75},
                    "text": {"rank": None, "score": 0.0},
                    "fused": 0.5,
                    "layer_weight": 1.0,
                    "recency": 1.0,
                    "rerank": None,
                    "kept": "top 10",
                    "features": {},
                    "model": "",
                    "duplicates": 0,
                },
            }
        ],
        "timing_ms": {"embed": 1.0, "vector": 2.0, "text": 3.0, "fuse": 0.5, "rerank": 0.0, "total": 6.5},
    }


@promise("cli.memory.search")
def test_hits_are_explained_when_asked(run: Run, service: FakeService) -> None:
    service.stored["0190-1"] = a_record("TTL is 15")

    plain, explained = run("memory", "search", "TTL"), run("memory", "search", "TTL", "--explain")

    assert plain.out == "#  score  layer     text       place  id\n1  0.500  insights  TTL is 15         0190-1\n"
    assert explained.out.splitlines()[1].split()[:9] == [
        *("1", "0.500", "0.750", "(1.)", "-", "0.500", "-", "1.00", "1.00")
    ]
    assert "total 6.5" in explained.err


@promise("cli.memory.search")
def test_an_explanation_names_weights_duplicates_and_the_share_of_every_feature(run: Run, service: FakeService) -> None:
    service.stored["0190-1"] = a_record("TTL is 15")
    service.card = replace(
        service.card, model="talk", duplicates=2, features={"text": 0.125, "vector": 0.375, "turn": -0.0001}
    )

    lines = run("memory", "search", "TTL", "--explain").out.splitlines()

    assert lines[0].split()[5:11] == ["weights", "layer", "recency", "rerank", "like", "it"]
    assert (lines[1].split()[6], "+2" in lines[1].split()) == ("talk", True)
    assert lines[2:] == ["", "what `fused` is made of:", "1. vector +0.375, text +0.125"]


def test_nothing_found_is_said_on_stderr(run: Run) -> None:
    ran = run("memory", "search", "TTL")

    assert (ran.code, ran.out, ran.err) == (0, "", "nothing found\n")


@promise("cli.memory.get")
def test_a_record_is_shown(run: Run, service: FakeService) -> None:
    service.stored["0190-1"] = a_record("TTL is 15", tags=("a", "b"))

    shown, data, missing = (
        run("memory", "get", "0190-1"),
        run("memory", "get", "0190-1", "--json"),
        run("memory", "get", "x"),
    )

    assert "tags: a, b\n" in shown.out
    assert shown.out.endswith("\n\nTTL is 15\n")
    assert json.loads(data.out)["record"]["text"] == "TTL is 15"
    assert (missing.code, missing.err) == (1, "error: no record 'x'\nhint: `ourcli memory list` shows what there is\n")


@promise("cli.memory.list")
def test_records_of_the_project_are_listed(run: Run, service: FakeService) -> None:
    service.stored |= {"0190-1": a_record("note"), "0190-2": a_record("doc", 2, layer=Layer.ASSETS)}

    shown, data = run("memory", "list"), run("memory", "list", "--layer", "assets", "--limit", "0", "--json")

    assert shown.out.splitlines()[1].split() == ["0190-1", "insights", "note", "2026-01-02T03:04:05.000Z", "note"]
    assert [record["id"] for record in json.loads(data.out)["records"]] == ["0190-2"]
    assert [where.project for where in service.filters] == ["default", "default"]


@promise("cli.memory.stats")
def test_stats_have_the_keys_of_the_contract(run: Run, service: FakeService) -> None:
    service.stored["0190-1"] = a_record("note")

    layers = json.loads(run("memory", "stats", "--json").out)["layers"]

    assert set(layers) == {"interact", "insights", "assets"}
    assert layers["insights"] == {"rows": 1, "unindexed": 0, "fragments": 1, "bytes": 2048}


@promise("cli.memory.forget")
def test_what_is_forgotten_is_said_and_with_an_unknown_id_nothing_is(run: Run, service: FakeService) -> None:
    service.stored |= {"0190-1": a_record("a"), "0190-2": a_record("b", 2, session="s")}

    refused = run("memory", "forget", "0190-1", "gone")
    by_id = run("memory", "forget", "0190-1", "--json")
    by_session = run("memory", "forget", "--session", "s")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "error: no record 'gone'\nhint: nothing was forgotten\n"
    assert json.loads(by_id.out) == {"forgotten": ["0190-1"]}
    assert by_session.out == "0190-2\n"


@promise("cli.memory.export-import")
def test_what_is_exported_can_be_imported_with_its_origin(run: Run, service: FakeService, tmp_path: Path) -> None:
    from_web = a_record(
        "from the web", trust=Trust.WEB, parents=("0190-0",), project="p", model="digest", context="Ann:"
    )
    service.stored["0190-1"] = from_web
    file = tmp_path / "out" / "memory.jsonl"

    exported = run("memory", "export", str(file), "--project", "p", "--json")
    service.stored.clear()
    imported = run("memory", "import", str(file), "--json")

    assert json.loads(exported.out) == {"exported": 1, "path": str(file)}
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(imported.out) == {"imported": 1, "redacted": []}
    assert service.stored["0190-1"] == from_web


def test_an_export_to_stdout_is_json_lines(run: Run, service: FakeService) -> None:
    service.stored |= {"0190-1": a_record("a"), "0190-2": a_record("b", 2)}

    lines = [json.loads(line) for line in run("memory", "export", "-", "--all-projects").out.splitlines()]

    assert [line["text"] for line in lines] == ["a", "b"]
    assert len(lines[0]["embedding"]) == DIMS
    assert service.filters[0].project is None


def test_a_failed_export_leaves_the_old_file(run: Run, service: FakeService, tmp_path: Path) -> None:
    file = tmp_path / "memory.jsonl"
    file.write_text("old", encoding="utf-8")
    service.failure = StoreError("the disk is gone")

    ran = run("memory", "export", str(file))

    assert ran.code == 1
    assert [path.read_text("utf-8") for path in tmp_path.glob("*.jsonl")] == ["old"]


@promise("cli.memory.reembed")
def test_reembedding_says_how_many(run: Run, service: FakeService) -> None:
    service.stored["0190-1"] = a_record("a")

    assert run("memory", "reembed").out == "1 records embedded again\n"
    assert json.loads(run("memory", "reembed", "--json").out) == {"reembedded": 1}
