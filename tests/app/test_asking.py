"""One question's way, with a scripted model over the fake store: what is recalled, said, checked and remembered."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from anyio import CapacityLimiter

from ourcli.ai.embed import EmbeddingService
from ourcli.ai.models.spec import Capability
from ourcli.ai.ports import Finished, LanguageModel
from ourcli.app.answering import BESIDE, NOTHING_FOUND, QUOTED
from ourcli.app.asking import Asking
from ourcli.app.attachments import Attachments
from ourcli.app.requests import Answer, AskRequest, IngestReport
from ourcli.app.sessions import Sessions
from ourcli.common.clock import SystemClock
from ourcli.common.errors import (
    BudgetSpentError,
    InvalidInputError,
    ModelError,
    ModelMissingError,
    NotFoundError,
    PlanError,
    UsageError,
)
from ourcli.common.events import AnswerTextProduced, RunFinished, StepFinished
from ourcli.config.settings import Settings
from ourcli.core.journal import MemoryJournal
from ourcli.core.planner import Planner
from ourcli.core.recipe import Cookbook, parse, shipped
from ourcli.memory.backends.splitters import SemanticChunker
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.record import DIMS, Trust
from ourcli.memory.service import MemoryService
from ourcli.testing.embedding import FakeEmbeddingCache, FakeEmbeddingModel
from ourcli.testing.events import RecordingSink
from ourcli.testing.language_model import ScriptedLanguageModel
from ourcli.testing.memory import FakeRecordStore
from tests.promises import promise
from tests.support.records import a_record

pytestmark = pytest.mark.anyio

DECISION = "We decided to use a write-through cache with a 15 minute TTL"


class _Reader:
    """A scripted model that can be given any capability."""

    def __init__(self, model: ScriptedLanguageModel, capability: Capability) -> None:
        self._model = model
        self.name = model.name
        self.capability = capability
        self.prompt_room = 4000
        self.loaded = 0

    async def model(self) -> LanguageModel:
        self.loaded += 1
        return self._model

    async def prompt_tokens(self, answer_tokens: int) -> int:
        return self.prompt_room - answer_tokens

    def note(self, finished: Finished) -> None:
        assert finished.input_tokens > 0

    def notices(self) -> tuple[str, ...]:
        return ("a notice of the model",)


class _Bench:
    """Everything an `Asking` needs, in memory."""

    def __init__(self, folder: Path, answers: Sequence[str | ModelError], capability: Capability) -> None:
        self.model = ScriptedLanguageModel(answers)
        self.reader = _Reader(self.model, capability)
        self.bus, self.listener, self.clock = RecordingSink(), RecordingSink(), SystemClock()
        embedder = EmbeddingService(FakeEmbeddingModel(dims=DIMS), FakeEmbeddingCache(), limiter=CapacityLimiter(1))
        self.memory = MemoryService(FakeRecordStore(), embedder, None, clock=self.clock, sink=self.bus)
        self.asking = Asking(
            memory=self.memory,
            reader_of=lambda _: self.reader,
            ingest=self._ingest,
            attachments=Attachments(embedder, SemanticChunker()),
            sessions=Sessions(folder / "sessions.json", self.clock),
            planner=Planner(shipped()),
            journal=MemoryJournal(),
            bus=self.bus,
            clock=self.clock,
            settings=Settings(),
        )

    async def _ingest(self, paths: Sequence[Path], project: str, *, allow_secrets: bool) -> IngestReport:
        assert project == "default"
        return IngestReport(files=len(paths), chunks=7, skipped=0, removed=0, seconds=0.1)


Make = Callable[..., _Bench]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def build(*answers: str | ModelError, capability: Capability = Capability.ASSISTANT) -> _Bench:
        return _Bench(tmp_path, answers or ("It is 15 minutes [1].",), capability)

    return build


async def _answer(bench: _Bench, text: str, **changes: object) -> Answer:
    request = AskRequest(text=text, **changes)  # type: ignore[arg-type]  # the caller names fields of AskRequest
    return await bench.asking.ask(request, bench.listener)


@promise("core.ask.grounded")
async def test_an_assistant_answers_from_evidence_and_cites_the_record(make: Make) -> None:
    bench = make()
    decision = a_record(DECISION, tags=("decision",))
    await bench.memory.add([decision])
    answer = await _answer(bench, "what cache TTL did we decide to use?")
    assert (answer.mode, answer.answer) == ("generated", "It is 15 minutes [1].")
    assert [cited.record_id for cited in answer.citations] == [decision.id]
    assert DECISION in bench.model.requests[0].messages[-1].content
    assert answer.usage.output_tokens > 0
    assert "".join(one.text for one in bench.listener.of(AnswerTextProduced)) == answer.answer


@promise("core.ask.quoted")
async def test_a_fallback_model_quotes_strong_evidence_and_is_not_even_loaded(make: Make) -> None:
    bench = make("nonsense", capability=Capability.FALLBACK)
    decision = a_record(DECISION)
    await bench.memory.add([decision])
    answer = await _answer(bench, "we decided to use which write-through cache TTL in minute?")
    assert answer.mode == "quoted"
    assert answer.answer == f"{QUOTED}\n\n> {DECISION} [1]"
    assert [cited.record_id for cited in answer.citations] == [decision.id]
    assert "a notice of the model" in answer.notices
    assert bench.reader.loaded == 0


@promise("core.ask.nothing-found")
@pytest.mark.parametrize("capability", [Capability.FALLBACK, Capability.ASSISTANT])
async def test_without_evidence_it_says_so_and_generates(make: Make, capability: Capability) -> None:
    bench = make("Use a write-back cache.", capability=capability)
    answer = await _answer(bench, "design cache layer")
    assert answer.mode == "generated"
    assert answer.answer == f"*{NOTHING_FOUND}*\n\nUse a write-back cache."
    assert answer.citations == ()


@promise("core.ask.checked")
async def test_an_invented_number_is_marked_and_the_quote_stands_beside_it(make: Make) -> None:
    bench = make("It is 45 minutes.")
    await bench.memory.add([a_record(DECISION)])
    answer = await _answer(bench, "we decided to use which write-through cache TTL in minute?")
    assert answer.answer == f"It is 45 minutes[?].\n\n{BESIDE}\n\n> {DECISION} [1]"
    assert any("45 minutes" in notice for notice in answer.notices)
    assert len(answer.citations) == 1


async def test_an_answer_that_misses_the_fact_gets_the_quote_beside_it(make: Make) -> None:
    bench = make("A cache is a good idea.")
    await bench.memory.add([a_record(DECISION)])
    answer = await _answer(bench, "we decided to use which write-through cache TTL in minute?")
    assert answer.answer.startswith(f"A cache is a good idea.\n\n{BESIDE}")


async def test_a_model_that_declines_what_memory_clearly_holds_is_overruled_by_the_quote(make: Make) -> None:
    bench = make("My notes do not say.")
    record = a_record("logs must never contain email addresses")
    await bench.memory.add([record])
    answer = await _answer(bench, "what must logs never contain, email addresses?")
    assert "> logs must never contain email addresses [1]" in answer.answer
    assert [cited.record_id for cited in answer.citations] == [record.id]


@promise("core.ask.remembers")
async def test_question_and_answer_become_turns_of_the_session(make: Make) -> None:
    bench = make("Because of [1].")
    answer = await _answer(bench, "why?", tags=("a",))
    turns = await bench.memory.records(Filter(session=answer.session))
    assert [
        (turn.kind, turn.trust, turn.turn, turn.layer) for turn in sorted(turns, key=lambda one: one.turn or 0)
    ] == [
        ("question", Trust.USER, 0, Layer.INTERACT),
        ("answer", Trust.MODEL, 1, Layer.INTERACT),
    ]
    assert {turn.tags for turn in turns} == {("a",)}


@promise("core.ask.sessions")
async def test_a_session_goes_on_only_when_it_is_asked_to(make: Make) -> None:
    bench = make("first answer", "second answer", "third answer")
    first = await _answer(bench, "first question")
    second = await _answer(bench, "and then?", continue_last=True)
    third = await _answer(bench, "something new")
    assert second.session == first.session != third.session
    said = [message.content for message in bench.model.requests[1].messages]
    assert "first question" in said[1]
    assert "first answer" in said[2]
    assert len(bench.model.requests[2].messages) == 2
    turns = await bench.memory.records(Filter(session=first.session))
    assert sorted(turn.turn or 0 for turn in turns) == [0, 1, 2, 3]


async def test_there_is_no_last_session_at_first(make: Make) -> None:
    with pytest.raises(NotFoundError, match="no earlier session"):
        await _answer(make(), "and then?", continue_last=True)


@promise("core.ask.remember-this")
@pytest.mark.parametrize(
    ("text", "kept", "layer", "tags"),
    [
        ("remember that staging is called heron", "staging is called heron", Layer.INSIGHTS, ()),
        ("We decided to ship on Fridays", "We decided to ship on Fridays", Layer.INTERACT, ("decision",)),
    ],
)
async def test_a_statement_is_stored_without_any_model(
    make: Make, text: str, kept: str, layer: Layer, tags: tuple[str, ...]
) -> None:
    bench = make()
    answer = await _answer(bench, text)
    stored = await bench.memory.records(Filter())
    assert [(one.text, one.layer, one.tags) for one in stored] == [(kept, layer, tags)]
    assert kept in answer.answer
    assert bench.reader.loaded == 0


async def test_a_note_can_be_taken_before_any_language_model_is_installed(make: Make) -> None:
    bench = make()

    def none_installed(_: str) -> _Reader:
        raise ModelMissingError("no language model is installed")

    bench.asking._reader_of = none_installed  # what wiring does on a new machine
    assert (await _answer(bench, "remember that staging is heron")).model == ""
    with pytest.raises(ModelMissingError):
        await _answer(bench, "what is staging called?")


async def test_without_memory_nothing_is_recalled_and_nothing_remembered(make: Make) -> None:
    bench = make("An answer.")
    await bench.memory.add([a_record(DECISION)])
    answer = await _answer(bench, "what cache TTL did we decide?", use_memory=False)
    assert (answer.answer, answer.citations) == ("An answer.", ())
    assert len(await bench.memory.records(Filter())) == 1


@promise("core.ask.files")
async def test_a_short_file_goes_in_whole_and_a_long_one_by_its_best_parts(make: Make, tmp_path: Path) -> None:
    bench = make("It is 7 [1].")
    short, long = tmp_path / "short.txt", tmp_path / "long.md"
    short.write_text("the port is 4242\n")
    filler = "\n\n".join(f"Paragraph {number} speaks of gardens and rivers. " * 6 for number in range(40))
    long.write_text(f"{filler}\n\nThe retry limit is 7 attempts for the uploader.\n\n{filler}\n")
    await _answer(bench, "which port?", files=(short,))
    assert "the port is 4242" in bench.model.requests[0].messages[-1].content
    answer = await _answer(bench, "what is the retry limit of the uploader?", files=(long,))
    cited = answer.citations[0]
    assert (cited.record_id, cited.layer) == (None, "file")
    assert "retry limit is 7" in cited.text
    assert cited.source is not None
    assert cited.source.uri == str(long)


async def test_a_file_that_is_no_text_is_refused(make: Make, tmp_path: Path) -> None:
    binary = tmp_path / "picture.png"
    binary.write_bytes(b"\x89PNG\0\0")
    with pytest.raises(InvalidInputError, match="not a text file"):
        await _answer(make(), "what is this?", files=(binary,))


async def test_a_document_that_is_given_along_is_refused_with_the_way_to_have_it_read(
    make: Make, tmp_path: Path
) -> None:
    document = tmp_path / "report.pdf"
    document.write_bytes(b"%PDF-1.7")
    with pytest.raises(InvalidInputError, match="not a text file") as caught:
        await _answer(make(), "what is this?", files=(document,))
    assert "ourcli ingest" in caught.value.hint


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_an_empty_question_is_refused(make: Make, text: str) -> None:
    with pytest.raises(InvalidInputError, match="question is empty"):
        await _answer(make(), text)


async def test_a_slow_machine_still_reads_rules_and_question(make: Make) -> None:
    bench = make("Fine.")
    bench.reader.prompt_room = 0
    assert "Fine." in (await _answer(bench, "is it fine?")).answer


@promise("core.ask.budget")
async def test_budgets_are_kept(make: Make) -> None:
    bench = make("one two three four five six seven eight nine ten")
    with pytest.raises(UsageError, match="no budget 'euros'"):
        await _answer(bench, "x", budget={"euros": 3.0})
    with pytest.raises(BudgetSpentError, match="spent before it begins"):
        await _answer(bench, "x", budget={"calls": 0.0})
    with pytest.raises(BudgetSpentError, match="too few for rules"):
        await _answer(bench, "x", budget={"tokens": 10.0})
    answer = await _answer(bench, "x", max_tokens=3)
    assert answer.usage.output_tokens <= 3
    assert any("cut at its token limit" in notice for notice in answer.notices)


async def test_a_model_that_fails_is_reported_as_it_said_and_nothing_is_remembered(make: Make) -> None:
    bench = make(ModelError("the model broke", hint="fetch it again"))
    with pytest.raises(ModelError, match="the model broke"):
        await _answer(bench, "x")
    assert await bench.memory.records(Filter()) == []
    assert bench.bus.of(RunFinished)[0].state == "failed"


async def test_every_event_of_a_run_carries_its_id(make: Make) -> None:
    bench = make("Fine.")
    answer = await _answer(bench, "is it fine?")
    assert {event.run_id for event in bench.bus.of(StepFinished)} == {answer.run_id}
    finished = [event.step for event in bench.bus.of(StepFinished)]
    assert set(finished[:2]) == {"recall", "tool"}
    assert finished[2:] == ["prompt", "generate", "remember"]


async def test_an_unknown_recipe_is_named(make: Make) -> None:
    with pytest.raises(NotFoundError, match="'missing'"):
        await _answer(make(), "x", recipe="missing")


async def test_a_recipe_that_does_not_fit_the_request_says_what_it_needs(make: Make) -> None:
    with pytest.raises(PlanError, match="paths"):
        await _answer(make(), "x", recipe="ingest")


@promise("core.ask.recipe-inputs")
@pytest.mark.parametrize(
    ("inputs", "message"),
    [('layers = ["asets"]', "no layer 'asets'"), ('limit = "many"', "limit is 'many'")],
)
async def test_a_recipe_with_a_wrong_layer_or_limit_says_so(make: Make, inputs: str, message: str) -> None:
    bench = make()
    text = (
        'name = "odd"\ndescription = "d"\n[parameters.question]\n[[steps]]\nid = "recall"\nkind = "recall"\n'
        f'[steps.inputs]\nquery = "$question"\n{inputs}\n'
    )
    recipe = parse(text, file="odd.toml", origin="here")
    bench.asking._planner = Planner(Cookbook(recipes={"odd": recipe}))  # a user's own recipe
    with pytest.raises(InvalidInputError, match=message):
        await _answer(bench, "x", recipe="odd")


async def test_files_named_in_words_are_ingested(make: Make) -> None:
    answer = await _answer(make(), "ingest ./docs")
    assert "7 new pieces" in answer.answer
