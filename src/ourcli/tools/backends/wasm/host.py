"""Runs plugins: compiles a module once, keeps workers warm, calls tools."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
from anyio import CancelScope, to_thread

from ourcli.common.errors import DeniedError, PluginError
from ourcli.tools.backends.wasm.compiled import CompiledCache
from ourcli.tools.backends.wasm.compiling import compiled, kind_of
from ourcli.tools.backends.wasm.orders import FRESH, PERSISTENT, Orders, Preopen
from ourcli.tools.backends.wasm.pool import HostOptions, Pool
from ourcli.tools.backends.wasm.process import Asking, Serving
from ourcli.tools.backends.wasm.quotas import within_quotas
from ourcli.tools.backends.wasm.sealed import SealedFile
from ourcli.tools.backends.wasm.spawn import spawn
from ourcli.tools.capabilities import Capability, CapabilityKind
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.host_services import reply_to
from ourcli.tools.manifest import Mode
from ourcli.tools.plugins import Plugin, read_module
from ourcli.tools.ports import HostServices, ToolContext
from ourcli.tools.protocol import Id, Question, request
from ourcli.tools.spec import ToolSpec
from ourcli.tools.wire import McpWire, SimpleWire, Wire, tool_names

LIST_S: Final = 10.0
_IDS: Final = 1 << 53
_FILES: Final = (CapabilityKind.FS_READ, CapabilityKind.FS_WRITE)
_Key = tuple[str, frozenset[Capability]]


@dataclass(frozen=True, slots=True)
class _Code:
    """Native code, and what it was made of."""

    kind: str
    native: bytes


class WasmHost:
    """Calls the tools of plugins in worker processes.

    Args:
        command: Starts a worker; see `ourcli.app.worker`.
        cache: Compiled modules.
        options: How many workers, how long.
        services: What it does for guests that ask; None does nothing.
        closed: Folders that no right opens, such as ourcli's own home.
    """

    def __init__(
        self,
        command: Sequence[str],
        cache: CompiledCache,
        options: HostOptions | None = None,
        services: HostServices | None = None,
        *,
        closed: Sequence[Path] = (),
    ) -> None:
        self._command, self._cache, self._options = tuple(command), cache, options or HostOptions()
        self._services, self._closed = services, tuple(closed)
        self._pools: dict[_Key, Pool] = {}
        self._opening = anyio.Lock()

    def tools(self, plugin: Plugin) -> "tuple[WasmTool, ...]":
        """Return the tools of a plugin; nothing is read or started yet."""
        return tuple(WasmTool(self, plugin, name, spec) for name, spec in plugin.specs().items())

    async def call(self, plugin: Plugin, wire: Wire, input: JsonObject, context: ToolContext) -> dict[str, Json]:  # noqa: A002
        """Put one call to a plugin and return its output.

        Raises:
            PluginError: Its module cannot be run, or is no longer the one that was checked.
            ToolError: The call failed; the host and the next call are not touched by it.
        """
        most_s = plugin.manifest.limits.timeout_ms / 1000
        timeout_s = most_s if context.timeout_s is None else min(most_s, context.timeout_s)
        identifier, line = wire.question(_identifier(), input)
        pool = self._pools.get(self._key(plugin, context)) or await self._open(plugin, context)
        serve = None if self._services is None else _serving(self._services, plugin, context)
        question = Asking(identifier=identifier, line=line, timeout_s=timeout_s, log=context.log, serve=serve)
        if context.quotas:
            return wire.output(await within_quotas(context.quotas, pool.ask(question, caller=context.caller)))
        return wire.output(await pool.ask(question, caller=context.caller))

    def _key(self, plugin: Plugin, context: ToolContext) -> _Key:
        return plugin.module_sha256 + plugin.manifest_sha256, context.granted

    async def _open(self, plugin: Plugin, context: ToolContext) -> Pool:
        async with self._opening:
            key = self._key(plugin, context)
            if key not in self._pools:
                self._pools[key] = await self._new_pool(plugin, context.granted)
            return self._pools[key]

    async def _new_pool(self, plugin: Plugin, granted: frozenset[Capability]) -> Pool:
        """Start the first worker, and read the code while it starts."""
        module, most = SealedFile(), plugin.manifest.limits.output_bytes
        spare = spawn(self._command, module)
        pool = None
        try:
            code = await self._code(plugin)
            await to_thread.run_sync(module.fill, code.native)
            orders = _orders(plugin, code.kind, granted)
            _check_closed(orders.preopens, self._closed)
            pool = Pool(self._command, orders, module, spare=spare, most_bytes=most, options=self._options)
            return pool
        finally:
            if pool is None:
                module.close()
                with CancelScope(shield=True):
                    await to_thread.run_sync(spare.discard)

    async def compile(self, plugin: Plugin) -> bytes:
        """Return the native code of a plugin's module or component, which is the one that was checked.

        Raises:
            PluginError: It changed, is not valid, or wants what is not there.
        """
        return (await self._code(plugin)).native

    async def _code(self, plugin: Plugin) -> "_Code":
        wasm = await to_thread.run_sync(read_module, plugin)
        kind, fuel = kind_of(wasm), plugin.manifest.limits.fuel is not None
        variant = f"{kind} {'fuel' if fuel else 'plain'}"
        native = await to_thread.run_sync(self._cache.find, plugin.module_sha256, variant)
        if native is None:
            native = await compiled(self._command, wasm, fuel=fuel)
            await to_thread.run_sync(self._cache.keep, plugin.module_sha256, variant, native)
        return _Code(kind, native)

    @property
    def guards(self) -> tuple[str, ...]:
        """What held the workers in that were started so far."""
        return tuple(sorted({guard for pool in self._pools.values() for guard in pool.guards}))

    async def listed(self, plugin: Plugin) -> tuple[str, ...]:
        """Run a plugin without any right and return the names of the tools it lists itself (`tools/list`).

        Raises:
            PluginError: Its module cannot be run.
            ToolError: It does not answer.
        """
        identifier = _identifier()
        context = ToolContext(timeout_s=LIST_S)
        pool = self._pools.get(self._key(plugin, context)) or await self._open(plugin, context)
        line = request(identifier, "tools/list", {})
        answer = await pool.ask(Asking(identifier=identifier, line=line, timeout_s=LIST_S), caller="")
        return tool_names(answer)

    async def aclose(self) -> None:
        """End all workers."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()


class WasmTool:
    """One tool of a plugin.

    Args:
        host: Runs it.
        plugin: Where it is from.
        name: What the plugin calls it.
        spec: What it is.
    """

    def __init__(self, host: WasmHost, plugin: Plugin, name: str, spec: ToolSpec) -> None:
        self._host, self._plugin, self._spec = host, plugin, spec
        self._wire: Wire = SimpleWire(name) if plugin.manifest.is_simple else McpWire(name)

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return self._spec

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Run it once.

        Raises:
            PluginError: Its module cannot be run.
            ToolError: The call failed.
        """
        return await self._host.call(self._plugin, self._wire, input, context)


def _identifier() -> int:
    """Return an id that a guest cannot guess beforehand."""
    return secrets.randbelow(_IDS)


def _rights(plugin: Plugin, granted: frozenset[Capability]) -> tuple[Capability, ...]:
    """Return what a plugin requests and was granted, and nothing that was granted besides."""
    return tuple(one for one in plugin.manifest.requested() if any(held.covers(one) for held in granted))


def _serving(services: HostServices, plugin: Plugin, context: ToolContext) -> Serving:
    """Return what answers a guest's requests to the host, with its rights in this call."""
    exactly = replace(context, granted=frozenset(_rights(plugin, context.granted)))

    async def serve(request: Question, identifier: Id) -> bytes:
        return await reply_to(request, identifier, services, exactly)

    return serve


def _orders(plugin: Plugin, kind: str, granted: frozenset[Capability]) -> Orders:
    """Return a worker's orders."""
    rights = _rights(plugin, granted)
    limits = plugin.manifest.limits
    environment = [(one.value, os.environ[one.value]) for one in rights if _is_set(one)]
    return Orders(
        task=FRESH if plugin.manifest.instance_mode is Mode.FRESH else PERSISTENT,
        kind=kind,
        memory_bytes=limits.memory_mib * 1024 * 1024,
        fuel=limits.fuel,
        preopens=tuple(_preopen(one, rights) for one in rights if one.kind in _FILES),
        environment=tuple(environment),
    )


def _is_set(right: Capability) -> bool:
    return right.kind is CapabilityKind.ENV and right.value in os.environ


def _preopen(right: Capability, rights: tuple[Capability, ...]) -> Preopen:
    """Return the folder that a right means, its path without links.

    Below a folder that the tool may write no link is followed: the tool itself could have put it there.
    """
    path = _resolved(right)
    for other in rights:
        inside = (
            other.kind is CapabilityKind.FS_WRITE and other.value != right.value and other.path in right.path.parents
        )
        if inside and path != _resolved(other) / right.path.relative_to(other.path):
            raise PluginError(
                f"the granted folder {right.value!r} is reached through a link in {other.value!r}, which the tool may "
                "write; nothing was run",
                hint="look at what the tool wrote there, and remove the link",
            )
    return Preopen(path=str(path), writable=right.kind is CapabilityKind.FS_WRITE, name=right.value)


def _check_closed(preopens: Sequence[Preopen], closed: Sequence[Path]) -> None:
    """Return when no folder of a guest holds a closed one or lies in it; nothing could keep the guest out there.

    Raises:
        DeniedError: One does, by whatever link or grant that came about.
    """
    for own in (folder.resolve() for folder in closed):
        for one in preopens:
            if own.is_relative_to(one.path) or Path(one.path).is_relative_to(own):
                raise DeniedError(
                    f"the folder {one.name!r} lets the tool into ourcli's own folder {str(own)!r}; nothing was run",
                    hint="grant a folder that neither holds it nor lies inside it",
                )


def _resolved(right: Capability) -> Path:
    path = right.path
    with suppress(OSError):
        path = path.resolve(strict=True)
    if not path.is_dir():
        raise PluginError(f"the granted folder {right.value!r} is not there", hint="make it, or change the grant")
    return path
