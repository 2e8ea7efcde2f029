"""`setup`, `models`, `recipes`, `ingest`, `events`, `bench`."""

import json
from pathlib import Path

import pytest

from ourcli.cli.invocation import Invocation
from ourcli.testing.models import a_download, a_model
from ourcli.testing.service import FakeService
from tests.cli.running import Run
from tests.promises import promise


@promise("cli.setup.consent")
def test_setup_without_a_person_needs_yes(run: Run, service: FakeService) -> None:
    service.downloads = [a_download()]

    ran = run("setup")

    assert ran.code == 3
    assert ran.out.splitlines()[1].split()[:3] == ["tiny", "1.5", "MB"]
    assert "wheel tiny-model==1.0" in ran.out
    assert "fits 2 cores and 4 GB" in ran.out
    assert "Apache-2.0" in ran.out
    assert ran.err.endswith("hint: add --yes\n")
    assert not service.registry["tiny"].installed


@promise("cli.setup.consent")
@pytest.mark.parametrize(("answer", "code", "installed"), [("y\n", 0, True), ("n\n", 1, False), ("\n", 0, True)])
def test_setup_asks_the_person(
    run: Run, service: FakeService, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, installed: bool
) -> None:
    service.downloads = [a_download()]
    monkeypatch.setattr(Invocation, "interactive", property(lambda _self: True))

    ran = run("setup", stdin=answer)

    assert ran.code == code
    assert "Download?" in ran.err
    assert service.registry["tiny"].installed is installed


@promise("cli.setup.models")
def test_setup_fetches_what_is_missing(run: Run, service: FakeService) -> None:
    service.downloads = [a_download()]

    ran = run("setup", "--yes", "--llm", "tiny", "--json")

    assert ran.code == 0
    model = json.loads(ran.out)["models"][0]
    assert (model["id"], model["path"], model["bytes"]) == ("tiny", "/models/tiny/tiny.gguf", 1_500_000)
    assert model["sha256"] == "ab" * 32
    assert ("setup", ("tiny", False)) in service.calls


@promise("cli.setup.models")
def test_setup_with_nothing_to_do_says_so_and_asks_nothing(run: Run, service: FakeService) -> None:
    service.registry["tiny"] = a_model(installed=True)

    ran = run("setup", "--small")

    assert (ran.code, ran.err) == (0, "nothing to do: the models are here\n")
    assert ran.out.splitlines()[1].split() == ["tiny", "1.5", "MB", "/models/tiny/tiny.gguf"]


def test_setup_refuses_two_choices(run: Run) -> None:
    assert run("setup", "--small", "--llm", "tiny").code == 2


@promise("cli.models.registry")
def test_models_are_listed_with_the_keys_of_the_contract(run: Run) -> None:
    shown, data = run("models", "list"), run("models", "list", "--json")

    assert shown.out.splitlines()[1].split()[:4] == ["tiny", "llm", "-,", "recommended"]
    model = json.loads(data.out)["models"][0]
    expected = {"id": "tiny", "kind": "llm", "installed": False, "licence": "Apache-2.0", "bytes": 1_500_000}
    assert model | expected == model
    assert (model["capability"], model["fits"], model["sha256"], model["path"]) == ("fallback", True, "ab" * 32, None)


@promise("cli.models.registry")
def test_a_model_is_pulled_checked_used_and_removed(run: Run, service: FakeService) -> None:
    pulled = run("models", "pull", "tiny")
    assert pulled.err == "tiny: 1.5 MB, licence Apache-2.0\n"
    assert service.registry["tiny"].installed

    assert json.loads(run("models", "verify", "--json").out)["models"][0]["id"] == "tiny"
    assert json.loads(run("models", "use", "tiny", "--json").out)["models"][0]["id"] == "tiny"
    assert json.loads(run("models", "remove", "tiny", "--json").out)["models"][0]["installed"] is False


@promise("cli.models.registry")
@pytest.mark.parametrize("command", ["pull", "use", "remove"])
def test_an_unknown_model_is_told(run: Run, command: str) -> None:
    ran = run("models", command, "nope")

    assert (ran.code, ran.err.splitlines()[0]) == (1, "error: no model 'nope'")


@promise("cli.recipes.files")
def test_recipes_are_listed_and_a_broken_file_is_told(run: Run) -> None:
    shown, data = run("recipes", "list"), run("recipes", "list", "--json")

    assert "answer " in shown.out
    assert shown.err == "warning: recipe bad.toml: not valid TOML\n"
    answer = next(recipe for recipe in json.loads(data.out)["recipes"] if recipe["name"] == "answer")
    assert [step["id"] for step in answer["steps"]][:3] == ["recall", "tool", "prompt"]


@promise("cli.recipes.files")
def test_a_recipe_is_shown_as_its_file_and_a_new_one_is_started(run: Run) -> None:
    shown, missing = run("recipes", "show", "answer"), run("recipes", "show", "nope")
    new, taken = run("recipes", "new", "mine"), run("recipes", "new", "answer")

    assert shown.out.startswith('name = "answer"\n')
    assert (missing.code, missing.err.splitlines()[0]) == (1, "error: no recipe 'nope'")
    assert new.out.endswith("mine.toml\n")
    assert taken.code == 1


@promise("cli.ingest.reports")
def test_an_ingestion_is_reported(run: Run, service: FakeService, tmp_path: Path) -> None:
    shown, data = run("ingest", str(tmp_path), "-v"), run("ingest", str(tmp_path), "--json", "--project", "p")

    assert shown.out == "1 files read, 3 new chunks, 1 files skipped, 0 removed, 0.2 s\n"
    assert shown.err == "x.bin: binary\n"
    report = json.loads(data.out)
    assert (report["files"], report["chunks"], report["skipped"], report["removed"]) == (1, 3, 1, 0)
    assert report["seconds"] == 0.25
    assert service.calls[-1] == ("ingest", ([tmp_path], "p"))


@promise("cli.ingest.reports")
def test_watching_reports_every_round_as_a_line(run: Run, tmp_path: Path) -> None:
    ran = run("ingest", str(tmp_path), "--watch", "--json")

    assert [json.loads(line)["chunks"] for line in ran.out.splitlines()] == [3, 3]


def test_ingesting_what_is_not_there_is_a_usage_error(run: Run) -> None:
    assert run("ingest").code == 2
    assert run("ingest", "/no/such/folder").code == 2


@promise("cli.events.tail")
def test_events_are_json_lines_from_a_moment_on(run: Run, service: FakeService) -> None:
    service.log = [{"event": "RunStarted", "at": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2, 3)]

    ran, following = run("events", "tail", "--since", "2026-01-02"), run("events", "tail", "-f")

    assert [json.loads(line)["at"][:10] for line in ran.out.splitlines()] == ["2026-01-02", "2026-01-03"]
    assert len(following.out.splitlines()) == 3
    assert [arguments[1] for name, arguments in service.calls if name == "events"] == [False, True]


@promise("cli.bench.retrieval")
def test_a_benchmark_prints_quality_and_latency(run: Run, service: FakeService, tmp_path: Path) -> None:
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    corpus.touch()
    queries.touch()
    words = ("bench", "retrieval", "--corpus", str(corpus), "--queries", str(queries))

    shown, data = run(*words), run(*words, "--rerank", "32", "--json")

    assert shown.out.splitlines() == [
        "questions     recall@10  ndcg@10",
        "all           0.500      0.250",
        "temporal      0.750      0.500",
        "vector alone  0.250      0.125",
        "2 questions, 4 records; a search takes p50 1.0 ms, p95 2.0 ms, p99 3.0 ms",
        "stages, on average: embed 0.5 ms",
    ]
    assert set(json.loads(data.out)) > {"metrics", "by_category", "latency_ms"}
    assert service.calls[-1] == ("bench_retrieval", (corpus, queries, 32))


@promise("cli.bench.latency")
def test_bench_latency_prints_each_engine_and_where_its_texts_come_from(
    run: Run, service: FakeService, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("")
    words = ("bench", "latency", "--rows", "1000", "--corpus", str(corpus), "--searches", "20")
    shown, data = run(*words), run(*words, "--json")

    assert shown.out.splitlines() == [
        "engine  project      in flight  p50 ms  p95 ms  p99 ms  recall@200",
        "ourcli  one of four  8          1.0     2.0     3.0     0.500",
        "1000 records (900 assets, 90 insights, 10 interact): 1000 texts of some.jsonl, 0 grown",
        "stages of one search, on average: embed 1.0 ms, total 2.0 ms",
        "bulk add 20000 records/s, compacted and indexed in 1.5 s, 0.50 GB of memory after our searches",
    ]
    assert json.loads(data.out)["runs"][0]["engine"] == "ourcli"
    assert service.calls[-1] == ("bench_latency", (1_000, corpus, 20))
