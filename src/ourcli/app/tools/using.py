"""A question's one tool: chosen from the user's words alone, filled in, called, remembered.

Nothing that a tool, a page or memory says is read before the choice is made and the arguments are fixed, so nothing
of that can change which tool runs, or with what. One question runs one tool at most, and only one that changes nothing.
"""

import logging
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import anyio
from anyio import to_thread

from ourcli.app.tools.calling import ToolCalls
from ourcli.app.tools.named_files import NamedFile, named_files
from ourcli.app.tools.recording import Recorder
from ourcli.common.errors import CapabilityDeniedError, ModelError, OurcliError, ToolInputError
from ourcli.core.openness import is_open
from ourcli.core.prompt import Evidence
from ourcli.tools.arguments import fill, invented
from ourcli.tools.capabilities import Capability
from ourcli.tools.choosing import Choice, ToolIndex, fitting
from ourcli.tools.data import Json
from ourcli.tools.evident import Evident, Question, evident
from ourcli.tools.logtext import harmless
from ourcli.tools.ports import ArgumentWriter, SpecEmbedder, ToolContext, ToolResult
from ourcli.tools.registry import Registry
from ourcli.tools.rendering import rendered
from ourcli.tools.spec import Origin, OriginKind, SideEffects, ToolSpec

TOOL_KEY: Final = "tool:"
"""What keys of answers begin with that memory does not hold."""
UNTOLD_FITTING: Final = 0.6
"""A tool that takes nothing from the question must fit it that well."""
_LEFT_OUT: Final = frozenset({"memory", "tools"})
"""Built-in families that a question never needs: memory is recalled anyway, and tools are chosen here."""
_HOW_TO = re.compile(r"\s*(?:so|and|but|please)?\W*how\s+(?:to|do|does|can|could|would|should)\b", re.IGNORECASE)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedTool:
    """A call that a question led to.

    Attributes:
        name: The tool's full name.
        input: What it was given.
        ok: It answered.
        origin: Who stands behind it, `kind:name`.
        text: Its answer as text; else why there is none, with what to do about it.
        record_id: The record of the call, or None where nothing was remembered.
        lacks: The right it lacks, or "".
    """

    name: str
    input: dict[str, Json]
    ok: bool
    origin: str
    text: str
    record_id: str | None = None
    lacks: str = ""

    @property
    def key(self) -> str:
        """What its evidence is called: the record's id, else a key that no record has."""
        return self.record_id or f"{TOOL_KEY}{self.name}"

    def as_evidence(self) -> Evidence:
        """Return its answer for the prompt: data with its origin, as strong as evidence gets."""
        return Evidence(key=self.key, text=self.text, score=1.0, label=f"result of the tool {self.name}")


class Toolbox(Protocol):
    """Every tool there is; `ourcli.app.desks.tools.ToolDesk` is it."""

    async def runner(self) -> ToolCalls:
        """Return what calls tools, with the rights that stand."""
        ...

    async def once(self, origin: Origin, more: frozenset[Capability]) -> ToolCalls:
        """Return what calls tools, `origin` having `more` rights than stand."""
        ...


class UsesTools(Protocol):
    """What a run needs of tools."""

    async def use(
        self, question: str, context: ToolContext, *, writer: ArgumentWriter | None, remember: bool
    ) -> tuple[UsedTool, ...]:
        """Call the one tool that fits a question.

        Args:
            question: The user's words.
            context: Whose run it is.
            writer: The model that fills in arguments; None for one that cannot be trusted with that.
            remember: Store the call in memory.

        Returns:
            The call, also when it failed or lacked a right; nothing when no tool fits.
        """
        ...


class NoTools:
    """Use no tool."""

    async def use(
        self,
        question: str,  # noqa: ARG002
        context: ToolContext,  # noqa: ARG002
        *,
        writer: ArgumentWriter | None,  # noqa: ARG002
        remember: bool,  # noqa: ARG002
    ) -> tuple[UsedTool, ...]:
        """Return nothing."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A call that was decided on; from here on nothing changes it."""

    spec: ToolSpec
    input: dict[str, Json]
    files: tuple[NamedFile, ...]


class ToolUse:
    """Uses the tools of this ourcli.

    Args:
        toolbox: The tools.
        embedder: Gives questions and documents their vectors.
        recorder: Remembers calls.
        folder: The working directory.
    """

    def __init__(self, toolbox: Toolbox, embedder: SpecEmbedder, recorder: Recorder, *, folder: Path) -> None:
        self._toolbox, self._embedder, self._recorder, self._folder = toolbox, embedder, recorder, folder
        self._index = ToolIndex((), None)
        self._of: Registry | None = None
        self._indexing = anyio.Lock()

    async def use(
        self, question: str, context: ToolContext, *, writer: ArgumentWriter | None, remember: bool
    ) -> tuple[UsedTool, ...]:
        """Call the one tool that fits a question; see `UsesTools.use`."""
        files = await to_thread.run_sync(named_files, question, self._folder)
        asked = Question(text=question, files=tuple(one.text for one in files))
        for choice in await self._choices(asked):
            call = await self._decided(choice, asked, files, writer)
            if call is not None:
                return (await self._called(call, context, remember=remember),)
        return ()

    async def _choices(self, question: Question) -> Sequence[Choice]:
        index = await self._tools()
        if not index.specs:
            return ()
        try:
            vector = await self._embedder.embed_query(question.general)
        except ModelError as exc:
            _LOG.info("tools are chosen by words alone: %s", exc.message)
            vector = None
        ranked = index.rank(question.general, vector)
        named = [choice for choice in ranked if _names(question.text, choice.spec.name)]
        return named or fitting(ranked)

    async def _tools(self) -> ToolIndex:
        """Return the index of the tools that a question may lead to, made once for a registry."""
        async with self._indexing:
            registry = (await self._toolbox.runner()).registry
            if registry is not self._of:
                specs = [spec for tool in registry if _may_run(spec := tool.spec())]
                try:
                    self._index = await ToolIndex.build(specs, self._embedder)
                except ModelError as exc:
                    _LOG.info("tools are compared by words alone: %s", exc.message)
                    self._index = await ToolIndex.build(specs, None)
                self._of = registry
            return self._index

    async def _decided(
        self, choice: Choice, question: Question, files: Sequence[NamedFile], writer: ArgumentWriter | None
    ) -> _Call | None:
        """Return the call that a question means with this tool, or None when it means none."""
        spec, found = choice.spec, evident(choice.spec, question)
        if found is None or (not found.complete and writer is None):
            return None
        if not found.given and not _means(question.text, choice):
            return None
        given = dict(found.given)
        if not found.complete and writer is not None:
            written = await self._written(spec, question, found, writer)
            if written is None:
                return None
            given = written
        by_text = {one.text: one for one in files}
        used = tuple(by_text[text] for text in _texts(given) if text in by_text)
        return _Call(spec=spec, input=_placed(given, used, spec), files=used)

    async def _written(
        self, spec: ToolSpec, question: Question, found: Evident, writer: ArgumentWriter
    ) -> dict[str, Json] | None:
        try:
            filled = await fill(spec, question.text, writer, given=found.given)
        except (ToolInputError, ModelError) as exc:
            _LOG.info("the tool %s was not called: %s", spec.name, exc.message)
            return None
        names = invented(filled.input, spec.input_schema, question.text)
        if names:
            _LOG.info("the tool %s was not called: the question does not give %s", spec.name, ", ".join(names))
            return None
        return filled.input

    async def _called(self, call: _Call, context: ToolContext, *, remember: bool) -> UsedTool:
        spec = call.spec
        more = frozenset(one.right() for one in call.files if one.inside)
        for right in sorted(more):
            _LOG.info("the question names a file: %s has %s for this one call", spec.name, right)
        calls = await (self._toolbox.once(spec.origin, more) if more else self._toolbox.runner())
        try:
            result = await calls.call(spec.name, call.input, context)
        except CapabilityDeniedError as exc:
            return _used(call, ok=False, text=_lacking(spec, exc), lacks=exc.capability)
        except OurcliError as exc:
            return await self._failed(call, exc, context, remember=remember)
        return await self._answered(call, result, context, remember=remember)

    async def _answered(self, call: _Call, result: ToolResult, context: ToolContext, *, remember: bool) -> UsedTool:
        place = {"project": context.project, "session": context.session}
        record = await self._recorder.answered(result, call.input, **place) if remember else None
        return _used(call, ok=True, text=rendered(result.output), record_id=record)

    async def _failed(self, call: _Call, error: OurcliError, context: ToolContext, *, remember: bool) -> UsedTool:
        fault, place = harmless(error.message), {"project": context.project, "session": context.session}
        name = call.spec.name
        record = await self._recorder.failed(name, call.input, fault, **place) if remember else None
        hint = f" ({harmless(error.hint)})" if error.hint else ""
        return _used(call, ok=False, text=f"The tool `{name}` failed: {fault}{hint}", record_id=record)


def _may_run(spec: ToolSpec) -> bool:
    own = spec.origin.kind is OriginKind.BUILTIN and spec.origin.name in _LEFT_OUT
    return spec.side_effects is SideEffects.NONE and not own


def _means(question: str, choice: Choice) -> bool:
    """Say whether a question that names no file, address or value of a tool means it, not only its subject."""
    if _names(question, choice.spec.name):
        return True
    return choice.score >= UNTOLD_FITTING and not is_open(question) and _HOW_TO.match(question) is None


def _names(question: str, tool: str) -> bool:
    """Say whether a question names a tool outright: by its full name."""
    return re.search(rf"(?<![\w.]){re.escape(tool)}(?!\w|\.\w)", question, re.IGNORECASE) is not None


def _texts(given: dict[str, Json]) -> list[str]:
    items = [item for value in given.values() for item in (value if isinstance(value, list) else [value])]
    return [item for item in items if isinstance(item, str)]


def _placed(given: dict[str, Json], files: Sequence[NamedFile], spec: ToolSpec) -> dict[str, Json]:
    """Return the arguments with the paths by which the tool reaches the files.

    A built-in tool knows the working directory; a plugin or server does not, and a link would lead it away from
    what it was granted.
    """
    own = spec.origin.kind is OriginKind.BUILTIN
    whole = {one.text: str(one.path) for one in files if one.linked or not own}
    return {name: _exchanged(value, whole) for name, value in given.items()}


def _exchanged(value: Json, whole: dict[str, str]) -> Json:
    if isinstance(value, str):
        return whole.get(value, value)
    return [_exchanged(item, whole) for item in value] if isinstance(value, list) else value


def _lacking(spec: ToolSpec, error: CapabilityDeniedError) -> str:
    right = harmless(error.capability)
    if not right:
        return f"The tool `{spec.name}` was not run: {harmless(error.message)}"
    line = f"ourcli tools grant {shlex.quote(spec.name)} {shlex.quote(right)}"
    return f"The tool `{spec.name}` was not run: it lacks the right `{right}`. To grant it: `{line}`"


def _used(call: _Call, *, ok: bool, text: str, record_id: str | None = None, lacks: str = "") -> UsedTool:
    return UsedTool(
        name=call.spec.name,
        input=call.input,
        ok=ok,
        origin=str(call.spec.origin),
        text=text,
        record_id=record_id,
        lacks=lacks,
    )
