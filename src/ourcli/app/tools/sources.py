"""All sources of tools, in one list: whoever adds one adds a line here."""

from ourcli.app.tools.builtin_source import open_builtins
from ourcli.app.tools.mcp_source import McpSource
from ourcli.app.tools.needs import ToolRooms
from ourcli.app.tools.plugin_source import PluginSource
from ourcli.tools.gathering import NamedSource


def open_sources(rooms: ToolRooms, plugins: PluginSource) -> tuple[NamedSource, ...]:
    """Return every source; none is asked, opened or connected to yet.

    A source answers from what it has at hand: it must not make `tools list` wait for a server that is not there.

    Args:
        rooms: What sources are made of.
        plugins: The source of plugins, which commands about plugins use too.
    """
    return (
        NamedSource(name="built-in tools", source=open_builtins(rooms)),
        NamedSource(name="plugins", source=plugins),
        NamedSource(name="MCP servers", source=McpSource(rooms)),
    )
