"""Remember what tools were asked and answered: a record of L1 each, without secrets, with `trust = tool`."""

import logging
from typing import Final, Protocol

from ourcli.app.tools.calling import ToolCalls
from ourcli.common.clock import Clock
from ourcli.common.errors import CapabilityDeniedError, NotFoundError, OurcliError, ToolClashError, ToolInputError
from ourcli.common.ids import RecordId, new_id
from ourcli.memory.layers import Layer
from ourcli.memory.record import Record, Trust
from ourcli.memory.service import MemoryService
from ourcli.tools.data import JsonObject
from ourcli.tools.logtext import harmless
from ourcli.tools.ports import ToolContext, ToolResult
from ourcli.tools.rendering import called, rendered
from ourcli.tools.spec import OriginKind

KIND: Final = "tool"
"""The kind of these records; their tags are `tool` and the tool's name."""
MOST_CHARS: Final = 2_000
"""So much of an answer is remembered."""
_LOG = logging.getLogger(__name__)
_MEMORY = "memory"
_DID_NOT_RUN = (CapabilityDeniedError, NotFoundError, ToolClashError, ToolInputError)


class RecordingRooms(Protocol):
    """What remembering needs of a running ourcli; `ourcli.app.wiring.Rooms` is it."""

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    @property
    def embedding(self) -> object:
        """The embedding service.

        Raises:
            ModelMissingError: There is none.
        """
        ...

    async def memory(self) -> MemoryService:
        """Return the memory, opened when it is first needed."""
        ...


class Recorder:
    """Remembers calls of tools.

    Args:
        rooms: Memory, which is opened when the first call is noted, and time.
    """

    def __init__(self, rooms: RecordingRooms) -> None:
        self._rooms = rooms

    async def call(self, calls: ToolCalls, name: str, input: JsonObject, context: ToolContext) -> ToolResult:  # noqa: A002
        """Call a tool and note that; what did not run is not noted. Raises what the call raises."""
        place = {"project": context.project, "session": context.session}
        try:
            result = await calls.call(name, input, context)
        except _DID_NOT_RUN:
            raise
        except OurcliError as exc:
            await self.failed(name, input, harmless(exc.message), **place)
            raise
        await self.answered(result, input, **place)
        return result

    async def answered(self, result: ToolResult, input: JsonObject, *, project: str, session: str) -> RecordId | None:  # noqa: A002
        """Note a call that was answered.

        Returns:
            The record, or None where memory cannot take it now (there is no embedding model yet): a call does not
            fail because it is not remembered, the log says so.
        """
        own = result.origin.kind is OriginKind.BUILTIN and result.origin.name == _MEMORY
        told = "from memory" if own else rendered(result.output, most_chars=MOST_CHARS)  # what is forgotten must go
        text = f"The tool {result.tool} was given {called(input)} and answered:\n{told}"
        return await self._note(result.tool, text, project, session)

    async def failed(self, tool: str, input: JsonObject, fault: str, *, project: str, session: str) -> RecordId | None:  # noqa: A002
        """Note a call that failed; `fault` says why. Returns as `answered` does."""
        return await self._note(
            tool, f"The tool {tool} was given {called(input)} and failed: {fault}", project, session
        )

    async def _note(self, tool: str, text: str, project: str, session: str) -> RecordId | None:
        now = self._rooms.clock.now()
        record = Record(
            id=RecordId(new_id(now)),
            text=text,
            layer=Layer.INTERACT,
            ts=now,
            kind=KIND,
            tags=(KIND, tool),
            project=project,
            session=session,
            speaker=tool,
            trust=Trust.TOOL,
        )
        try:
            _ = self._rooms.embedding  # without a model the tables need not even be opened
            await (await self._rooms.memory()).add([record])
        except OurcliError as exc:
            _LOG.info("the call of %s was not remembered: %s", tool, exc.message)
            return None
        return record.id
