"""Tools that need no guest: scripted ones, grants that a test gives, and the facade's side of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ourcli.app.desks.rights import ChangedRights, Request, Terms
from ourcli.app.desks.tools import Calling, PluginCheck, PluginEntry, PluginShelf, ToolEntry, ToolShelf
from ourcli.common.clock import SystemClock
from ourcli.common.errors import CapabilityDeniedError, NotFoundError, OurcliError
from ourcli.common.events import EventSink, NullSink, ToolLogged
from ourcli.testing.grants import NOON
from ourcli.testing.undo import FakeHistory
from ourcli.tools.capabilities import Capability, Quota, missing, parse
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.grants import Difference
from ourcli.tools.manifest import Manifest
from ourcli.tools.plugin_lock import Added
from ourcli.tools.plugins import Plugin
from ourcli.tools.ports import Tool, ToolContext, ToolResult
from ourcli.tools.registry import Registry
from ourcli.tools.runner import ToolRunner
from ourcli.tools.spec import Origin, OriginKind, SideEffects, ToolSpec

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
ANSWER: JsonObject = {"type": "object", "properties": {"greeting": {"type": "string"}}, "required": ["greeting"]}


def a_spec(
    name: str = "hello.hello",
    *,
    capabilities: Sequence[str] = (),
    side_effects: SideEffects = SideEffects.NONE,
    origin: Origin | None = None,
) -> ToolSpec:
    """Return the spec of a tool that greets."""
    own = Origin(kind=OriginKind.PLUGIN, name=name.partition(".")[0], sha256="ab" * 32, place="/plugins/hello")
    return ToolSpec(
        name=name,
        description="Greets the world",
        origin=origin or own,
        input_schema=SCHEMA,
        output_schema=ANSWER,
        capabilities=tuple(parse(text) for text in capabilities),
        side_effects=side_effects,
    )


class FakeTool:
    """Answer what `answers` holds, in turn and the last one again and again; keep what it was called with.

    Args:
        spec: What it is.
        answers: Outputs, or errors to raise.
        says: Lines of log at every call.
    """

    def __init__(
        self, spec: ToolSpec, answers: Sequence[JsonObject | OurcliError] = (), says: Sequence[str] = ()
    ) -> None:
        self._spec, self._says = spec, says
        self._answers = list(answers) or [{"greeting": "Hello"}]
        self.calls: list[tuple[JsonObject, ToolContext]] = []

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return self._spec

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Answer the next thing."""
        self.calls.append((input, context))
        for line in self._says:
            context.log(line)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, OurcliError):
            raise answer
        return answer


class FakeGrants:
    """Grant what a test says, by the digest of the origin.

    Args:
        rights: Rights by digest; "*" stands for every origin.
        quotas: Bytes by path, the same for every origin.
    """

    def __init__(
        self, rights: Mapping[str, Sequence[str]] | None = None, quotas: Mapping[str, int] | None = None
    ) -> None:
        self.rights = dict(rights or {})
        self.bounds = dict(quotas or {})

    async def granted(self, origin: Origin, session: str = "") -> frozenset[Capability]:  # noqa: ARG002
        """Return the rights of this digest."""
        texts = (*self.rights.get(origin.sha256, ()), *self.rights.get("*", ()))
        return frozenset(parse(text) for text in texts)

    async def quotas(self, origin: Origin, session: str = "") -> frozenset[Quota]:  # noqa: ARG002
        """Return the bounds a test gave."""
        return frozenset(Quota(path, most_bytes) for path, most_bytes in self.bounds.items())


def a_plugin() -> Plugin:
    """Return a plugin that is nowhere."""
    manifest = Manifest.model_validate(
        {
            "name": "hello",
            "version": "1.0.0",
            "description": "Greets the world",
            "inputs": [],
            "capabilities": ["clock"],
        }
    )
    return Plugin(
        folder=Path("/plugins/hello"),
        manifest=manifest,
        module=Path("/plugins/hello/hello.wasm"),
        module_sha256="ab" * 32,
        manifest_sha256="cd" * 32,
    )


class FakeTools:
    """The tools of the fake facade: it answers from what the test put into it.

    Args:
        begin: Notes the call, and raises what the test asks for.
    """

    def __init__(self, begin: Callable[..., None]) -> None:
        self._begin = begin
        self.history = FakeHistory()
        self.specs: list[ToolSpec] = [a_spec()]
        self.problems: tuple[str, ...] = ()
        self.output: dict[str, Json] = {"greeting": "Hello, Ada!"}
        self.grants = FakeGrants()
        self.held: set[Capability] = set()
        self.needs: tuple[str, ...] = ()
        self.shown = ""
        self.why_asked = ""
        self.changed: Difference | None = None
        self.tools: list[Tool] = []
        self.policy = False

    async def all(self) -> ToolShelf:
        """Return `specs` and `problems`."""
        self._begin("tools.all")
        entries = tuple(ToolEntry(spec=spec, granted=tuple(self.held)) for spec in self.specs)
        return ToolShelf(tools=entries, problems=self.problems)

    async def show(self, name: str, session: str = "") -> ToolEntry:  # noqa: ARG002
        """Return one of `specs`."""
        self._begin("tools.show", name)
        for spec in self.specs:
            if spec.name == name:
                return ToolEntry(spec=spec, granted=tuple(self.held))
        raise NotFoundError(f"no tool {name!r}", hint="`ourcli tools list` shows them")

    async def preview(self, name: str, input: JsonObject, calling: Calling = Calling()) -> str:  # noqa: A002, B008
        """Return `shown`, unless one of `needs` is neither held nor granted for this call."""
        self._begin("tools.preview", name, dict(input))
        self._check(name, (), calling)
        return self.shown

    async def call(
        self,
        name: str,
        input: JsonObject,  # noqa: A002
        listen: EventSink = NullSink(),  # noqa: B008
        calling: Calling = Calling(),  # noqa: B008
    ) -> ToolResult:
        """Have one of `tools` answer; where there are none, answer `output` if every right is held that it takes."""
        if self.tools:
            clock = SystemClock()

            def log(line: str) -> None:
                listen.emit(ToolLogged(at=clock.now(), tool=name, origin="", text=line))

            runner = ToolRunner(Registry(self.tools), self.grants, clock=clock, sink=NullSink())
            return await runner.call(name, input, ToolContext(log=log))
        spec = (await self.show(name)).spec
        self._check(name, spec.capabilities, calling)
        self._begin("tools.call", name, dict(input))
        return ToolResult(tool=name, output=self.output, origin=spec.origin, milliseconds=1.0)

    def _check(self, name: str, requested: Sequence[Capability], calling: Calling) -> None:
        lacking = missing((*requested, *(parse(text) for text in self.needs)), {*self.held, *calling.once})
        if lacking:
            raise CapabilityDeniedError(f"{name} lacks {lacking[0]}", capability=str(lacking[0]), hint="grant it")

    async def request(self, name: str, more: Sequence[Capability] = (), session: str = "") -> Request:  # noqa: ARG002
        """Return what one of `specs` lacks, with `why_asked` and `changed`."""
        self._begin("tools.request", name, tuple(more))
        spec = (await self.show(name)).spec
        lacking = missing((*spec.capabilities, *more), self.held)
        since = NOON if self.changed else None
        return Request(spec=spec, lacking=lacking, why_asked=self.why_asked, since=since, changed=self.changed)

    async def grant(self, name: str, rights: Sequence[Capability], terms: Terms) -> ChangedRights:
        """Hold more."""
        self._begin("tools.grant", name, tuple(rights), terms)
        self.held |= set(rights)
        return ChangedRights(origin=self.specs[0].origin, rights=tuple(rights))

    async def revoke(self, name: str, rights: Sequence[Capability] | None = None) -> ChangedRights:
        """Hold less."""
        self._begin("tools.revoke", name, rights)
        gone = self.held if rights is None else self.held & set(rights)
        self.held -= gone
        return ChangedRights(origin=self.specs[0].origin, rights=tuple(sorted(gone)))

    async def add_plugin(self, source: Path, *, replace: bool = False) -> Added:
        """Add the one plugin."""
        self._begin("tools.add_plugin", source, replace)
        return Added(plugin=a_plugin(), files={"manifest.json": "cd" * 32}, replaced=replace)

    async def remove_plugin(self, name: str) -> tuple[Capability, ...]:
        """Say that it had the right to know the time."""
        self._begin("tools.remove_plugin", name)
        return (parse("clock"),)

    async def unattended(self, name: str) -> bool:  # noqa: ARG002
        """Say what `policy` says."""
        return self.policy

    async def plugins(self) -> PluginShelf:
        """Return one plugin."""
        self._begin("tools.plugins")
        return PluginShelf(plugins=(PluginEntry(plugin=a_plugin(), granted=()),), problems=self.problems)

    async def check(self, path: Path) -> PluginCheck:
        """Find `problems`."""
        self._begin("tools.check", path)
        return PluginCheck(plugin=a_plugin(), problems=self.problems, guards=("rlimits",))
