"""What clients are told when something goes wrong: our own words, never a traceback or an internal name."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mcp import MCPError, types
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from ourcli.common.errors import (
    InvalidInputError,
    NotFoundError,
    OurcliError,
    PlanError,
    ToolInputError,
    UsageError,
)
from ourcli.tools.logtext import harmless

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

_log = logging.getLogger(__name__)
_Params = TypeVar("_Params")
_Result = TypeVar("_Result")
RESOURCE_NOT_FOUND: Final = -32002
"""What revisions before 2026-07-28 say where there is no such resource."""
_WRONG_PARAMS = (InvalidInputError, NotFoundError, PlanError, ToolInputError, UsageError)


def told(error: OurcliError) -> str:
    """Return what failed and what to do about it."""
    lines = [f"error: {harmless(error.message)}", f"hint: {harmless(error.hint)}" if error.hint else ""]
    return "\n".join(line for line in lines if line)


def failed(error: OurcliError) -> types.CallToolResult:
    """Return a tool's result that says what failed, which a model can read and act upon."""
    text = types.TextContent(text=told(error))
    return types.CallToolResult(content=[text], is_error=True, _meta={"ourcli/kind": error.kind})


def refused(error: OurcliError) -> MCPError:
    """Return the protocol's error for a request that cannot be served."""
    code = types.INVALID_PARAMS if isinstance(error, _WRONG_PARAMS) else types.INTERNAL_ERROR
    return MCPError(code=code, message=told(error), data={"kind": error.kind})


def no_such_resource(uri: str, protocol_version: str) -> MCPError:
    """Return the protocol's error for a resource that is not there."""
    modern = protocol_version in MODERN_PROTOCOL_VERSIONS
    code = types.INVALID_PARAMS if modern else RESOURCE_NOT_FOUND
    return MCPError(code=code, message="there is no such resource", data={"uri": uri[:1024]})


def guarded(
    handler: "Callable[[ServerRequestContext[Any, Any], _Params], Awaitable[_Result]]",
) -> "Callable[[ServerRequestContext[Any, Any], _Params], Awaitable[_Result]]":
    """Turn whatever a handler raises into the protocol's error; bugs go to the log with their traceback."""

    async def handle(context: "ServerRequestContext[Any, Any]", params: _Params) -> _Result:
        try:
            return await handler(context, params)
        except MCPError:
            raise
        except OurcliError as exc:
            raise refused(exc) from exc
        except Exception as exc:  # the edge of a request: its bug ends it and not the server, and is told no client
            _log.exception("the request %s failed", context.method)
            raise MCPError(code=types.INTERNAL_ERROR, message="internal error; ourcli's log says more") from exc

    return handle
