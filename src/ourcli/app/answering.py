"""How an answer is made: quoted from memory, or written by the model and checked against what it was given."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ourcli.ai.ports import ChatRequest, Finished, TextDelta
from ourcli.app.reader import Reader
from ourcli.app.requests import AskRequest
from ourcli.app.tools.using import UsedTool
from ourcli.common.claims import Claim, unsupported
from ourcli.common.events import AnswerTextProduced
from ourcli.core import answer as checks
from ourcli.core.citing import stands_on, with_numbers
from ourcli.core.evidence import Found
from ourcli.core.openness import is_open
from ourcli.core.ports import StepContext
from ourcli.core.prompt import Attachment, Evidence, PackedEvidence, PromptParts, Turn
from ourcli.core.quote import MOST_QUOTES, quote
from ourcli.memory.query import SearchResult

NOTHING_FOUND = "Memory holds nothing about this; what follows is the model's own knowledge."
QUOTED = "From memory, word for word:"
BESIDE = "What memory holds, word for word:"
FROM_TOOL = "From the tool `{name}`"
_NEAR_THE_STRONGEST = 0.7
_SHORT_CHARS = 240


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
    tools: tuple[UsedTool, ...] = ()

    @property
    def results(self) -> tuple[UsedTool, ...]:
        """The tools that answered."""
        return tuple(one for one in self.tools if one.ok)

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the others did not, a line each."""
        return tuple(one.text for one in self.tools if not one.ok)


class Answering:
    """Makes the answer of one run, and notes in `outcome` what it stands on.

    Args:
        reader: The language model.
        setting: What the run stands in.
        outcome: Filled in.
        context: Where pieces of the answer go.
    """

    def __init__(self, reader: Reader, setting: Setting, outcome: Outcome, context: StepContext) -> None:
        self._reader = reader
        self._setting = setting
        self.outcome = outcome
        self._context = context

    def quoted(self, parts: PromptParts, found: Sequence[Found]) -> str:
        """Answer with the evidence's own words, and with what was wrong with a tool."""
        packed = self._quotable(parts, found)
        self.outcome.mode = "quoted"
        self.outcome.answer = "\n\n".join((*self._quotes(packed, parts.question, QUOTED), *self.outcome.faults))
        say(self.outcome.answer, self._context)
        self.outcome.cited = tuple(packed)
        return self.outcome.answer

    async def written(self, parts: PromptParts, found: Sequence[Found]) -> str:
        """Let the model answer, check what it says, and return its own words."""
        head = ""
        if self._setting.request.use_memory and not parts.evidence and not parts.attachments and not parts.turns:
            head = f"*{NOTHING_FOUND}*\n\n"
            say(head, self._context)
        own = await self._stream(parts)
        self.outcome.answer = "\n\n".join((head + self._checked(own, parts, found), *self.outcome.faults))
        return own

    async def _stream(self, parts: PromptParts) -> str:
        model = await self._reader.model()
        request = ChatRequest(
            messages=parts.messages,
            max_tokens=self._setting.answer_tokens,
            temperature=self._setting.temperature,
            seed=self._setting.seed,
        )
        pieces: list[str] = []
        started = self._context.clock.monotonic_s()
        async with model.chat(request) as stream:
            async for item in stream:
                if isinstance(item, TextDelta):
                    text = item.text if pieces else item.text.lstrip()
                    if text and not pieces:
                        self.outcome.first_token_ms = (self._context.clock.monotonic_s() - started) * 1000.0
                    if text:
                        pieces.append(text)
                        say(text, self._context)
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
        claims = self._claims(own, given, asked)
        checked = checks.mark(own, claims)
        packed = self._quotable(parts, found)
        if packed and (claims or not _holds(own, packed[0], self.outcome.cited, asked)):
            self.outcome.cited = tuple(dict.fromkeys((*self.outcome.cited, *packed)))
            return "\n\n".join((checked, *self._quotes(packed, parts.question, BESIDE)))
        return self._naming_tools(with_numbers(checked, self.outcome.cited))

    def _quotable(self, parts: PromptParts, found: Sequence[Found]) -> list[PackedEvidence]:
        """Return what may be quoted: answers of tools, then strong evidence."""
        keys = {one.key for one in self.outcome.results}
        return [*(one for one in parts.evidence if one.evidence.key in keys), *_quotable(parts, found)]

    def _quotes(self, packed: Sequence[PackedEvidence], question: str, head: str) -> list[str]:
        """Return the quotes, those of each tool and those of memory under a head of their own."""
        names = {one.key: one.name for one in self.outcome.results}
        remembered = [one for one in packed if one.evidence.key not in names]
        blocks = [
            f"{FROM_TOOL.format(name=names[one.evidence.key])}:\n\n{quote([one], question)}"
            for one in packed
            if one.evidence.key in names
        ]
        return [*blocks, f"{head}\n\n{quote(remembered, question)}"] if remembered else blocks

    def _naming_tools(self, answer: str) -> str:
        """Return the answer with the names of the tools that it stands on and does not name."""
        keys = {one.evidence.key for one in self.outcome.cited}
        names = [one.name for one in self.outcome.results if one.key in keys and one.name not in answer]
        return "\n\n".join((answer, *(f"*{FROM_TOOL.format(name=name)}.*" for name in names)))

    def _claims(self, own: str, given: Sequence[str], asked: str) -> tuple[Claim, ...]:
        """Return what the answer says and nothing given holds; of a task, only numbers count."""
        open_task = is_open(asked)
        claims = unsupported(own, () if open_task else given, " ".join((asked, *given)) if open_task else asked)
        if claims:
            named = ", ".join(dict.fromkeys(claim.text for claim in claims))
            self.outcome.notices.append(f"{checks.MARK} marks what neither memory nor the question holds: {named}")
        return claims


def _holds(own: str, best: PackedEvidence, cited: Sequence[PackedEvidence], asked: str) -> bool:
    """Say whether an answer stands on the best evidence and repeats its facts letter for letter."""
    return best in cited and checks.repeats_exactly(own, best.evidence.text, asked)


def _quotable(parts: PromptParts, found: Sequence[Found]) -> list[PackedEvidence]:
    """Return the evidence that may be quoted: strong, not far behind the strongest, and short but for the first."""
    strong = [one for one in found if one.quotable]
    if not strong:
        return []
    floor = _NEAR_THE_STRONGEST * strong[0].relevance
    keys = {str(one.hit.record.id) for one in strong if one.relevance >= floor}
    packed = [one for one in parts.evidence if one.evidence.key in keys]
    return [*packed[:1], *(one for one in packed[1:] if len(one.evidence.text) <= _SHORT_CHARS)][:MOST_QUOTES]


def say(text: str, context: StepContext) -> None:
    """Hand a piece of the answer to the one who waits."""
    context.sink.emit(AnswerTextProduced(at=context.clock.now(), run_id=context.run_id, text=text))
