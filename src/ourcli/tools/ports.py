"""What the room needs of the outside, and what it gives: every seam of tools in one file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from anyio.abc import ByteStream

from ourcli.common.ids import RunId
from ourcli.tools.capabilities import Capability, Quota
from ourcli.tools.data import JsonObject
from ourcli.tools.fetching import Fetched, FetchRequest
from ourcli.tools.grants import Facts, Grant, Granted
from ourcli.tools.spec import Origin, ToolSpec

if TYPE_CHECKING:
    from ourcli.tools.vectors import Matrix, Vector  # workers read this file, and have no use for numpy


def unheard(_line: str) -> None:
    """Drop a line of a tool's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Under which conditions a tool is called.

    Attributes:
        run_id: The run that calls, or None outside any run.
        caller: Calls with one caller are run one after the other, in order; "" stands for no order.
        timeout_s: Seconds the call may take, in place of the tool's own limit when that is longer.
        project: Whose memory the call may see, where it may see any.
        session: The conversation that calls, or "".
        folder: Where relative paths of the input begin; a relative one begins at the process's working directory.
        granted: The rights it may use; the runner fills it in.
        quotas: How large what lies below a granted write path may get; the runner fills it in. A path without one has
            no bound.
        log: Takes each line that the tool writes to its log, made harmless.
    """

    run_id: RunId | None = None
    caller: str = ""
    timeout_s: float | None = None
    project: str = "default"
    session: str = ""
    folder: Path = Path()
    granted: frozenset[Capability] = frozenset()
    quotas: frozenset[Quota] = frozenset()
    log: Callable[[str], None] = field(default=unheard, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool answered: data from elsewhere, never an instruction.

    Attributes:
        tool: The tool's full name.
        output: The answer; it fits the tool's schema.
        origin: Who answered.
        milliseconds: How long it took.
        trust: Always `tool`.
    """

    tool: str
    output: JsonObject
    origin: Origin
    milliseconds: float
    trust: Literal["tool"] = "tool"


class Tool(Protocol):
    """Something that can be called: built in, a plugin's, an MCP server's."""

    def spec(self) -> ToolSpec:
        """Return what it is; the same at every call."""
        ...

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002  # the design's word
        """Run it once.

        Args:
            input: Fits the input schema; the runner saw to that.
            context: Who calls, with which rights, and for how long.

        Returns:
            The answer; the runner checks it against the output schema.

        Raises:
            ToolError: It failed, was stopped, or answered what it must not.
        """
        ...


@runtime_checkable
class Previews(Protocol):
    """What a tool has besides `Tool` when it can show what a call would change before it is done."""

    async def preview(self, input: JsonObject, context: ToolContext) -> str:  # noqa: A002  # the design's word
        """Return the change as text for people, a unified diff where files change, and change nothing.

        Raises:
            CapabilityDeniedError: It may not be done, or not even looked at.
            ToolError: It cannot be done.
        """
        ...


class Grants(Protocol):
    """Who was granted what."""

    async def granted(self, origin: Origin, session: str = "") -> frozenset[Capability]:
        """Return the rights that hold now for exactly this origin, its digest included.

        Args:
            origin: Who wants to use them.
            session: The conversation that calls, or ""; what was granted for a session holds in that one only.
        """
        ...

    async def quotas(self, origin: Origin, session: str = "") -> frozenset[Quota]:
        """Return the bounds that were set on the write paths among those rights."""
        ...


class ReadsGrants(Protocol):
    """Grants that are written down somewhere."""

    async def entries(self) -> tuple[Granted, ...]:
        """Return all of them, the same value as before when nothing changed; cheap then.

        Raises:
            StoreError: They are damaged, or others than the user could have written them.
            ConfigError: A policy is not valid.
        """
        ...


class GrantBook(ReadsGrants, Protocol):
    """Grants that persons give and take back. Several processes may do so at once."""

    async def grant(self, origin: Origin, facts: Facts, grants: Sequence[Grant]) -> None:
        """Write down more grants; when it returns they survive a power cut.

        Raises:
            StoreError: The book is damaged or cannot be written; nothing was granted.
        """
        ...

    async def revoke(self, origin: Origin, revoked: Sequence[Capability] | None = None) -> tuple[Capability, ...]:
        """Take back rights of an origin, whatever its digest, None for all; return those that it had.

        Raises:
            StoreError: The book is damaged or cannot be written.
        """
        ...


class ToolSource(Protocol):
    """Somewhere tools come from: the built-in ones, plugin folders, MCP servers. Asked when tools are first needed."""

    async def tools(self) -> "Sequence[Tool]":
        """Return its tools. What cannot be used is left out and named by `problems`."""
        ...

    async def problems(self) -> Sequence[str]:
        """Return why some of it cannot be used, a line each."""
        ...


class Resolver(Protocol):
    """Looks names up for the fetcher."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a name, the best one first.

        Raises:
            ToolError: It cannot be looked up.
        """
        ...


class Dialler(Protocol):
    """Opens connections for the fetcher."""

    async def dial(self, address: str, port: int) -> ByteStream:
        """Connect to an address; it is no name, and nothing is looked up.

        Raises:
            OSError: It does not take the connection.
        """
        ...


class Fetcher(Protocol):
    """Fetches pages for tools; nothing else in the room opens a connection for a tool."""

    async def fetch(self, request: FetchRequest, granted: frozenset[Capability]) -> Fetched:
        """Fetch once.

        Args:
            request: What.
            granted: The rights of whoever asks; the host and the host of every redirect must be covered by one.

        Raises:
            NetworkOffError: `OURCLI_NET=1` is not set.
            CapabilityDeniedError: The host, or an address it resolves to, is not granted; nothing was dialled.
            ToolError: It failed, took too long, was too large or of a kind that is not taken.
        """
        ...


class MemoryAccess(Protocol):
    """What tools may do with memory."""

    async def search(self, query: str, *, project: str, limit: int) -> Sequence[JsonObject]:
        """Return the best records: `id, text, layer, kind, tags, ts, source, score`."""
        ...

    async def remember(self, text: str, *, project: str, session: str, tags: Sequence[str]) -> str:
        """Store a text as `trust = tool` (redacted) and return its id."""
        ...


class HostServices(Protocol):
    """What a guest may ask its host for on the channel of its call; each method checks the rights of the caller."""

    async def fetch(self, params: JsonObject, context: ToolContext) -> JsonObject:
        """`host/fetch`: needs `net=HOST`."""
        ...

    async def memory_search(self, params: JsonObject, context: ToolContext) -> JsonObject:
        """`host/memory.search`: needs `memory:read`."""
        ...


class SpecEmbedder(Protocol):
    """Gives questions and documents of tools their vectors; known documents cost next to nothing."""

    async def embed_query(self, text: str) -> "Vector":
        """Return the unit vector of a question."""
        ...

    async def embed_passages(self, texts: Sequence[str]) -> "Matrix":
        """Return the unit vectors of documents, in their order."""
        ...


class ArgumentWriter(Protocol):
    """A language model as filling in arguments needs it."""

    async def write(self, turns: Sequence[str], schema: JsonObject, *, max_tokens: int) -> str:
        """Return the model's next words, held to `schema` by grammar.

        Args:
            turns: The rules, then the user's and the model's words in turn, the user's last.
            schema: A schema that a grammar can be made of.
            max_tokens: Most tokens to write.

        Raises:
            ModelError: The model cannot do it.
        """
        ...
