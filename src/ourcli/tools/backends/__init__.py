"""The three kinds of tools: built in, WASI plugins, MCP servers."""
