"""MCP servers: how they are reached and asked."""
