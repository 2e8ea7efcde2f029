"""The servers that the user added, in one private file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from ourcli.common.errors import ConfigError, InvalidInputError, NotFoundError
from ourcli.common.files import atomic_write
from ourcli.tools.backends.file_lock import changing
from ourcli.tools.servers import KnownServer, McpServer, RemoteTool, check_server

MOST_BYTES: Final = 64 * 1024 * 1024


class _Tool(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    description: str = ""
    input_schema: dict[str, Any] = {}
    output_schema: dict[str, Any] | None = None
    hints: tuple[str, ...] = ()


class _Server(BaseModel):
    model_config = ConfigDict(extra="forbid")

    command: tuple[str, ...] = ()
    url: str = ""
    env: tuple[str, ...] = ()
    read_only: bool = False
    client_id: str = ""
    secret_env: str = ""
    revision: str = ""
    tools: tuple[_Tool, ...] = ()
    before: tuple[_Tool, ...] | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    servers: dict[str, _Server] = {}


class ServerFile:
    """Reads and writes the file; safe against other processes.

    Args:
        path: The file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[KnownServer, ...]:
        """Return the servers by name.

        Raises:
            ConfigError: The file cannot be used.
        """
        return tuple(_known(name, one) for name, one in sorted(self._read().servers.items()))

    def get(self, name: str) -> KnownServer:
        """Return one server.

        Raises:
            NotFoundError: There is none of that name.
        """
        for known in self.read():
            if known.server.name == name:
                return known
        raise NotFoundError(f"no MCP server {name[:80]!r}", hint="`ourcli mcp list` shows them")

    def put(self, server: McpServer, tools: tuple[RemoteTool, ...], revision: str) -> KnownServer:
        """Store a server with what it lists now, and return it with what changed since it was last stored.

        Raises:
            ConfigError: The file cannot be used.
            StoreError: It cannot be written, or another process keeps it.
        """
        with self._changing() as file:
            old = file.servers.get(server.name)
            known = KnownServer(server=server, tools=tools, revision=revision, before=_before(old, tools))
            file.servers[server.name] = _kept(known)
        return known

    def remove(self, name: str) -> None:
        """Take a server out.

        Raises:
            NotFoundError: There is none of that name.
            ConfigError: The file cannot be used.
            StoreError: It cannot be written, or another process keeps it.
        """
        with self._changing() as file:
            if file.servers.pop(name, None) is None:
                raise NotFoundError(f"no MCP server {name[:80]!r}", hint="`ourcli mcp list` shows them")

    @contextmanager
    def _changing(self) -> Iterator[_File]:
        with changing(self._path):
            file = self._read()
            yield file
            text = json.dumps(file.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False, indent=1)
            with atomic_write(self._path) as stream:
                stream.write(text.encode())

    def _read(self) -> _File:
        try:
            if self._path.stat().st_size > MOST_BYTES:
                raise ValueError(f"it is larger than {MOST_BYTES} bytes")
            file = _File.model_validate_json(self._path.read_bytes())
            for name, one in file.servers.items():
                check_server(_known(name, one).server)
        except FileNotFoundError:
            return _File()
        except (OSError, ValueError, ValidationError, InvalidInputError) as exc:
            raise ConfigError(
                f"{str(self._path)!r} cannot be used: {exc}", hint="mend it, or move it away and add the servers again"
            ) from exc
        return file


def _before(old: _Server | None, tools: tuple[RemoteTool, ...]) -> tuple[RemoteTool, ...] | None:
    """Return what a server listed before it listed `tools`; what it lists in another order is the same."""
    if old is None or not old.tools:
        return None
    listed = tuple(map(_tool, old.tools))
    same = sorted(listed, key=lambda tool: tool.name) == sorted(tools, key=lambda tool: tool.name)
    earlier = None if old.before is None else tuple(map(_tool, old.before))
    return earlier if same else listed


def _tool(one: _Tool) -> RemoteTool:
    return RemoteTool(
        name=one.name,
        description=one.description,
        input_schema=one.input_schema,
        output_schema=one.output_schema,
        hints=one.hints,
    )


def _known(name: str, one: _Server) -> KnownServer:
    server = McpServer(
        name=name,
        command=one.command,
        url=one.url,
        env=one.env,
        read_only=one.read_only,
        client_id=one.client_id,
        secret_env=one.secret_env,
    )
    before = None if one.before is None else tuple(map(_tool, one.before))
    return KnownServer(server=server, tools=tuple(map(_tool, one.tools)), revision=one.revision, before=before)


def _kept(known: KnownServer) -> _Server:
    told = asdict(known.server)
    told.pop("name")
    tools = [_Tool.model_validate(tool.to_json()) for tool in known.tools]
    before = None if known.before is None else tuple(_Tool.model_validate(tool.to_json()) for tool in known.before)
    return _Server(**told, revision=known.revision, tools=tuple(tools), before=before)
