"""What the steps of a plan do: recall, tool, prompt, generate, remember, ingest. One `Steps` serves one run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import anyio

from ourcli.ai.models.spec import Capability
from ourcli.app.answering import Answering, Outcome, Setting, say
from ourcli.app.reader import Reader
from ourcli.app.requests import IngestReport
from ourcli.app.tools.recording import KIND as TOOL_RECORD
from ourcli.app.tools.using import TOOL_KEY, NoTools, UsedTool, UsesTools
from ourcli.app.tools.writing import ModelArguments
from ourcli.common.errors import BudgetSpentError, InvalidInputError
from ourcli.common.ids import RecordId, new_id
from ourcli.core.evidence import Found, select
from ourcli.core.ports import StepContext, StepHandler
from ourcli.core.prompt import PromptParts, PromptRequest, pack
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter, Query
from ourcli.memory.record import Record, Trust
from ourcli.memory.service import MemoryService
from ourcli.memory.stored import told
from ourcli.tools.ports import ToolContext

_RECALLED = 24
_LEAST_PROMPT_TOKENS = 512
"""Also a slow machine reads this much: an answer without its evidence is worth less than a short wait."""
_QUOTING_TOKENS = 1_000_000
_CHARS_A_TOKEN = 3
"""Estimate for packing when no model is loaded, because the answer will be quoted; errs towards less text."""


class Ingesting(Protocol):
    """Reads files into memory."""

    async def __call__(self, paths: Sequence[Path], project: str, *, allow_secrets: bool) -> IngestReport:
        """Read `paths` into `project`, without the secrets in them unless they are allowed."""
        ...


class Steps:
    """The handlers of one run."""

    def __init__(
        self,
        memory: MemoryService,
        reader: Reader,
        ingest: Ingesting,
        setting: Setting,
        tools: UsesTools | None = None,
    ) -> None:
        self._memory = memory
        self._tools = tools or NoTools()
        self._reader = reader
        self._ingest = ingest
        self._setting = setting
        self.outcome = Outcome()

    def handlers(self) -> Mapping[str, StepHandler]:
        """Return the handlers by kind of step."""
        return {
            "recall": self._recall,
            "tool": self._tool,
            "prompt": self._prompt,
            "generate": self._generate,
            "remember": self._remember,
            "ingest": self._ingest_files,
        }

    async def _recall(self, inputs: Mapping[str, object], _: StepContext) -> Mapping[str, object]:
        if not self._setting.request.use_memory:
            return {"hits": ()}
        question = str(inputs["query"])
        where = Filter(
            project=self._setting.project,
            layers=tuple(_layer(name) for name in _items(inputs.get("layers") or tuple(Layer))),
            tags=tuple(str(tag) for tag in _items(inputs.get("tags") or ())),
        )
        limit = inputs.get("limit") or _RECALLED
        if not isinstance(limit, int):
            raise InvalidInputError(f"a recall step's limit is {limit!r}", hint="give a whole number in the recipe")
        query = Query(text=question, filter=where, limit=limit, rerank=_RECALLED)
        self.outcome.search = await self._memory.run(query)
        self.outcome.found = select(question, self.outcome.search.hits, session=self._setting.session)
        return {"hits": self.outcome.found}

    async def _tool(self, inputs: Mapping[str, object], context: StepContext) -> Mapping[str, object]:
        asked = self._setting.request
        if asked.use_tools:
            trusted = self._reader.capability.rank >= Capability.ASSISTANT.rank
            self.outcome.tools = await self._tools.use(
                str(inputs["question"]),
                ToolContext(run_id=context.run_id, project=self._setting.project, session=self._setting.session),
                writer=ModelArguments(self._reader) if trusted else None,
                remember=asked.use_memory,
            )
        return {"results": self.outcome.tools}

    async def _prompt(self, inputs: Mapping[str, object], _: StepContext) -> Mapping[str, object]:
        found, results = self._usable(_evidence(inputs)), _results(inputs)
        request = PromptRequest(
            question=str(inputs["question"]),
            evidence=(
                *self._setting.pieces,
                *(one.as_evidence() for one in results),
                *(one.as_evidence() for one in found),
            ),
            conversation=self._setting.turns,
            attachments=self._setting.attachments,
            instruction=str(inputs.get("instruction") or ""),
        )
        if self._quotes(found, results):
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

    def _usable(self, found: Sequence[Found]) -> Sequence[Found]:
        """Return the evidence a model can be given: a weak one makes nonsense of what does not answer by itself."""
        weak = self._reader.capability is Capability.FALLBACK
        return [one for one in found if one.quotable] if weak else found

    def _quotes(self, found: Sequence[Found], results: Sequence[UsedTool]) -> bool:
        """Say whether the answer is quoted.

        That is so with a weak model and evidence that is an answer by itself, and when there is nothing to say but
        why a tool did not answer.
        """
        if self._setting.attachments or self._setting.pieces:
            return False
        if not found and not results and self.outcome.faults:
            return True
        weak = self._reader.capability is Capability.FALLBACK
        return weak and (bool(results) or (bool(found) and found[0].quotable))

    async def _generate(self, inputs: Mapping[str, object], context: StepContext) -> Mapping[str, object]:
        parts = inputs["prompt"]
        if not isinstance(parts, PromptParts):
            raise InvalidInputError("a generate step needs the output of a prompt step")
        answering = Answering(self._reader, self._setting, self.outcome, context)
        found = _evidence(inputs)
        if self._quotes(self._usable(found), _results(inputs)):
            return {"answer": answering.quoted(parts, found)}
        return {"answer": await answering.written(parts, found)}

    async def _remember(self, inputs: Mapping[str, object], context: StepContext) -> Mapping[str, object]:
        if not self._setting.request.use_memory:
            return {"ids": ()}
        records = self._turns(inputs, context)
        with anyio.CancelScope(shield=True):
            stored = await self._memory.add(records, allow_secrets=self._setting.request.allow_secrets)
        self.outcome.stored = stored.ids
        self.outcome.notices += stored.notices
        if "answer" not in inputs:
            noted = await self._memory.get(records[0].id) if stored.redacted else records[0]
            self.outcome.answer = f"Noted in {noted.layer.value}: {noted.text}"
            say(self.outcome.answer, context)
        return {"ids": self.outcome.stored}

    def _turns(self, inputs: Mapping[str, object], context: StepContext) -> list[Record]:
        """Return the statement, or the question and its answer, as turns of the session."""
        turn = self._setting.next_turn
        tags = dict.fromkeys((*(str(tag) for tag in _items(inputs.get("tags") or ())), *self._setting.request.tags))
        answer = inputs.get("answer")
        asked = Record(
            id=RecordId(new_id(context.clock.now())),
            text=str(inputs["text"]),
            layer=_layer(inputs.get("layer") or Layer.INTERACT),
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
                parents=tuple(RecordId(key) for key in self._cited_records()),
            ),
        ]

    def _cited_records(self) -> list[str]:
        keys = [one.evidence.key for one in self.outcome.cited]
        return [key for key in keys if "/" not in key and not key.startswith(TOOL_KEY)]

    async def _ingest_files(self, inputs: Mapping[str, object], context: StepContext) -> Mapping[str, object]:
        paths = [_path(str(path)) for path in _items(inputs["paths"])]
        allowed = self._setting.request.allow_secrets
        report = await self._ingest(paths, self._setting.project, allow_secrets=allowed)
        self.outcome.notices += told(report.redacted)
        self.outcome.answer = (
            f"Read {report.files} files: {report.chunks} new pieces, {report.skipped} files skipped, "
            f"{report.removed} removed."
        )
        say(self.outcome.answer, context)
        return {"report": report}


def _layer(name: object) -> Layer:
    try:
        return Layer(str(name))
    except ValueError as exc:
        raise InvalidInputError(f"no layer {str(name)!r}", hint=f"layers: {', '.join(Layer)}") from exc


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _results(inputs: Mapping[str, object]) -> tuple[UsedTool, ...]:
    """Return the tools that answered."""
    return tuple(one for one in _items(inputs.get("results") or ()) if isinstance(one, UsedTool) and one.ok)


def _evidence(inputs: Mapping[str, object]) -> tuple[Found, ...]:
    """Return what memory holds; what a tool answered earlier counts only while no tool answered now."""
    found = [one for one in _items(inputs.get("evidence") or ()) if isinstance(one, Found)]
    fresh = _results(inputs)
    return tuple(one for one in found if not (fresh and one.hit.record.kind == TOOL_RECORD))


async def _estimated_tokens(text: str) -> int:
    return len(text) // _CHARS_A_TOKEN + 1
