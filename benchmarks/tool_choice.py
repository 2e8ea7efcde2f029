"""How often the right tool is chosen, and how often a whole call is right, on judged cases.

The data folder (`OURCLI_BENCH_DATA`) holds `bfcl/cases.jsonl`: `id, category, messages, tools, expected`. A call is
right when it names the expected function and each argument has one of the values that the case lists ("" means that
it may be left out). Texts are compared without case, spaces and punctuation; whole numbers pass for floats. With
--model, the tool that was chosen by retrieval is the only one that the model is shown.
"""

import argparse
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import anyio
from anyio import CapacityLimiter

from benchmarks.report import Row, show
from ourcli.ai.backends.model_library import open_library
from ourcli.ai.backends.onnx_embedding import OnnxEmbeddingModel, OnnxEmbeddingSpec
from ourcli.ai.embed import EmbeddingService
from ourcli.ai.llm import ModelPool
from ourcli.ai.models.library import ModelLibrary
from ourcli.ai.models.spec import Capability
from ourcli.ai.ports import Finished, LanguageModel
from ourcli.app.tools.writing import ModelArguments
from ourcli.common.errors import OurcliError
from ourcli.common.net import Gate
from ourcli.testing.embedding import FakeEmbeddingCache
from ourcli.tools.arguments import fill
from ourcli.tools.choosing import ToolIndex
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.ports import ArgumentWriter
from ourcli.tools.spec import Origin, OriginKind, ToolSpec

GOALS = {"choice": 0.97, "0.5B simple_python": 0.88, "0.5B multiple": 0.80}
GOALS |= {"1.5B simple_python": 0.95, "1.5B multiple": 0.90}
MANY = 1_000
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": ""}
_ORIGIN = Origin(kind=OriginKind.MCP, name="bench")
_PUNCTUATION = re.compile(r"[ ,./\-_*^]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question with the tools there are and the call that is right."""

    id: str
    category: str
    question: str
    specs: tuple[ToolSpec, ...]
    expected: tuple[Mapping[str, Mapping[str, Sequence[Json]]], ...]


def read(path: Path, limit: int) -> list[Case]:
    """Return the cases of a file, or `limit` of each category, evenly spread."""
    cases = [_case(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    found: list[Case] = []
    for category in dict.fromkeys(case.category for case in cases):
        of_it = [case for case in cases if case.category == category]
        step = max(1, len(of_it) // limit) if limit else 1
        found += of_it[::step][: limit or None]
    return found


def _case(raw: Mapping[str, object]) -> Case:
    data = json.loads(json.dumps(raw))
    return Case(
        id=data["id"],
        category=data["category"],
        question=data["messages"][-1]["content"],
        specs=tuple(_spec(tool) for tool in data["tools"]),
        expected=tuple(data["expected"]),
    )


def _spec(tool: Mapping[str, Json]) -> ToolSpec:
    parameters = _schema(tool["parameters"])
    assert isinstance(parameters, dict)
    return ToolSpec(
        name=str(tool["name"]), description=str(tool["description"]), origin=_ORIGIN, input_schema=parameters
    )


def _schema(value: Json) -> Json:
    """Return the schema with the data set's own names of types made those of JSON Schema."""
    if isinstance(value, list):
        return [_schema(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {name: _schema(item) for name, item in value.items()}
    kind = value.get("type")
    if isinstance(kind, str) and kind in _TYPES:
        made |= {"type": _TYPES[kind]}
        if not made["type"]:
            del made["type"]
    if isinstance(value.get("properties"), dict):
        made["properties"] = {name: _schema(part) for name, part in value["properties"].items()}  # type: ignore[union-attr]  # a dict, as was just seen
    return made


# What is right


def is_right(
    name: str, call: Mapping[str, Json], expected: Sequence[Mapping[str, Mapping[str, Sequence[Json]]]]
) -> bool:
    """Say whether one of the expected calls is this one."""
    return any(name in one and _fits(call, one[name]) for one in expected)


def _fits(call: Mapping[str, Json], wanted: Mapping[str, Sequence[Json]]) -> bool:
    if any(name not in wanted for name in call):
        return False
    return all(_is_one_of(call[name], values) if name in call else "" in values for name, values in wanted.items())


def _is_one_of(value: Json, values: Sequence[Json]) -> bool:
    return any(_same(value, one) for one in values)


def _same(value: Json, wanted: Json) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return float(value) == float(wanted)
    if isinstance(value, str) and isinstance(wanted, str):
        return _bare(value) == _bare(wanted)
    if isinstance(value, list) and isinstance(wanted, list):
        return len(value) == len(wanted) and all(map(_same, value, wanted))
    if isinstance(value, dict) and isinstance(wanted, dict):  # in nested objects each value is a list of choices
        listed = {name: one if isinstance(one, list) else [one] for name, one in wanted.items()}
        return _fits(value, listed)
    return value == wanted


def _bare(text: str) -> str:
    return _PUNCTUATION.sub("", text).lower().replace("'", '"')


# Measuring


class BenchReader:
    """The language model to measure, as an answer's reader."""

    def __init__(self, pool: ModelPool, library: ModelLibrary, name: str) -> None:
        self._pool, self._installed = pool, library.locate_llm(name)
        self.name, self.capability = name, Capability.ASSISTANT

    async def model(self) -> LanguageModel:
        """Return the model, loaded."""
        return await self._pool.get(self._installed.weights, name=self.name, verified=True)

    async def prompt_tokens(self, answer_tokens: int) -> int:
        """Return the model's whole room."""
        return (await self.model()).context_tokens - answer_tokens

    def note(self, finished: Finished) -> None:
        """Learn nothing."""

    def notices(self) -> tuple[str, ...]:
        """Return none."""
        return ()


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was right of a category."""

    cases: int = 0
    chosen: int = 0
    called: int = 0
    repairs: int = 0
    seconds: list[float] = field(default_factory=list)
    wrong: list[JsonObject] = field(default_factory=list)


async def judge(cases: Sequence[Case], embedder: EmbeddingService, writer: ArgumentWriter | None) -> dict[str, Tally]:
    """Choose and, with a writer, call for each case."""
    tallies: dict[str, Tally] = {}
    for case in cases:
        tally = tallies.setdefault(case.category, Tally())
        index = await ToolIndex.build(case.specs, embedder)
        best = index.rank(case.question, await embedder.embed_query(case.question))[0].spec
        tally.cases += 1
        tally.chosen += any(best.name in one for one in case.expected)
        if writer is not None:
            await _call(case, best, writer, tally)
    return tallies


async def _call(case: Case, spec: ToolSpec, writer: ArgumentWriter, tally: Tally) -> None:
    started, call, fault = time.perf_counter(), {}, ""
    try:
        filled = await fill(spec, case.question, writer, given={})
        call = filled.input
        tally.repairs += filled.repairs
    except OurcliError as exc:
        fault = exc.message
    tally.seconds.append(time.perf_counter() - started)
    if not fault and is_right(spec.name, call, case.expected):
        tally.called += 1
    else:
        tally.wrong.append(
            {"id": case.id, "call": call, "fault": fault, "expected": json.loads(json.dumps(case.expected))}
        )


async def many_ms(cases: Sequence[Case], embedder: EmbeddingService) -> tuple[float, float]:
    """Return the median milliseconds of a choice among many tools: the vector given, and made on the way."""
    specs = [spec for case in cases for spec in case.specs]
    specs = (specs * (MANY // len(specs) + 1))[:MANY]
    index = await ToolIndex.build(specs, embedder)
    given, whole = [], []
    for at, case in enumerate(cases[:60]):
        started = time.perf_counter()
        vector = await embedder.embed_query(f"{case.question} {at}")
        embedded = time.perf_counter()
        index.rank(case.question, vector)
        ended = time.perf_counter()
        given.append((ended - embedded) * 1000)
        whole.append((ended - started) * 1000)
    return median(given), median(whole)


async def measure(arguments: argparse.Namespace) -> tuple[list[Row], list[JsonObject]]:
    """Run everything that was asked for."""
    cases = read(Path(arguments.data) / "bfcl" / "cases.jsonl", arguments.limit)
    library = open_library(arguments.models, Gate(network=False))
    installed = library.locate("all-MiniLM-L6-v2")
    spec = OnnxEmbeddingSpec.of(installed.spec, installed.folder, files_digest="")
    embedding = OnnxEmbeddingModel(spec, threads=arguments.threads)
    embedder = EmbeddingService(embedding, FakeEmbeddingCache(), limiter=CapacityLimiter(1))
    async with ModelPool(max_context_tokens=4096, threads=arguments.threads) as pool:
        writer = ModelArguments(BenchReader(pool, library, arguments.model)) if arguments.model else None
        tallies = await judge(cases, embedder, writer)
        given, whole = await many_ms(cases, embedder)
    embedding.close()
    rows = [row for category, tally in tallies.items() for row in _rows(category, tally, arguments.model)]
    rows.append(_line(f"ms among {MANY} tools, question embedded", given, 10.0, given <= 10.0))
    rows.append(_line(f"ms among {MANY} tools, embedding included", whole, None, None))
    return rows, [wrong for tally in tallies.values() for wrong in tally.wrong]


def _rows(category: str, tally: Tally, model: str) -> list[Row]:
    chosen = tally.chosen / tally.cases
    goal = GOALS["choice"] if category == "multiple" else None
    rows = [_line(f"right tool, {category} ({tally.cases})", chosen, goal, None if goal is None else chosen >= goal)]
    if tally.seconds:
        called = tally.called / tally.cases
        size = next((size for size in ("0.5B", "1.5B") if size in model), "")
        goal = GOALS.get(f"{size} {category}")
        met = None if goal is None else called >= goal
        rows.append(_line(f"whole call right, {category}", called, goal, met))
        rows.append(_line(f"seconds a call, {category}", median(tally.seconds), None, None))
        rows.append(_line(f"repairs, {category}", tally.repairs, None, None))
    return rows


def _line(what: str, value: float, goal: float | None, met: bool | None) -> Row:  # noqa: FBT001  # a cell of a table
    return {"what": what, "value": value, "goal": goal, "met": met}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", default=os.environ.get("OURCLI_BENCH_DATA", ""), help="folder of data sets")
    parser.add_argument("--model", default="", help="registry name of the model that fills in arguments")
    models = Path(os.environ.get("OURCLI_PATHS_MODELS") or "~/.ourcli/models").expanduser()
    parser.add_argument("--models", type=Path, default=models, help="folder of models")
    parser.add_argument("--limit", type=int, default=0, help="cases of each category (all)")
    parser.add_argument("--threads", type=int, default=2, help="threads of the models (2)")
    parser.add_argument("--wrong", type=Path, help="write the wrong calls to this file, a JSON line each")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("name the folder of data sets with --data or OURCLI_BENCH_DATA")
    rows, wrong = anyio.run(measure, arguments)
    if arguments.wrong:
        arguments.wrong.write_text("".join(f"{json.dumps(one)}\n" for one in wrong), "utf-8")
    about = f"choice of tools and their arguments, {arguments.model or 'no model'}"
    show(rows, about=about, as_json=arguments.json)


if __name__ == "__main__":
    main()
