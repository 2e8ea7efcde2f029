"""One question's way: route, plan, run, answer."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import anyio

from ourcli.ai.models.spec import Capability
from ourcli.app.answering import Outcome, Setting
from ourcli.app.attachments import Attachments
from ourcli.app.reader import NoReader, Reader
from ourcli.app.requests import Answer, AnswerTiming, AskRequest, Citation, ToolCall, Usage
from ourcli.app.sessions import Sessions, conversation
from ourcli.app.steps import Ingesting, Steps
from ourcli.app.tools.using import UsedTool, UsesTools
from ourcli.common.clock import Clock
from ourcli.common.errors import BudgetSpentError, InvalidInputError, OurcliError, UsageError
from ourcli.common.events import Event, EventSink
from ourcli.common.ids import RunId, new_id
from ourcli.config.settings import Settings
from ourcli.core.executor import Executor
from ourcli.core.plan import Plan
from ourcli.core.planner import Planner
from ourcli.core.ports import Journal
from ourcli.core.prompt import Turn
from ourcli.core.router import RequestKind, route
from ourcli.memory.layers import Layer
from ourcli.memory.query import Filter
from ourcli.memory.record import Record
from ourcli.memory.service import MemoryService

DEFAULT_ANSWER_TOKENS = 512
_READING_STEPS = frozenset({"tool", "prompt", "generate"})
_BUDGET_NAMES = frozenset({"tokens", "seconds", "calls"})
_LONGEST_HISTORY = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """Hand every event to the bus and to the one who waits."""

    bus: EventSink
    listener: EventSink

    def emit(self, event: Event) -> None:
        """Take one event."""
        self.bus.emit(event)
        self.listener.emit(event)


class Asking:
    """Answers requests.

    Args:
        memory: What is remembered.
        reader_of: Gives the language model that a setting names; not loaded yet.
        ingest: Reads files.
        attachments: Reads what is given along with a question.
        sessions: Which conversation is meant.
        planner: Chooses recipes.
        journal: Where runs are written down.
        bus: Where facts go.
    """

    def __init__(  # noqa: PLR0913  # the composition root hands over every part by name
        self,
        *,
        memory: MemoryService,
        reader_of: Callable[[str], Reader],
        ingest: Ingesting,
        attachments: Attachments,
        sessions: Sessions,
        planner: Planner,
        journal: Journal,
        bus: EventSink,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._memory, self._reader_of, self._ingest = memory, reader_of, ingest
        self._attachments, self._sessions, self._planner = attachments, sessions, planner
        self._journal, self._bus, self._clock, self._settings = journal, bus, clock, settings

    def plan(self, request: AskRequest) -> Plan:
        """Return the plan for a request; nothing is run.

        Raises:
            InvalidInputError: The question is empty.
            NotFoundError: There is no recipe of that name.
            PlanError: The recipe does not fit the request.
        """
        if not request.text.strip():
            raise InvalidInputError("the question is empty", hint='ask something: ourcli ask "what did we decide?"')
        routed = route(request.text)
        given = request.files or request.attachment
        if given and request.recipe is None and routed.kind is not RequestKind.QUESTION:
            routed = type(routed)(kind=RequestKind.QUESTION, text=request.text)
        tags = tuple(dict.fromkeys((*routed.tags, *request.tags)))
        return self._planner.plan(routed, recipe=request.recipe, parameters={"tags": tags})

    async def ask(self, request: AskRequest, listen: EventSink, tools: UsesTools | None = None) -> Answer:
        """Answer a request.

        Args:
            request: What is asked.
            listen: Gets every event of the run, pieces of the answer included.
            tools: What may be used besides memory; None for nothing.

        Raises:
            InvalidInputError: The question is empty or too long.
            ModelError: The language model is missing or broken.
            BudgetSpentError: The budget's seconds ran out.
            OurcliError: A step failed.
        """
        _check_budget(request.budget)
        started = self._clock.monotonic_s()
        plan = self.plan(request)
        project = request.project or self._settings.project
        session = self._sessions.open(request, project)
        reader = self._reader(plan, request)
        run_id = RunId(new_id(self._clock.now()))
        setting = await self._setting(request, project, session)
        steps = Steps(self._memory, reader, self._ingest, setting, tools)
        executor = Executor(
            steps.handlers(), journal=self._journal, sink=Both(bus=self._bus, listener=listen), clock=self._clock
        )
        seconds = request.budget.get("seconds")
        with anyio.move_on_after(seconds) as limit:
            await self._run(executor, plan, reader, run_id)
        if limit.cancelled_caught:
            raise BudgetSpentError(f"the budget of {seconds:g} seconds is spent", hint="give --budget seconds=N more")
        if request.use_memory:
            self._sessions.note(project, session)
        outcome = steps.outcome
        notices = (*outcome.notices, *(reader.notices() if outcome.parts is not None else ()))
        return Answer(
            run_id=run_id,
            session=session,
            project=project,
            model=reader.name,
            mode=_mode(outcome),
            answer=outcome.answer,
            citations=_citations(outcome),
            notices=notices,
            plan=plan.to_json(),
            usage=_usage(outcome),
            timing_ms=_timing(outcome, (self._clock.monotonic_s() - started) * 1000.0),
            tools=tuple(ToolCall(name=one.name, input=one.input, ok=one.ok) for one in outcome.tools),
        )

    def _reader(self, plan: Plan, request: AskRequest) -> Reader:
        if any(step.kind in _READING_STEPS for step in plan.steps):
            return self._reader_of(request.model or self._settings.ai.llm_model)
        return NoReader()

    async def _run(self, executor: Executor, plan: Plan, reader: Reader, run_id: RunId) -> None:
        """Run the plan; a model that will surely be needed loads while memory is asked."""
        generates = any(step.kind == "generate" for step in plan.steps)
        async with anyio.create_task_group() as tasks:
            if generates and reader.capability is not Capability.FALLBACK:
                tasks.start_soon(_warm, reader)
            try:
                await executor.run(plan, run_id=run_id)
            except OurcliError as exc:
                failure: OurcliError | None = exc
            else:
                failure = None
        if failure is not None:
            raise failure

    async def _setting(self, request: AskRequest, project: str, session: str) -> Setting:
        turns: tuple[Turn, ...] = ()
        next_turn = 0
        if request.use_memory and (request.session or request.continue_last):
            where = Filter(project=project, layers=(Layer.INTERACT,), session=session)
            turns, next_turn = conversation(await self._memory.records(where, limit=_LONGEST_HISTORY))
        whole, pieces = await self._attachments.read(request)
        tokens = request.budget.get("tokens")
        answer_tokens = _answer_tokens(request, tokens)
        return Setting(
            request=request,
            project=project,
            session=session,
            turns=turns,
            next_turn=next_turn,
            answer_tokens=answer_tokens,
            prompt_tokens=max(0, int(tokens) - answer_tokens) if tokens is not None else None,
            temperature=self._settings.ai.temperature,
            seed=self._settings.ai.seed,
            attachments=whole,
            pieces=pieces,
        )


async def _warm(reader: Reader) -> None:
    with suppress(OurcliError):  # whoever needs the model gets the same error and reports it
        await reader.model()


def _check_budget(budget: Mapping[str, float]) -> None:
    for name, limit in budget.items():
        if name not in _BUDGET_NAMES:
            raise UsageError(f"no budget {name!r}", hint="budgets: tokens, seconds, calls")
        if limit <= 0:
            raise BudgetSpentError(f"a budget of {limit:g} {name} is spent before it begins")


def _answer_tokens(request: AskRequest, budget: float | None) -> int:
    """Return the answer's room; of a budget of tokens it takes half at most, the prompt has the rest."""
    wanted = request.max_tokens or DEFAULT_ANSWER_TOKENS
    return wanted if budget is None else max(1, min(wanted, int(budget) // 2))


def _mode(outcome: Outcome) -> Literal["generated", "quoted"]:
    return "quoted" if outcome.mode == "quoted" else "generated"


def _citations(outcome: Outcome) -> tuple[Citation, ...]:
    by_id = {one.hit.record.id: one.hit.record for one in outcome.found}
    tools = {one.key: one for one in outcome.results}
    cited = []
    for packed in sorted(outcome.cited, key=lambda one: one.number):
        record = by_id.get(packed.evidence.key)  # type: ignore[call-overload]  # a file's key is no RecordId
        tool = tools.get(packed.evidence.key)
        record_id = tool.record_id if tool else record.id if record else None
        cited.append(
            Citation(
                number=packed.number,
                record_id=record_id,
                layer=_layer_of(record, tool),
                score=packed.evidence.score,
                source=record.source if record else packed.evidence.source,
                text=packed.evidence.text,
            )
        )
    return tuple(cited)


def _layer_of(record: Record | None, tool: UsedTool | None) -> str:
    if tool is not None:
        return Layer.INTERACT.value if tool.record_id else "tool"
    return record.layer.value if record else "file"


def _usage(outcome: Outcome) -> Usage:
    finished = outcome.finished
    return Usage(
        input_tokens=finished.input_tokens if finished else 0,
        output_tokens=finished.output_tokens if finished else 0,
    )


def _timing(outcome: Outcome, total_ms: float) -> AnswerTiming:
    search, finished = outcome.search, outcome.finished
    return AnswerTiming(
        total=total_ms,
        recall=search.timing_ms.total if search else 0.0,
        rerank=search.timing_ms.rerank if search else 0.0,
        prefill=finished.prefill_ms if finished else 0.0,
        first_token=outcome.first_token_ms,
        generate=finished.generate_ms if finished else 0.0,
    )
