"""`memory.search` and `memory.remember`: the project's memory, for those who were granted it."""

from dataclasses import replace
from typing import Final

from ourcli.tools.backends.builtin.describing import TEXT, a_list, a_number, a_text, an_object, described
from ourcli.tools.backends.builtin.given import number, refused, text, texts
from ourcli.tools.capabilities import Capability, CapabilityKind
from ourcli.tools.data import JsonObject
from ourcli.tools.ports import MemoryAccess, ToolContext
from ourcli.tools.spec import SideEffects, ToolExample, ToolSpec

MOST_HITS: Final = 50
MOST_CHARACTERS: Final = 20_000

SEARCH: Final = replace(
    described(
        "memory.search",
        "Search this project's memory: what was decided, said and read. Gives the best records with their sources.",
        takes=an_object(
            {"query": a_text("What to look for"), "limit": a_number("So many records at most", 1, MOST_HITS, 10)},
            ["query"],
        ),
        gives=an_object({"records": a_list({"type": "object"})}),
        examples=(ToolExample(input={"query": "which database was chosen"}, description="what was decided"),),
        timeout_s=30.0,
    ),
    capabilities=(Capability(CapabilityKind.MEMORY_READ),),
)

REMEMBER: Final = replace(
    described(
        "memory.remember",
        "Keep a text in this project's memory, without the secrets in it, marked as coming from a tool.",
        takes=an_object(
            {"text": a_text("What to remember"), "tags": a_list(TEXT, maxItems=16, description="Words to find it by")},
            ["text"],
        ),
        gives=an_object({"id": TEXT}),
        examples=(ToolExample(input={"text": "The staging server was moved to Frankfurt", "tags": ["servers"]}),),
        side_effects=SideEffects.LOCAL,
        idempotent=False,
        timeout_s=30.0,
    ),
    capabilities=(Capability(CapabilityKind.MEMORY_WRITE),),
)


class SearchMemory:
    """The tool `memory.search`.

    Args:
        memory: What it searches.
    """

    def __init__(self, memory: MemoryAccess) -> None:
        self._memory = memory

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return SEARCH

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Search; see `ourcli.tools.ports.Tool`."""
        query = text(input, "query").strip()
        if not query or len(query) > MOST_CHARACTERS:
            raise refused("query", f"is not 1 to {MOST_CHARACTERS} characters long")
        found = await self._memory.search(query, project=context.project, limit=number(input, "limit", 10))
        return {"records": [dict(one) for one in found]}


class Remember:
    """The tool `memory.remember`.

    Args:
        memory: What it writes to.
    """

    def __init__(self, memory: MemoryAccess) -> None:
        self._memory = memory

    def spec(self) -> ToolSpec:
        """Return what it is."""
        return REMEMBER

    async def invoke(self, input: JsonObject, context: ToolContext) -> JsonObject:  # noqa: A002
        """Remember; see `ourcli.tools.ports.Tool`."""
        said = text(input, "text").strip()
        if not said or len(said) > MOST_CHARACTERS:
            raise refused("text", f"is not 1 to {MOST_CHARACTERS} characters long")
        tags = texts(input, "tags")
        return {
            "id": await self._memory.remember(said, project=context.project, session=context.session, tags=tags),
        }

    async def preview(self, input: JsonObject, context: ToolContext) -> str:  # noqa: A002
        """Return what would be stored; see `ourcli.tools.ports.Previews`."""
        return f"into the memory of {context.project!r}: {text(input, 'text').strip()}\n"
