"""MCP servers that the user added, as values: where they are, what they said their tools are, what that means here.

What a server says is data of strangers. It is pinned: a digest over names, descriptions and schemas, with how the
server is reached, is the digest that grants are bound to, so that a server which silently changes a word asks again.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from ourcli.common.errors import CapabilityDeniedError, InvalidInputError
from ourcli.tools.capabilities import Capability, CapabilityKind, parse
from ourcli.tools.data import Json, JsonObject, dump
from ourcli.tools.logtext import harmless
from ourcli.tools.simplify import simplified
from ourcli.tools.spec import Origin, OriginKind, SideEffects, ToolSpec

MOST_TOOLS: Final = 500
MOST_SCHEMA_BYTES: Final = 64 * 1024
CALL_S: Final = 60.0
RESERVED: Final = frozenset({"calc", "fs", "http", "mcp", "memory", "ourcli", "shell", "time", "tools"})
"""Names whose tools are built in."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")
_TOOL: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """A server, and how it is reached: a command or a URL.

    Attributes:
        name: What its tools are called after.
        command: Program and arguments of a server on standard input and output; empty for one over HTTP.
        url: Of a server over HTTP; "" for the other kind.
        env: Keys of the user's environment that the program gets.
        read_only: The user says that its tools change nothing; what the server itself says of that is not believed.
        client_id: Under which it knows this client, where that was agreed beforehand; "" to register.
        secret_env: Key of the environment with that client's secret, or "".
    """

    name: str
    command: tuple[str, ...] = ()
    url: str = ""
    env: tuple[str, ...] = ()
    read_only: bool = False
    client_id: str = ""
    secret_env: str = ""

    @property
    def place(self) -> str:
        """How it is reached, for people."""
        return self.url or " ".join(self.command)

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """The rights its tools request: to run the program with these variables, or to reach the host.

        Raises:
            InvalidInputError: The URL or a key is none.
        """
        if self.command:
            return (Capability(CapabilityKind.EXEC), *(parse(f"env={key}") for key in self.env))
        found = re.match(r"(https?)://(\[[0-9a-fA-F:.]+\]|[^/?#:@\[\]\\]+)(?::([0-9]{1,5}))?(?:[/?#]|\Z)", self.url)
        if found is None or not self.url.isprintable() or " " in self.url:
            raise InvalidInputError(f"{self.url[:200]!r} is no URL of a server", hint="write it like http://HOST/mcp")
        scheme, host, port = found.groups()
        return (parse(f"net={host}:{port or (443 if scheme == 'https' else 80)}"),)


def check_server(server: McpServer) -> None:
    """Return when a server can be added.

    Raises:
        InvalidInputError: Its name, URL or a key is none.
    """
    if not _NAME.match(server.name) or server.name in RESERVED:
        raise InvalidInputError(
            f"{server.name[:80]!r} is no name for a server",
            hint="use small letters, digits, - and _, and none of " + ", ".join(sorted(RESERVED)),
        )
    if bool(server.command) == bool(server.url):
        raise InvalidInputError("a server is a command or a URL", hint="`ourcli mcp add NAME -- CMD…` or `… NAME URL`")
    if any("\0" in word for word in server.command):
        raise InvalidInputError("a command holds no zero byte")
    _ = server.capabilities


class Browser(Protocol):
    """Shows a person the page where a server's owner logs them in."""

    async def show(self, url: str) -> bool:
        """Ask, and open the page when the person agrees; return whether they did. It runs outside the main thread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTool:
    """A tool as its server describes it, word for word.

    Attributes:
        name: As the server calls it.
        description: Untrusted words.
        input_schema: JSON Schema of the arguments.
        output_schema: JSON Schema of structured answers, or None.
        hints: What the server claims about effects; shown and not believed.
    """

    name: str
    description: str = ""
    input_schema: JsonObject = field(default_factory=dict)
    output_schema: JsonObject | None = None
    hints: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return everything a digest is over."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": cast("Json", self.input_schema),
            "output_schema": cast("Json", self.output_schema),
            "hints": list(self.hints),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownServer:
    """A server with what it last said.

    Attributes:
        server: How it is reached.
        tools: What it listed, in its order.
        revision: Of the protocol it spoke.
        before: What it had listed before that differed, None when it never changed.
    """

    server: McpServer
    tools: tuple[RemoteTool, ...] = ()
    revision: str = ""
    before: tuple[RemoteTool, ...] | None = None

    @property
    def origin(self) -> Origin:
        """Who stands behind its tools."""
        digest = pinned(self.server, self.tools)
        return Origin(kind=OriginKind.MCP, name=self.server.name, sha256=digest, place=harmless(self.server.place))

    def differences(self) -> tuple[str, ...]:
        """Return what changed in what it says, a line each, made harmless."""
        return () if self.before is None else tuple(_differences(self.before, self.tools))


def pinned(server: McpServer, tools: tuple[RemoteTool, ...]) -> str:
    """Return the digest that grants of a server are bound to; the order of its tools does not count."""
    reached: dict[str, Json] = {"command": list(server.command), "url": server.url, "env": list(server.env)}
    listed = sorted(dump(tool.to_json()).decode() for tool in tools)
    return hashlib.sha256(dump({"server": reached, "tools": [*listed]})).hexdigest()


def _differences(before: tuple[RemoteTool, ...], after: tuple[RemoteTool, ...]) -> Iterator[str]:
    old, new = ({tool.name: tool for tool in tools} for tools in (before, after))
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield harmless(f"- {name}: gone")
        elif name not in old:
            yield harmless(f"+ {name}: {new[name].description}")
        elif old[name] != new[name]:
            first, second = _readable(old[name]), _readable(new[name])
            for line in list(difflib.unified_diff(first, second, lineterm="", n=0))[2:]:
                if not line.startswith("@@"):
                    yield harmless(f"{line[0]} {name}: {line[1:]}")


def _readable(tool: RemoteTool) -> list[str]:
    rest = [f"{key}: {dump(value).decode()}" for key, value in tool.to_json().items() if key != "description"]
    return [*tool.description.splitlines(), *rest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What a server's tools are here.

    Attributes:
        specs: By the name that the server gives a tool.
        problems: Tools that cannot be used and why, a line each.
        notes: Schemas that were simplified and how, a line each.
    """

    specs: dict[str, ToolSpec]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def offered(known: KnownServer) -> Offered:
    """Return the tools of a server as specs; a tool with an impossible name or a huge schema is left out and named."""
    specs: dict[str, ToolSpec] = {}
    problems: list[str] = []
    notes: list[str] = []
    names, origin = [tool.name for tool in known.tools], known.origin
    for tool in known.tools[:MOST_TOOLS]:
        fault = _fault(tool, names)
        if fault:
            problems.append(harmless(f"the tool {tool.name[:80]!r} of the MCP server {known.server.name!r} {fault}"))
            continue
        spec, told = _spec(known.server, origin, tool)
        specs[tool.name] = spec
        notes += [f"{spec.name}: {note}" for note in told]
    if len(names) > MOST_TOOLS:
        problems.append(
            f"the MCP server {known.server.name!r} lists more than {MOST_TOOLS} tools; the rest is left out"
        )
    return Offered(specs=specs, problems=tuple(dict.fromkeys(problems)), notes=tuple(notes))


def _fault(tool: RemoteTool, names: list[str]) -> str:
    if not _TOOL.match(tool.name):
        return "has a name that is not taken"
    if names.count(tool.name) > 1:
        return "is listed twice; neither is used"
    if any(len(dump(schema)) > MOST_SCHEMA_BYTES for schema in (tool.input_schema, tool.output_schema or {})):
        return f"has a schema of more than {MOST_SCHEMA_BYTES} bytes"
    return ""


def _spec(server: McpServer, origin: Origin, tool: RemoteTool) -> tuple[ToolSpec, tuple[str, ...]]:
    taken, notes = simplified(tool.input_schema)
    answer, more = simplified(tool.output_schema) if tool.output_schema is not None else (None, ())
    spec = ToolSpec(
        name=f"{server.name}.{tool.name}",
        description=harmless(" ".join(tool.description.split())),
        origin=origin,
        input_schema=taken,
        output_schema=answer,
        capabilities=server.capabilities,
        side_effects=SideEffects.NONE if server.read_only else SideEffects.EXTERNAL,
        timeout_s=CALL_S,
    )
    return spec, (*(f"input: {note}" for note in notes), *(f"output: {note}" for note in more))


class ChangedToolsError(CapabilityDeniedError):
    """The server lists other tools than those that a grant is bound to.

    Args:
        tools: What it lists now.
    """

    def __init__(self, message: str, *, tools: tuple[RemoteTool, ...], capability: str, hint: str) -> None:
        super().__init__(message, capability=capability, hint=hint)
        self.tools = tools
