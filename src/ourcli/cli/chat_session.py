"""What happens in a conversation, line by line; knows nothing of keyboards."""

from collections.abc import Awaitable, Callable

from ourcli.app.requests import Answer, AskRequest, NewRecord
from ourcli.cli.amounts import shortened
from ourcli.cli.answer_view import AnswerView, place_of
from ourcli.cli.diagnostics import Diagnostics
from ourcli.cli.output import Output
from ourcli.cli.ports import Facade
from ourcli.cli.sanitize import well_formed
from ourcli.common.errors import UsageError
from ourcli.memory.layers import LAYERS
from ourcli.memory.query import Filter, Query

HELP = """\
/help            this list
/model [M]       show the model, or answer with another one: a registry name or the path of a .gguf file
/memory [WORDS]  search memory; without words, how much there is
/decide TEXT     remember a decision
/why             what the last answer stands on
/quit            leave (so does Ctrl-D)
Enter sends, Esc Enter begins a new line, Ctrl-C stops an answer."""

_HITS = 5


class ChatSession:
    """One conversation.

    Args:
        service: The facade.
        output: Where answers go.
        diagnostics: Where progress and notices go.
        request: What the command line fixed: project, session, model.
    """

    def __init__(self, service: Facade, output: Output, diagnostics: Diagnostics, request: AskRequest) -> None:
        self._service = service
        self._output = output
        self._diagnostics = diagnostics
        self._project = request.project
        self._session = request.session
        self._continue = request.continue_last
        self._model, self._use_tools = request.model, request.use_tools
        self._last: Answer | None = None
        self._commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "/help": self._help,
            "/model": self._choose_model,
            "/memory": self._memory,
            "/decide": self._decide,
            "/why": self._why,
        }

    async def take(self, line: str) -> bool:
        """Do what a line says; return False when it ends the conversation.

        Raises:
            OurcliError: It could not be done; the conversation can go on.
        """
        words = well_formed(line).strip()
        name, _, rest = words.partition(" ")
        if name in ("/quit", "/exit"):
            return False
        if words.startswith("/") and name.count("/") == 1:
            await self._command(name, rest.strip())
        elif words:
            await self._ask(words)
        return True

    async def _command(self, name: str, rest: str) -> None:
        command = self._commands.get(name)
        if command is None:
            raise UsageError(f"no such command {name!r}", hint="/help lists them")
        await command(rest)

    async def _ask(self, words: str) -> None:
        request = AskRequest(
            text=words,
            project=self._project,
            session=self._session,
            continue_last=self._continue and self._session is None,
            model=self._model,
            use_tools=self._use_tools,
        )
        with AnswerView(self._output, self._diagnostics) as view:
            answer = await self._service.ask(request, view)
            view.finish(answer)
        self._session, self._last = answer.session, answer

    async def _help(self, _rest: str) -> None:
        self._output.text(HELP)

    async def _choose_model(self, rest: str) -> None:
        if rest:
            self._model = rest
        current = self._model or (self._last.model if self._last else self._service.settings.ai.llm_model)
        self._output.text(f"model: {current}")

    async def _memory(self, rest: str) -> None:
        if not rest:
            for layer, size in (await self._service.memory_stats()).items():
                self._output.text(f"{layer}: {size.rows} records ({LAYERS[layer].purpose})")
            return
        project = self._project or self._service.settings.project
        found = await self._service.search(Query(text=rest, filter=Filter(project=project), limit=_HITS))
        for hit in found.hits:
            place = place_of(hit.record.source)
            self._output.text(
                f"{hit.score:.2f} {hit.record.layer}  {place + '  ' if place else ''}{_one_line(hit.record.text)}"
            )
        if not found.hits:
            self._output.text("nothing found")

    async def _decide(self, rest: str) -> None:
        if not rest:
            raise UsageError("/decide needs the decision", hint="/decide we use a write-through cache")
        record = NewRecord(
            text=rest, kind="decision", tags=("decision",), project=self._project, session=self._session or ""
        )
        stored = await self._service.add([record])
        self._output.text(f"remembered as {stored.ids[0]}")
        for line in stored.notices:
            self._diagnostics.notice(line)

    async def _why(self, _rest: str) -> None:
        if self._last is None:
            raise UsageError("there is no answer yet", hint="ask something first")
        answer = self._last
        self._output.text(f"run {answer.run_id}: {answer.mode} by {answer.model}, {answer.timing_ms.total:.0f} ms")
        for citation in answer.citations:
            where = place_of(citation.source) or citation.record_id or ""
            self._output.text(
                f"[{citation.number}] {citation.layer}  {citation.score:.2f}  {where}\n    {citation.text}"
            )
        if not answer.citations:
            self._output.text("it stands on no record")


def _one_line(text: str) -> str:
    return shortened(text, 100)
