"""Every other tool of this installation, with the rights that were granted to it and no more.

Nobody is here who could answer a question: what `ourcli tools call` would ask about is refused.
"""

from typing import Final

from mcp import types

from ourcli.app.desks.tools import Calling
from ourcli.common.errors import ApprovalNeededError
from ourcli.servers.mcp.call import Call
from ourcli.servers.mcp.ports import Facade
from ourcli.tools.data import JsonObject
from ourcli.tools.logtext import harmless
from ourcli.tools.spec import OriginKind, SideEffects, ToolSpec

_OWN_MEMORY: Final = "memory"
"""The built-in tools of this origin are offered as the server's own `memory_search` and `memory_add`."""


class DeskTools:
    """Tools of the desk as a server offers them.

    Args:
        facade: Knows the tools and their rights.
    """

    def __init__(self, facade: Facade) -> None:
        self._facade = facade

    async def definitions(self) -> list[types.Tool]:
        """Return what clients are told of them; descriptions are whoever wrote the tool's words."""
        shelf = await self._facade.tools.all()
        return [_definition(entry.spec) for entry in shelf.tools if not _is_own(entry.spec)]

    async def call(self, name: str, arguments: JsonObject, call: Call) -> JsonObject:
        """Call one.

        Raises:
            NotFoundError: There is none of that name.
            ApprovalNeededError: It changes something, and was not granted to do so unattended.
            CapabilityDeniedError: It lacks a right.
            ToolError: It failed.
        """
        tools = self._facade.tools
        spec = (await tools.show(name)).spec
        changes = spec.side_effects is not SideEffects.NONE
        if changes and not await tools.unattended(spec.name):
            raise ApprovalNeededError(
                f"the tool {spec.name!r} changes something, and nobody is here to allow it",
                hint=f"the user can run it (ourcli tools call {spec.name}), or let {spec.origin} do it unattended "
                "by a policy (docs/guide/grants.md)",
            )
        calling = Calling(by_policy=changes)
        result = await call.listening(lambda listen: tools.call(spec.name, arguments, listen, calling))
        return result.output


def _is_own(spec: ToolSpec) -> bool:
    return spec.origin.kind is OriginKind.BUILTIN and spec.origin.name == _OWN_MEMORY


def _definition(spec: ToolSpec) -> types.Tool:
    changes = spec.side_effects is not SideEffects.NONE
    return types.Tool(
        name=spec.name,
        description=f"{harmless(spec.description)} (from {spec.origin})",
        input_schema=dict(spec.input_schema),
        output_schema=dict(spec.output_schema) if spec.output_schema is not None else None,
        annotations=types.ToolAnnotations(
            read_only_hint=not changes,
            destructive_hint=changes,
            idempotent_hint=spec.idempotent,
            open_world_hint=spec.side_effects is SideEffects.EXTERNAL,
        ),
        _meta={"ourcli/capabilities": [str(one) for one in spec.capabilities]},
    )
