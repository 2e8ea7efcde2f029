"""The MCP server: memory, ingestion and every tool, for other agents, on stdio or a loopback port."""
