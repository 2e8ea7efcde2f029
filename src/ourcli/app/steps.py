"""What the steps of a plan do: recall, prompt, generate, remember, ingest. One `Steps` serves one run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import anyio

from ourcli.ai.models.spec import Capability
from ourcli.ai.ports import ChatRequest, Finished, LanguageModel, TextDelta
from ourcli.app.requests import AskRequest, IngestReport
from ourcli.common.errors import BudgetSpentError, InvalidInputError
from ourcli.common.events import AnswerTextProduced
from ourcli.common.ids import RecordId, new_id
from ourcli.core import answer as checks
from ourcli.core.citing import stands_on
from ourcli.core.evidence import Found, select
from ourcli.core.ports import StepContext, StepHandler
from ourcli.core.prompt import Attachment, Evidence, PackedEvidence, PromptParts, PromptRequest, Turn, pack
from ourcli.core.quote import MOST_QUOTES, quote
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query, SearchResult
from ourcli.memory.record import Record, Trust
from ourcli.memory.service import MemoryService

NOTHING_FOUND = "Memory holds nothing about this; what follows is the model's own knowledge."
QUOTED = "From memory, word for word:"
BESIDE = "What memory holds, word for word:"

_RECALLED = 24
_LEAST_PROMPT_TOKENS = 512
"""Also a slow machine reads this much: an answer without its evidence is worth less than a short wait."""
_QUOTING_TOKENS = 1_000_000
_CHARS_A_TOKEN = 3
"""Estimate for packing when no model is loaded, because the answer will be quoted; errs towards less text."""


class Reader(Protocol):
    """A language model with what an answer needs to know of it."""

    @property
    def name(self) -> str:
        """Registry id or file name."""
        ...

    @property
    def capability(self) -> Capability:
        """What it can be trusted with; known before it is loaded."""
        ...

    async def model(self) -> LanguageModel:
        """Return the model, loaded."""
        ...

    async def prompt_tokens(self, answer_tokens: int) -> int:
        """Return how many prompt tokens fit its context and the time that reading may take."""
        ...

    def note(self, finished: Finished) -> None:
        """Learn from the speed that was measured."""
        ...

    def notices(self) -> tuple[str, ...]:
        """Return what the user should know of a model that answered."""
        ...


class Ingesting(Protocol):
    """Reads files into memory."""

    async def __call__(self, paths: Sequence[Path], project: str) -> IngestReport:
        """Read `paths` into `project`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What one run stands in.

    Attributes:
        request: What was asked.
        project: Whose memory.
        session: The conversation it belongs to.
        turns: The conversation so far.
        next_turn: The number of the turn that this run adds.
        answer_tokens: Most tokens of the answer.
        prompt_tokens: Most tokens of the prompt that a budget allows, or None.
        temperature: 0 is greedy.
        seed: For reproducible answers.
        attachments: Short texts given along, whole.
        pieces: Parts of long texts given along, ranked by relevance.
    """

    request: AskRequest
    project: str
    session: str
    turns: tuple[Turn, ...]
    next_turn: int
    answer_tokens: int
    prompt_tokens: int | None
    temperature: float
    seed: int
    attachments: tuple[Attachment, ...] = ()
    pieces: tuple[Evidence, ...] = ()


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a run leaves besides the outputs of its steps; filled in by the steps."""

    search: SearchResult | None = None
    found: tuple[Found, ...] = ()
    parts: PromptParts | None = None
    cited: tuple[PackedEvidence, ...] = ()
    mode: str = "generated"
    answer: str = ""
    notices: list[str] = field(default_factory=list)
    finished: Finished | None = None
    first_token_ms: float = 0.0
    stored: tuple[str, ...] = ()


class Steps:
    """The handlers of one run."""

    def __init__(self, memory: MemoryService, reader: Reader, ingest: Ingesting, setting: Setting) -> None:
        self._memory = memory
        self._reader = reader
        self._ingest = ingest
        self._setting = setting
        self.outcome = Outcome()

    def handlers(self) -> Mapping[str, StepHandler]:
        """Return the handlers by kind of step."""
        return {
            "recall": self._recall,
            "prompt": self._prompt,
            "generate": self._generate,
            "remember": self._remember,
            "ingest": self._ingest_files,
        }

    async def _recall(self, inputs: Mapping[str, object], _: StepContext) -> Mapping[str, object]:
        if not self._setting.request.use_memory:
            return {"hits": ()}
        question = str(inputs["query"])
        layers = inputs.get("layers") or tuple(Layer)
        where = Filter(
            project=self._setting.project,
            layers=tuple(Layer(str(layer)) for layer in _items(layers)),
            tags=tuple(str(tag) for tag in _items(inputs.get("tags") or ())),
        )
        query = Query(text=question, filter=where, limit=int(str(inputs.get("limit") or _RECALLED)), rerank=_RECALLED)
        self.outcome.search = await self._memory.run(query)
        self.outcome.found = select(question, self.outcome.search.hits, session=self._setting.session)
        return {"hits": self.outcome.found}

    async def _prompt(self, inputs: Mapping[str, object], _: StepContext) -> Mapping[str, object]:
        found = _found(inputs.get("evidence"))
        request = PromptRequest(
            question=str(inputs["question"]),
            evidence=(*self._setting.pieces, *(one.as_evidence() for one in found)),
            conversation=self._setting.turns,
            attachments=self._setting.attachments,
            instruction=str(inputs.get("instruction") or ""),
        )
        if self._quotes(found):
            self.outcome.parts = await pack(request, budget_tokens=_QUOTING_TOKENS, count=_estimated_tokens)
        else:
            self.outcome.parts = await self._packed(request)
        return {"prompt": self.outcome.parts}

    async def _packed(self, request: PromptRequest) -> PromptParts:
        room = await self._reader.prompt_tokens(self._setting.answer_tokens)
        model = await self._reader.model()
        limit = model.context_tokens - self._setting.answer_tokens
        room = min(limit, max(room, _LEAST_PROMPT_TOKENS))
        allowed = self._setting.prompt_tokens
        if allowed is None or allowed >= room:
            return await pack(request, budget_tokens=room, limit_tokens=limit, count=model.count_tokens)
        try:
            return await pack(request, budget_tokens=allowed, count=model.count_tokens)
        except InvalidInputError as exc:
            raise BudgetSpentError(
                f"the budget leaves {allowed} tokens for the prompt, too few for rules and question",
                hint="give --budget tokens=N more",
            ) from exc

    def _quotes(self, found: Sequence[Found]) -> bool:
        """Say whether the answer is quoted: a weak model, and evidence that is an answer by itself."""
        weak = self._reader.capability is Capability.FALLBACK
        given = self._setting.attachments or self._setting.pieces
        return weak and not given and bool(found) and found[0].quotable

    async def _generate(self, inputs: Mapping[str, object], context: StepContext) -> Mapping[str, object]:
        parts = inputs["prompt"]
        if not isinstance(parts, PromptParts):
            raise InvalidInputError("a generate step needs the output of a prompt step")
        found = _found(inputs.get("evidence"))
        if self._quotes(found):
            own = self._quote(parts, found, context)
        else:
            own = await self._write(parts, found, context)
        return {"answer": own}

    def _quote(self, parts: PromptParts, found: Sequence[Found], context: StepContext) -> str:
        quotable = {one.hit.record.id for one in found if one.quotable}
        packed = [one for one in parts.evidence if one.evidence.key in quotable]
        self.outcome.mode = "quoted"
        self.outcome.answer = f"{QUOTED}\n\n{quote(packed, parts.question)}"
        self._say(self.outcome.answer, context)
        self.outcome.cited = tuple(packed[:MOST_QUOTES])
        return self.outcome.answer

    async def _write(self, parts: PromptParts, found: Sequence[Found], context: StepContext) -> str:
        head = ""
        if self._setting.request.use_memory and not parts.evidence and not parts.attachments and not parts.turns:
            head = f"*{NOTHING_FOUND}*\n\n"
            self._say(head, context)
        own = await self._stream(parts, context)
        self.outcome.answer = head + self._checked(own, parts, found)
        return own

    async def _stream(self, parts: PromptParts, context: StepContext) -> str:
        model = await self._reader.model()
        request = ChatRequest(
            messages=parts.messages,
            max_tokens=self._setting.answer_tokens,
            temperature=self._setting.temperature,
            seed=self._setting.seed,
        )
        pieces: list[str] = []
        started = context.clock.monotonic_s()
        async with model.chat(request) as stream:
            async for item in stream:
                if isinstance(item, TextDelta):
                    if not pieces:
                        self.outcome.first_token_ms = (context.clock.monotonic_s() - started) * 1000.0
                    pieces.append(item.text)
                    self._say(item.text, context)
                else:
                    self.outcome.finished = item
                    self._reader.note(item)
        if self.outcome.finished is not None and self.outcome.finished.reason == "length":
            self.outcome.notices.append("the answer was cut at its token limit; --max-tokens allows more")
        return "".join(pieces).strip()

    def _checked(self, own: str, parts: PromptParts, found: Sequence[Found]) -> str:
        """Return the answer with marks and, where it invents or misses what memory holds, the quotes beside it."""
        self.outcome.cited = stands_on(own, parts.evidence, parts.question)
        given = [*(one.evidence.text for one in parts.evidence), *(one.evidence.label for one in parts.evidence)]
        given += [text for one in parts.attachments for text in (one.name, one.text)]
        asked = " ".join((parts.question, *(turn.text for turn in parts.turns)))
        if not given:
            return own
        claims = checks.unsupported(own, given, asked)
        marked = checks.mark(own, claims)
        if claims:
            self.outcome.notices.append(
                f"{checks.MARK} marks what neither memory nor the question holds: "
                + ", ".join(dict.fromkeys(claim.text for claim in claims))
            )
        strong = {one.hit.record.id for one in found if one.quotable}
        packed = [one for one in parts.evidence if one.evidence.key in strong]
        missed = checks.missing_facts(own, [packed[0].evidence.text], asked) if packed else ()
        if packed and (claims or missed):
            self.outcome.cited = tuple(dict.fromkeys((*self.outcome.cited, *packed[:MOST_QUOTES])))
            return f"{marked}\n\n{BESIDE}\n\n{quote(packed, parts.question)}"
        return marked

    def _say(self, text: str, context: StepContext) -> None:
        context.sink.emit(AnswerTextProduced(at=context.clock.now(), run_id=context.run_id, text=text))

    async def _remember(self, inputs: Mapping[str, object], context: StepContext) -> Mapping[str, object]:
        if not self._setting.request.use_memory:
            return {"ids": ()}
        records = self._turns(inputs, context)
        with anyio.CancelScope(shield=True):
            self.outcome.stored = await self._memory.add(records)
        if "answer" not in inputs:
            self.outcome.answer = f"Noted in {records[0].layer.value}: {records[0].text}"
            self._say(self.outcome.answer, context)
        return {"ids": self.outcome.stored}

    def _turns(self, inputs: Mapping[str, object], context: StepContext) -> list[Record]:
        """Return the statement, or the question and its answer, as turns of the session."""
        turn = self._setting.next_turn
        tags = dict.fromkeys((*(str(tag) for tag in _items(inputs.get("tags") or ())), *self._setting.request.tags))
        answer = inputs.get("answer")
        asked = Record(
            id=RecordId(new_id(context.clock.now())),
            text=str(inputs["text"]),
            layer=Layer(str(inputs.get("layer") or Layer.INTERACT)),
            ts=context.clock.now(),
            kind=str(inputs.get("kind") or ("note" if answer is None else "question")),
            tags=tuple(tags),
            project=self._setting.project,
            session=self._setting.session,
            speaker="user",
            turn=turn,
        )
        if answer is None or not str(answer).strip():
            return [asked]
        return [
            asked,
            replace(
                asked,
                id=RecordId(new_id(context.clock.now())),
                text=str(answer),
                kind="answer",
                speaker="ourcli",
                turn=turn + 1,
                trust=Trust.MODEL,
                parents=tuple(RecordId(one.evidence.key) for one in self.outcome.cited if "/" not in one.evidence.key),
            ),
        ]

    async def _ingest_files(self, inputs: Mapping[str, object], context: StepContext) -> Mapping[str, object]:
        paths = [_path(str(path)) for path in _items(inputs["paths"])]
        report = await self._ingest(paths, self._setting.project)
        self.outcome.answer = (
            f"Read {report.files} files: {report.chunks} new pieces, {report.skipped} files skipped, "
            f"{report.removed} removed."
        )
        self._say(self.outcome.answer, context)
        return {"report": report}


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _found(value: object) -> tuple[Found, ...]:
    return tuple(one for one in _items(value or ()) if isinstance(one, Found))


async def _estimated_tokens(text: str) -> int:
    return len(text) // _CHARS_A_TOKEN + 1
