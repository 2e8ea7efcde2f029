"""The one way to call a tool: rights, then input, then the tool, then its answer, told in events."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from ourcli.common.clock import Clock
from ourcli.common.errors import CapabilityDeniedError, OurcliError, ToolError, ToolInputError, ToolOutputError
from ourcli.common.events import EventSink, ToolCalled, ToolDenied, ToolFailed, ToolFinished, ToolLogged
from ourcli.tools.capabilities import Capability, CapabilityKind, Quota, missing
from ourcli.tools.data import Json, JsonObject
from ourcli.tools.grants import how_to_grant
from ourcli.tools.ports import Grants, Tool, ToolContext, ToolResult
from ourcli.tools.registry import Registry
from ourcli.tools.schema import BadSchemaError, Schema
from ourcli.tools.spec import OriginKind, ToolSpec


class ToolRunner:
    """Calls the tools of a registry.

    Args:
        registry: The tools.
        grants: Who was granted what.
        clock: Time.
        sink: Takes events.
    """

    def __init__(self, registry: Registry, grants: Grants, *, clock: Clock, sink: EventSink) -> None:
        self.registry = registry
        self._grants, self._clock, self._sink = grants, clock, sink
        self._schemas: dict[tuple[str, str], Schema] = {}

    async def call(self, name: str, input: JsonObject, context: ToolContext) -> ToolResult:  # noqa: A002
        """Call a tool once and return its answer, which is data of its origin and never an instruction.

        Args:
            name: The tool's full name.
            input: Must fit the tool's schema.
            context: Who calls and for how long; its `granted` and `quotas` are replaced by what the grants hold.

        Raises:
            NotFoundError: There is no such tool.
            CapabilityDeniedError: It requests a right that nobody granted; it did not run.
            ToolInputError: The input does not fit; it did not run.
            ToolError: It failed, was stopped, or answered what it must not.
        """
        tool = self.registry.get(name)
        spec = tool.spec()
        granted = await self._checked_rights(spec, context)
        quotas = await self._quotas(spec, context, granted)
        self._check_input(spec, input)
        log = context.log

        def heard(line: str) -> None:
            log(line)
            self._sink.emit(self._event(ToolLogged, spec, context, text=line))

        output, taken = await self._told(tool, input, replace(context, granted=granted, quotas=quotas, log=heard))
        return ToolResult(tool=spec.name, output=output, origin=spec.origin, milliseconds=taken)

    async def _told(self, tool: Tool, input: JsonObject, context: ToolContext) -> tuple[JsonObject, float]:  # noqa: A002
        """Run the tool and tell how it begins and ends; return its answer and the milliseconds it took."""
        spec, started, failure = tool.spec(), self._clock.monotonic_s(), "stopped"
        self._sink.emit(self._event(ToolCalled, spec, context))
        try:
            output = await self._invoke(tool, input, context)
            failure = ""
        except OurcliError as exc:
            failure = exc.kind
            raise
        finally:
            taken = (self._clock.monotonic_s() - started) * 1000
            if failure:
                self._sink.emit(self._event(ToolFailed, spec, context, milliseconds=taken, error=failure))
        self._sink.emit(self._event(ToolFinished, spec, context, milliseconds=taken))
        return output, taken

    async def _invoke(self, tool: Tool, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        spec = tool.spec()
        output = await tool.invoke(input, context)
        if not isinstance(cast("object", output), Mapping):
            raise ToolOutputError(f"the tool {spec.name!r} answered something that is no JSON object")
        if spec.output_schema is not None:
            faults = self._schema(spec, "output", spec.output_schema).faults(output)
            if faults:
                raise ToolOutputError(
                    f"the answer of the tool {spec.name!r} does not fit its schema: {'; '.join(faults)}",
                    hint="the fault is the tool's: tell whoever wrote it",
                )
        return output

    async def _checked_rights(self, spec: ToolSpec, context: ToolContext) -> frozenset[Capability]:
        """Return the granted rights.

        Raises:
            CapabilityDeniedError: One that is requested is not among them.
        """
        asks = spec.capabilities or spec.origin.kind is OriginKind.BUILTIN  # built-in tools ask by what they are given
        granted = await self._grants.granted(spec.origin, context.session) if asks else frozenset()
        lacking = missing(spec.capabilities, granted)
        if not lacking:
            return granted
        first = str(lacking[0])
        self._sink.emit(self._event(ToolDenied, spec, context, capability=first))
        names = ", ".join(str(one) for one in lacking)
        raise CapabilityDeniedError(
            f"the tool {spec.name!r} requests what nobody granted: {names}",
            capability=first,
            hint=f"nothing was run; if you trust it, `{how_to_grant(spec.origin, lacking)}` grants it",
        )

    async def _quotas(self, spec: ToolSpec, context: ToolContext, granted: frozenset[Capability]) -> frozenset[Quota]:
        if not any(right.kind is CapabilityKind.FS_WRITE for right in granted):
            return frozenset()
        return await self._grants.quotas(spec.origin, context.session)

    def _check_input(self, spec: ToolSpec, value: JsonObject) -> None:
        faults = self._schema(spec, "input", spec.input_schema).faults(value)
        if faults:
            raise ToolInputError(
                f"the input does not fit the tool {spec.name!r}: {'; '.join(faults)}",
                hint=f"`ourcli tools show {spec.name}` prints its schema",
            )

    def _schema(self, spec: ToolSpec, side: str, schema: JsonObject) -> Schema:
        found = self._schemas.get((spec.name, side))
        if found is None:
            try:
                found = Schema(schema)
            except BadSchemaError as exc:
                raise ToolError(f"the {side} schema of the tool {spec.name!r} cannot be used: {exc}") from exc
            self._schemas[spec.name, side] = found
        return found

    def _event(self, kind: "type[_ToolEvent]", spec: ToolSpec, context: ToolContext, **more: Json) -> "_ToolEvent":
        origin = str(spec.origin)
        return kind(at=self._clock.now(), run_id=context.run_id, tool=spec.name, origin=origin, **more)  # type: ignore[arg-type]  # the fields of the event that is asked for


_ToolEvent = ToolCalled | ToolFinished | ToolFailed | ToolDenied | ToolLogged
